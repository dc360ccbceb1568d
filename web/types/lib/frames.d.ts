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
export function isSender(value: unknown): boolean;
export const CLOSE: Readonly<{
    normal: 1000;
    abnormal: 1006;
    restart: 1012;
    overloaded: 1013;
    tokenInvalid: 4001;
    tokenExpired: 4002;
    tooSlow: 4008;
}>;
export function closeReason(code: number): string;
export function isFinalClose(code: number): boolean;
export function keyOf(where: Where): string;
import type { Frame } from './types.js';
import type { Where } from './types.js';
