/** @import {Clock} from './types.js' */

/** @type {Clock} */
export const systemClock = {
  now: () => performance.now(),
  date: () => Date.now(),
  set: (run, ms) => setTimeout(run, ms),
  clear: (timer) => clearTimeout(timer),
  random: Math.random,
};

/** @param {Clock} clock @param {number} ms @param {AbortSignal} signal @returns {Promise<void>} rejects when aborted */
export function sleep(clock, ms, signal) {
  const { promise, resolve } = withResolvers();
  const timer = clock.set(resolve, ms);
  return abortable(promise, signal).finally(() => clock.clear(timer));
}

/**
 * The wait before try `attempt` (from 0). It doubles from `base` to `cap` ms, and half of it is random, so that the clients of a dead
 * node do not all come back at once.
 * @param {Clock} clock @param {number} attempt
 */
export const backoff = (clock, attempt, base = 500, cap = 20_000) =>
  Math.min(cap, base * 2 ** Math.min(attempt, 16)) * (0.5 + clock.random() / 2);

/** Lets a signal end the wait. @template T @param {Promise<T>} promise @param {AbortSignal} [signal] @returns {Promise<T>} */
export function abortable(promise, signal) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/**
 * Runs a request with a signal that ends it when the caller's does, or after `ms` without an answer.
 * @template T @param {Clock} clock @param {number} ms @param {AbortSignal|undefined} signal
 * @param {(signal: AbortSignal) => Promise<T>} run
 */
export async function within(clock, ms, signal, run) {
  const own = new AbortController();
  const abort = () => own.abort(signal?.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort, { once: true });
  const timer = clock.set(() => own.abort(new Error(`No answer within ${ms / 1000} s.`)), ms);
  try {
    // A request that does not heed its signal is no longer waited for.
    return await abortable(run(own.signal), own.signal);
  } finally {
    clock.clear(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/** Some browsers in use lack Promise.withResolvers. */
export function withResolvers() {
  /** @type {{promise: Promise<void>, resolve: () => void, reject: (error: Error) => void}} */
  const result = Object.create(null);
  result.promise = new Promise((resolve, reject) => Object.assign(result, { resolve, reject }));
  return result;
}

/** 128 random bits. crypto.randomUUID exists only on secure origins, and an address in the local network is not one. */
export const newNonce = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
