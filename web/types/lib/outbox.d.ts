/**
 * Events on their way into the log. Each stays until it is acknowledged or refused for good, over any number of connections and reloads
 * and always with its first nonce. One event per conversation is under way at a time. With two, the first could be refused
 * (`unavailable`) and the second accepted, which would swap them.
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
     * Takes over what an earlier page left. Nothing is sent before. Events that were added meanwhile are stored now.
     * @param {string} owner @param {(stored: Stored) => {key: string, settle: Pick<Entry, 'resolve'|'reject'>}} adopt
     */
    restore(owner: string, adopt: (stored: Stored) => {
        key: string;
        settle: Pick<Entry, "resolve" | "reject">;
    }): Promise<void>;
    /**
     * @param {string} key @param {Frame} frame with its nonce
     * @param {AbortSignal} [signal] takes back an event that was not sent yet @returns {Promise<Receipt>}
     */
    add(key: string, frame: Frame, signal?: AbortSignal): Promise<Receipt>;
    /** Sends what can be sent. @param {string} [key] one conversation; else all */
    pump(key?: string): void;
    /** @param {string} nonce @param {Receipt} receipt */
    accepted(nonce: string, receipt: Receipt): void;
    /** @param {Frame} error with a nonce @returns {string|undefined} the conversation's key, if an event waits for this nonce */
    refused(error: Frame): string | undefined;
    /** The connection is gone. Events under way are sent again on the next one. */
    disconnected(): void;
    /**
     * Gives up on a conversation's events.
     * @param {ChatError} error @param {string} key @param {boolean} [forget] false when a later page shall send them
     */
    fail(error: ChatError, key: string, forget?: boolean): void;
    #private;
}
export type Entry = {
    nonce: string;
    key: string;
    frame: Frame;
    created: number;
    since: number;
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
