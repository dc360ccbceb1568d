/** Rooms that were left, each until the server confirms it, over any number of connections. */
export class Leaves {
    /**
     * @param {{clock: Clock, send: (frame: Frame) => boolean, ref: () => string, isWanted: (room: string) => boolean,
     *   rejoin: (room: string) => void, refused: (room: string, fault: ChatError) => void}} options `isWanted`: whether the room was joined
     *   again since; `rejoin`: joins it now, if so; `refused`: for good
     */
    constructor({ clock, send, ref, isWanted, rejoin, refused }: {
        clock: Clock;
        send: (frame: Frame) => boolean;
        ref: () => string;
        isWanted: (room: string) => boolean;
        rejoin: (room: string) => void;
        refused: (room: string, fault: ChatError) => void;
    });
    /** Whether a `leave` is not confirmed. @param {string} room */
    has(room: string): boolean;
    /** Whether it was left since the overview was asked for. @param {string} room */
    isRecent(room: string): boolean;
    /** An overview is asked for. */
    beginOverview(): void;
    /** @param {string} room @returns {Promise<void>} resolves when the server has ended the membership */
    leave(room: string): Promise<void>;
    /** The room is joined again. A `leave` that is under way must be answered first. @param {string} room */
    join(room: string): void;
    /** A `leave` was answered. @param {string} room @param {ChatError} [fault] why it was refused for good */
    answered(room: string, fault?: ChatError): void;
    /** @param {Frame} error @returns {boolean} whether it answers a `leave` */
    refused({ code, message, ref, retryAfter }: Frame): boolean;
    /** There is a new connection. */
    connected(): void;
    disconnected(): void;
    /** @param {ChatError} fault what those get who wait */
    dispose(fault: ChatError): void;
    #private;
}
/**
 * `ref`: of the `leave` under way, if there is one.
 */
export type Leave = ReturnType<typeof withResolvers> & {
    ref?: string;
    timer?: any;
};
import { ChatError } from './protocol.js';
import type { Frame } from './types.js';
import type { Clock } from './types.js';
import { withResolvers } from './util.js';
