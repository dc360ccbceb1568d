/**
 * Keeps one conversation's timeline whole. It catches up after a reconnect, closes gaps with history, pages back, and starts again when
 * the log's epoch changes.
 */
export class Sync {
    /**
     * @param {{where: Where, clock: Clock, api: import('./api.js').Api, me: () => string|null, connected: () => boolean,
     *   signal: AbortSignal, on: {delivered: (events: ChatEvent[]) => void, prepended: (count: number) => void, reset: () => void,
     *   lost: (range: {from: number, to: number}) => void, fault: (error: ChatError) => void}}} options
     */
    constructor({ where, clock, api, me, connected, signal, on }: {
        where: Where;
        clock: Clock;
        api: import("./api.js").Api;
        me: () => string | null;
        connected: () => boolean;
        signal: AbortSignal;
        on: {
            delivered: (events: ChatEvent[]) => void;
            prepended: (count: number) => void;
            reset: () => void;
            lost: (range: {
                from: number;
                to: number;
            }) => void;
            fault: (error: ChatError) => void;
        };
    });
    /** A replay is on its way. */
    catchingUp: boolean;
    timeline: Timeline;
    /** An event from the socket or from history. @param {ChatEvent} event */
    take(event: ChatEvent): void;
    /** The answer to a join. @param {number} head @param {string} epoch @param {boolean} withReplay */
    joined(head: number, epoch: string, withReplay: boolean): void;
    /** A replay was asked for. */
    catchUp(): void;
    /** @param {Frame} frame */
    resumed(frame: Frame): void;
    /** No replay is to be had: looks for missed events in history. */
    lookForMissed(): void;
    /** The log has an event at `seq`, which should come soon. @param {number} seq @param {string} [epoch] */
    expect(seq: number, epoch?: string): void;
    /** Nothing more comes on this connection. */
    disconnected(): void;
    /** Drops all and loads the newest page. @param {string|null} epoch @param {number|null} head null when history shall tell it */
    reload(epoch: string | null, head: number | null): void;
    /** Loads older messages. Concurrent calls share one. @returns {Promise<number>} how many; 0 at the start of the log */
    older(limit?: number): Promise<number>;
    #private;
}
import { Timeline } from './timeline.js';
import type { ChatEvent } from './types.js';
import type { Frame } from './types.js';
import type { Where } from './types.js';
import type { Clock } from './types.js';
import { ChatError } from './protocol.js';
