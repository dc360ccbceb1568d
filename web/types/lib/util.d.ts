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
import type { Clock } from './types.js';
