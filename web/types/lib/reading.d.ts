/** Who has read how far in one conversation. The user's own cursor goes to the server at most once a second. */
export class ReadCursors {
    /** @param {Clock} clock @param {(seq: number) => boolean} send false when it could not @param {() => void} changed */
    constructor(clock: Clock, send: (seq: number) => boolean, changed: () => void);
    /** The user's own; 0 while it is not `known`. */
    own: number;
    known: boolean;
    /** @type {Map<string, number>} */
    others: Map<string, number>;
    /** Others' messages above the own cursor: those of the overview, and those loaded since. @param {readonly Message[]} messages */
    unread(messages: readonly Message[]): number;
    /** The user has read up to `seq`. @param {number} seq */
    move(seq: number): void;
    /** Sends what the server does not know. */
    flush(): void;
    /** The server knows the own cursor. @param {number} seq */
    learn(seq: number): void;
    /** @param {Pick<Overview, 'unread'|'head'|'read'>} overview */
    overview({ unread, head, read }: Pick<Overview, "unread" | "head" | "read">): void;
    /** A cursor moved. @param {string|null} user null: the own one, on another device @param {number} seq */
    receive(user: string | null, seq: number): void;
    dispose(): void;
    #private;
}
import type { Message } from './types.js';
import type { Overview } from './types.js';
import type { Clock } from './types.js';
