/**
 * Checks a frame's fields and fills in defaults. Unknown fields are left out.
 * @param {any} value @param {'client'|'server'} direction who sends it @returns {Frame}
 * @throws {ChatError} `bad_request`, `too_large` or `unknown_type`
 */
export function check(value: any, direction: "client" | "server"): Frame;
/** @param {string} text @param {'client'|'server'} direction @returns {Frame} @throws {ChatError} */
export function decode(text: string, direction: "client" | "server"): Frame;
/**
 * The text of a client's frame. A frame that the server would refuse is refused here, because an oversized one that is retried would
 * close the socket (1009) each time.
 * @param {Frame} frame @returns {string} @throws {ChatError}
 */
export function encode(frame: Frame): string;
/** @import {Frame, Where} from './types.js' */
export const SUBPROTOCOL: "aspirechat.v1";
export const LIMITS: Readonly<{
    content: 8000;
    frame: number;
    nonce: 64;
    page: 200;
    mentions: 50;
    json: 4096;
    depth: 32;
}>;
export function isRoomId(value: unknown): boolean;
export function isUserId(value: unknown): boolean;
export function isSender(value: unknown): boolean;
/** The sender of what the server itself writes. It can be read, and not be written to. */
export const SYSTEM: "system";
/** A failure that the protocol, the server or this library names by a code. */
export class ChatError extends Error {
    /** @param {string} code @param {string} message @param {Partial<ChatError>} [more] */
    constructor(code: string, message: string, more?: Partial<ChatError>);
    /** @type {string|undefined} the frame's field or the option at fault */ field: string | undefined;
    /** @type {number|undefined} milliseconds */ retryAfter: number | undefined;
    /** @type {number|undefined} of HTTP; 0: no answer */ status: number | undefined;
    /** @type {number|undefined} of the socket */ closeCode: number | undefined;
    /** @type {boolean|undefined} trying again is of no use */ fatal: boolean | undefined;
    code: string;
}
export const CLOSE: Readonly<{
    normal: 1000;
    abnormal: 1006;
    restart: 1012;
    overloaded: 1013;
    tokenExpired: 4002;
    tooSlow: 4008;
}>;
export function closeReason(code: number): string;
export function isFinalClose(code: number): boolean;
export function keyOf(where: Where): string;
import type { Frame } from './types.js';
import type { Where } from './types.js';
