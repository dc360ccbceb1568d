export function isMessage({ type }: ChatEvent): boolean;
/**
 * The loaded part of one conversation's log, `first` to `last` without a hole. It takes events in any order and any number of times, and
 * gives each out once, in the order of `seq`. It does no I/O.
 */
export class Timeline {
    /** @param {() => string|null} me the user's own id */
    constructor(me: () => string | null);
    /** @type {string|null} null until the server tells it */
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
    /** Where to ask for events. In doubt it is before the loaded ones, to compare them. */
    get place(): {
        epoch?: string | undefined;
        since: number | null;
    };
    /** Whether held events wait for missing ones. */
    get hasGap(): boolean;
    /** @param {number} seq */
    message(seq: number): Message | undefined;
    /** Forgets all; live events go on behind `head`. @param {string|null} epoch @param {number|null} head */
    reset(epoch: string | null, head: number | null): void;
    disconnected(): void;
    /** Whether this is not the log's epoch, which is learnt if unknown. @param {string} epoch */
    isForeign(epoch: string): boolean;
    /**
     * Takes an event that came live, in a replay or from a repair.
     * @param {ChatEvent} event
     * @returns {{delivered: ChatEvent[], gap: boolean, conflict: boolean}} `delivered`: events to give out now, in order;
     * `gap`: earlier events are missing; `conflict`: another event has this seq, so the log was replaced
     */
    accept(event: ChatEvent): {
        delivered: ChatEvent[];
        gap: boolean;
        conflict: boolean;
    };
    /** Gives out the held events that now connect. @returns {ChatEvent[]} */
    drain(): ChatEvent[];
    /** Gives up the missing events below the held ones. @returns {{from: number, to: number}} what is lost */
    skipGap(): {
        from: number;
        to: number;
    };
    /**
     * Adds a page of history in front.
     * @param {ChatEvent[]} items in any order; only those older than `first` are taken
     * @param {number} head the newest event when the page was made @returns {number} how many messages were added
     */
    prepend(items: ChatEvent[], head: number): number;
    /** Drops the oldest messages. @param {number} keep how many stay @returns {number} how many went */
    trim(keep: number): number;
    /** All up to `seq` is in the database. @param {number} seq @returns {Message[]} the changed messages */
    setDurable(seq: number): Message[];
    #private;
}
import type { ChatEvent } from './types.js';
import type { Message } from './types.js';
