export function isMessage({ type }: ChatEvent): boolean;
/**
 * The loaded stretch of one conversation's log, `first` to `last` without a hole. It takes events in any order and any number of
 * times and gives each out once, in the order of `seq`. It does no I/O.
 */
export class Timeline {
    /** @param {() => string|null} me the user's own id */
    constructor(me: () => string | null);
    /** @type {string|null} null until the server told it */
    epoch: string | null;
    /** The lowest loaded seq; one above `last` while nothing is loaded. */
    first: number;
    /** The seq up to which events were given out. @type {number|null} null before the conversation's place in its log is known */
    last: number | null;
    /** All events up to this seq are in the database. */
    durable: number;
    /** @type {Message[]} in the order of seq */
    messages: Message[];
    /** Whether the oldest event of the conversation is loaded. */
    get atStart(): boolean;
    /** From where to ask for events; in doubt from before the loaded ones, to compare them. */
    get place(): {
        epoch?: string | undefined;
        since: number | null;
    };
    /** Whether events are held that wait for missing ones. */
    get hasGap(): boolean;
    /** @param {number} seq */
    message(seq: number): Message | undefined;
    /** Forgets all and stands right behind `head`, where live events go on. @param {string|null} epoch @param {number|null} head */
    reset(epoch: string | null, head: number | null): void;
    disconnected(): void;
    /** Whether this epoch is another one than the log's; an unknown one is learnt. @param {string} epoch */
    isForeign(epoch: string): boolean;
    /**
     * Takes an event that came live, in a replay or from a repair.
     * @param {ChatEvent} event
     * @returns {{delivered: ChatEvent[], gap: boolean, conflict: boolean}} `delivered`: what may be given out now, in order;
     * `gap`: events before this one are missing; `conflict`: another event stands at this seq, so the log is not the one known so far
     */
    accept(event: ChatEvent): {
        delivered: ChatEvent[];
        gap: boolean;
        conflict: boolean;
    };
    /** Gives out the held events that now connect. @returns {ChatEvent[]} */
    drain(): ChatEvent[];
    /** Gives up on the events missing below the held ones. @returns {{from: number, to: number}} what is lost */
    skipGap(): {
        from: number;
        to: number;
    };
    /**
     * Adds a page of history in front.
     * @param {ChatEvent[]} items in any order; those that are not older than `first` are left out
     * @returns {number} how many messages were added
     */
    prepend(items: ChatEvent[]): number;
    /** Drops the oldest messages; history has them. @param {number} keep so many stay @returns {number} how many went */
    trim(keep: number): number;
    /** All up to `seq` is in the database. @param {number} seq @returns {Message[]} the messages that this changes */
    setDurable(seq: number): Message[];
    #private;
}
import type { ChatEvent } from './types.js';
import type { Message } from './types.js';
