/**
 * Time and chance as dependencies, so that tests can drive both.
 * @typedef {{now: () => number, set: (run: () => void, ms: number) => any, clear: (timer: any) => void, random: () => number}} Clock
 */

/** @type {Clock} */
export const systemClock = {
  now: () => Date.now(),
  set: (run, ms) => setTimeout(run, ms),
  clear: (timer) => clearTimeout(timer),
  random: Math.random,
};

/** @param {Clock} clock @param {number} ms @param {AbortSignal} [signal] @returns {Promise<void>} rejects when aborted */
export function sleep(clock, ms, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = () => { clock.clear(timer); reject(signal?.reason); };
    const timer = clock.set(() => { signal?.removeEventListener('abort', abort); resolve(); }, ms);
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/**
 * The wait before try number `attempt` (from 0): doubling from `base` to `cap`, of which a random half is left out, so that the
 * clients of a node that died do not all come back in the same moment.
 * @param {Clock} clock @param {number} attempt @param {number} [base] @param {number} [cap] milliseconds
 */
export function backoff(clock, attempt, base = 500, cap = 20_000) {
  const most = Math.min(cap, base * 2 ** Math.min(attempt, 16));
  return most * (0.5 + clock.random() / 2);
}

/** Promise.withResolvers is younger than some browsers in use. @returns {PromiseWithResolvers<void>} */
export function withResolvers() {
  /** @type {any} */
  const result = {};
  result.promise = new Promise((resolve, reject) => Object.assign(result, { resolve, reject }));
  return result;
}
