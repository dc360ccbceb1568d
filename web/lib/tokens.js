/**
 * Asks the application for a token. `fresh`: the last one is refused or about to expire. An error with `fatal: true` ends the session.
 * @typedef {(request: {fresh: boolean, signal: AbortSignal}) => Promise<string|{token: string, expires?: string}>} TokenProvider
 */

/** Keeps the current token for the socket and the HTTP calls; concurrent askers share one call of the provider. */
export class Tokens {
  #provider;
  #clock;
  #signal;
  /** @type {string|null} */
  #token = null;
  #fetchedAt = 0;
  /** @type {Promise<string>|null} */
  #pending = null;

  /** @param {TokenProvider} provider @param {import('./clock.js').Clock} clock @param {AbortSignal} signal */
  constructor(provider, clock, signal) {
    this.#provider = provider;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Milliseconds since the token was fetched; infinite without one. */
  get age() {
    return this.#token === null ? Infinity : this.#clock.now() - this.#fetchedAt;
  }

  /** @param {{fresh?: boolean}} [options] @returns {Promise<string>} */
  get({ fresh = false } = {}) {
    if (!fresh && this.#token !== null) return Promise.resolve(this.#token);
    this.#pending ??= this.#fetch(fresh).finally(() => { this.#pending = null; });
    return this.#pending;
  }

  /** @param {boolean} fresh */
  async #fetch(fresh) {
    const answer = await this.#provider({ fresh, signal: this.#signal });
    this.#token = typeof answer === 'string' ? answer : answer.token;
    this.#fetchedAt = this.#clock.now();
    return this.#token;
  }
}
