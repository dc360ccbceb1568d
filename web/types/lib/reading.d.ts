/** Who has read how far in one conversation. The user's own cursor goes to the server at most once a second. */
export class ReadCursors {
    /** @param {Clock} clock @param {(seq: number) => boolean} send false when it could not @param {() => void} changed */
    constructor(clock: Clock, send: (seq: number) => boolean, changed: () => void);
    /** The user's own; 0 while it is not `known`. */
    own: number;
    known: boolean;
    /** @type {Map<string, number>} */
    others: Map<string, number>;
    /**
     * Others' messages above the own cursor. Where it stands below the loaded messages, the server's count says how many are between.
     * @param {readonly Message[]} messages all from seq `first` on @param {number} first Infinity when none is loaded
     */
    unread(messages: readonly Message[], first: number): number;
    /** Whether `unread` is exact. Else the server's count is too old. @param {number} first as for `unread` */
    isExact(first: number): boolean;
    /**
     * Messages below `first` are dropped, and their count is kept.
     * @param {number} before what was unread @param {number} after of the rest @param {number} first
     */
    dropped(before: number, after: number, first: number): void;
    /** The user has read up to `seq`. @param {number} seq */
    move(seq: number): void;
    /** Sends what the server does not know. */
    flush(): void;
    /** `read` has no answer, so what the server did not confirm goes again on the next connection. */
    disconnected(): void;
    /** The log was replaced. Cursors of the old one mean nothing in it. */
    reset(): void;
    /** The server knows the own cursor. @param {number} seq */
    learn(seq: number): void;
    /** @param {Pick<Overview, 'unread'|'head'|'read'>} overview */
    overview({ unread, head, read }: Pick<Overview, "unread" | "head" | "read">): void;
    /** A cursor moved. @param {string|null} user null: the own one, here or on another device @param {number} seq */
    receive(user: string | null, seq: number): void;
    dispose(): void;
    #private;
}
import type { Message } from './types.js';
import type { Overview } from './types.js';
import type { Clock } from './types.js';
