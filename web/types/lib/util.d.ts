/** @param {Clock} clock @param {number} ms @param {AbortSignal} signal @returns {Promise<void>} rejects when aborted */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void>;
/** Lets a signal end the wait. @template T @param {Promise<T>} promise @param {AbortSignal} [signal] @returns {Promise<T>} */
export function abortable<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T>;
/**
 * Runs a request with a signal that ends it when the caller's does, or after `ms` without an answer.
 * @template T @param {Clock} clock @param {number} ms @param {AbortSignal|undefined} signal
 * @param {(signal: AbortSignal) => Promise<T>} run
 */
export function within<T>(clock: Clock, ms: number, signal: AbortSignal | undefined, run: (signal: AbortSignal) => Promise<T>): Promise<T>;
/** Some browsers in use lack Promise.withResolvers. */
export function withResolvers(): {
    promise: Promise<void>;
    resolve: () => void;
    reject: (error: Error) => void;
};
/** @import {Clock} from './types.js' */
/** @type {Clock} */
export const systemClock: Clock;
export function backoff(clock: Clock, attempt: number, base?: number, cap?: number): number;
export function newNonce(): string;
/** Named events. @template {Record<string, any>} Events the type of each event's value */
export class Emitter<Events extends Record<string, any>> {
    /**
     * @template {keyof Events} Name
     * @param {Name} name @param {(value: Events[Name]) => void} listener @param {{signal?: AbortSignal}} [options]
     * @returns {() => void} removes the listener
     */
    on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void, { signal }?: {
        signal?: AbortSignal;
    }): () => void;
    /** @template {keyof Events} Name @param {Name} name @param {Events[Name]} value */
    emit<Name extends keyof Events>(name: Name, value: Events[Name]): void;
    #private;
}
import type { Clock } from './types.js';
