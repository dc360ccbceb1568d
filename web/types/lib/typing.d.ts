/**
 * The server says when a typist stops, 3 s after the last renewal, and need not pass renewals on: clearing after 3 s here would hide who
 * types for longer. This only ends an entry whose stop was lost, as typing frames are the first to be dropped for a slow reader.
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
    /** The connection is gone, and with it what the server knew. */
    reset(): void;
    #private;
}
/** Who is typing in a conversation: from the server's start to its stop, and never longer than `TYPING_LOST_MS` without a word of it. */
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
