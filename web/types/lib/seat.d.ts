/** The user's seat in a room: whether it is wanted, whether this connection has it, and who waits for it. */
export class RoomSeat {
    /** @param {import('./link.js').Host} host @param {(ref: string) => void} send sends a `join` */
    constructor(host: import("./link.js").Host, send: (ref: string) => void);
    /** Whether to join the room on every connection. */
    wanted: boolean;
    /** Whether the room is subscribed on this connection. */
    joined: boolean;
    /** Whether a `join` is under way. What the server said of the room before it answers does not hold any more. */
    get isAsking(): boolean;
    /** @returns {Promise<void>} resolves when joined */
    want(): Promise<void>;
    /** Asks for the seat, unless a `leave` must be answered first. */
    ask(): void;
    /** @param {Frame} joined @returns {boolean} false when it answers a join before a leave */
    take({ ref }: Frame): boolean;
    /** The room is as the server said. */
    ready(): void;
    /** @param {Frame} error @returns {ChatError|boolean} whether it answers the join under way; an error when there will be no seat */
    refused({ code, message, ref, retryAfter }: Frame): ChatError | boolean;
    /** The connection does not have it. */
    down(): void;
    /** It is no longer wanted. @param {ChatError} fault @returns {boolean} whether anybody waited for it */
    drop(fault: ChatError): boolean;
    #private;
}
import type { Frame } from './types.js';
import { ChatError } from './protocol.js';
