/**
 * The server says when a typist stops, 3 s after the last renewal, and need not pass on renewals. So clearing after 3 s here would hide
 * a user who types longer. This ends an entry whose stop was lost: typing frames are the first to be dropped for a slow reader.
 */
export const TYPING_LOST_MS: 30000;
/** Turns key strokes into `typing` frames: at most one `active` in 2 s, and a stop after 2 s without a key. */
export class TypingSender {
    /** @param {Clock} clock @param {(active: boolean) => void} send */
    constructor(clock: Clock, send: (active: boolean) => void);
    /** A key was pressed. */
    touch(): void;
    /** The text was sent or emptied. */
    stop(): void;
    /** The connection is gone, and the server has forgotten the typist. */
    reset(): void;
    #private;
}
/** Who is typing, from the server's start to its stop, or for at most `TYPING_LOST_MS` without a renewal. */
export class TypingUsers {
    /** @param {Clock} clock @param {() => void} changed */
    constructor(clock: Clock, changed: () => void);
    get users(): string[];
    /** @param {string} user @param {boolean} active */
    set(user: string, active: boolean): void;
    clear(): void;
    #private;
}
import type { Clock } from './types.js';
