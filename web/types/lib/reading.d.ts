/** Who has read how far in one conversation. The user's own cursor goes to the server at most once a second. */
export class ReadCursors {
    /**
     * @param {Clock} clock @param {(seq: number) => boolean} send false when it could not @param {() => void} changed
     * @param {() => void} [ask] asks the server where the cursor is
     */
    constructor(clock: Clock, send: (seq: number) => boolean, changed: () => void, ask?: () => void);
    /** The user's own; 0 while it is not `known`. */
    own: number;
    known: boolean;
    /** Whether the server did not confirm the own cursor in time. */
    overdue: boolean;
    /** @type {Map<string, number>} */
    others: Map<string, number>;
    /**
     * Others' messages above the own cursor. Where it stands below the loaded messages, the server's count says how many are between.
     * @param {readonly Message[]} messages all from seq `first` on @param {number} first Infinity when none is loaded
     */
    unread(messages: readonly Message[], first: number): number;
    /** Those of them that mention a user. @param {readonly Message[]} messages @param {number} first @param {string|null} user */
    mentions(messages: readonly Message[], first: number, user: string | null): number;
    /** Whether `unread` is exact. Else the server's count is too old. @param {number} first as for `unread` */
    isExact(first: number): boolean;
    /** Messages below `first` are dropped. @param {{unread: number, mentions: number}} unread of the dropped ones @param {number} first */
    dropped(unread: {
        unread: number;
        mentions: number;
    }, first: number): void;
    /** The head that the server told with its count. */
    get head(): number;
    /** The user has read up to `seq`. @param {number} seq @returns {Promise<void>} resolves when the server has it */
    move(seq: number): Promise<void>;
    /** Sends what the server does not know. */
    flush(): void;
    /** `read` has no answer, so what the server did not confirm goes again on the next connection. */
    disconnected(): void;
    /** The log was replaced. Cursors of the old one mean nothing in it, and nobody waits for them any more. */
    reset(): void;
    /** The server knows the own cursor. @param {number} seq */
    learn(seq: number): void;
    /** @param {Pick<Overview, 'unread'|'head'|'read'> & {mentions?: number}} overview */
    overview({ unread, mentions, head, read }: Pick<Overview, "unread" | "head" | "read"> & {
        mentions?: number;
    }): void;
    /** A cursor moved. @param {string|null} user null: the own one, here or on another device @param {number} seq */
    receive(user: string | null, seq: number): void;
    /** @param {Error} fault what those get who wait */
    dispose(fault: Error): void;
    #private;
}
import type { Message } from './types.js';
import type { Overview } from './types.js';
import type { Clock } from './types.js';
