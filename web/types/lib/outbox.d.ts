/**
 * Events on their way into the log. Each stays, also over a reload, until it is acknowledged or refused for good, over any number of
 * connections, always with its first nonce. One event per conversation is under way at a time: were several, a refusal (`unavailable`)
 * of the first and an acceptance of the second would swap them.
 */
export class Outbox {
    /**
     * @param {{clock: Clock, store: OutboxStore|null, send: (frame: Frame) => boolean, ready: (key: string) => boolean,
     *   fault: (error: ChatError) => void}} options `ready`: whether events of this conversation can be sent now
     */
    constructor({ clock, store, send, ready, fault }: {
        clock: Clock;
        store: OutboxStore | null;
        send: (frame: Frame) => boolean;
        ready: (key: string) => boolean;
        fault: (error: ChatError) => void;
    });
    /** How many events are not acknowledged yet. */
    size: number;
    /**
     * Takes up what an earlier life of the page left behind; nothing is sent before. What was added meanwhile is kept from now on.
     * @param {string} owner @param {(stored: Stored) => {key: string, settle: Pick<Entry, 'resolve'|'reject'>}} adopt
     */
    restore(owner: string, adopt: (stored: Stored) => {
        key: string;
        settle: Pick<Entry, "resolve" | "reject">;
    }): Promise<void>;
    /**
     * @param {string} key @param {Frame} frame with its nonce
     * @param {AbortSignal} [signal] takes the event back while it has not been sent @returns {Promise<Receipt>}
     */
    add(key: string, frame: Frame, signal?: AbortSignal): Promise<Receipt>;
    /** Sends what can be sent. @param {string} [key] one conversation; else all */
    pump(key?: string): void;
    /** @param {string} nonce @param {Receipt} receipt */
    accepted(nonce: string, receipt: Receipt): void;
    /** @param {Frame} error with a nonce @returns {string|undefined} the conversation's key, if an event waits for this nonce */
    refused(error: Frame): string | undefined;
    /** The connection is gone: what was under way goes again on the next one. */
    disconnected(): void;
    /**
     * Gives up on a conversation's events.
     * @param {ChatError} error @param {string} key @param {boolean} [forget] false: a later life of the page sends them
     */
    fail(error: ChatError, key: string, forget?: boolean): void;
    #private;
}
export type Entry = {
    nonce: string;
    key: string;
    frame: Frame;
    created: number;
    sent: boolean;
    attempts: number;
    timer: any;
    resolve: (receipt: Receipt) => void;
    reject: (error: ChatError) => void;
};
import type { Stored } from './types.js';
import type { Frame } from './types.js';
import type { Receipt } from './types.js';
import { ChatError } from './protocol.js';
import type { Clock } from './types.js';
import type { OutboxStore } from './types.js';
