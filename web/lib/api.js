import { ChatError } from './protocol.js';

/** @import {Clock, Cancel, Member, Overview, Page, Profile, TokenProvider, UserPresence, Where} from './types.js' */

/** The current token for the socket and HTTP. Concurrent callers share one call of the provider. */
export class Tokens {
  #provider;
  #clock;
  #signal;
  #token = '';
  #fetchedAt = -Infinity;
  /** @type {Promise<string>|null} */
  #pending = null;

  /** @param {TokenProvider} provider @param {Clock} clock @param {AbortSignal} signal */
  constructor(provider, clock, signal) {
    this.#provider = provider;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Milliseconds since the token was fetched. */
  get age() { return this.#clock.now() - this.#fetchedAt; }

  async get(fresh = false) {
    if (!fresh && this.#token) return this.#token;
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

/** The HTTP part of the protocol. It throws `ChatError`s with code `http`, and `status` 0 when there is no answer. */
export class Api {
  #base;
  #tokens;
  #fetch;
  #learn;

  /** @param {string} base @param {Tokens} tokens @param {typeof fetch} fetch @param {(profiles: Record<string, Profile>|undefined) => void} learn */
  constructor(base, tokens, fetch, learn = () => {}) {
    this.#learn = learn;
    this.#base = base;
    this.#tokens = tokens;
    this.#fetch = fetch;
  }

  /**
   * A page of history, oldest first with `after`, else newest first.
   * @param {Where} where @param {{before?: number|string, after?: number|string, limit?: number, signal?: AbortSignal}} [options]
   * @returns {Promise<Page>}
   */
  messages(where, { signal, ...query } = {}) {
    const path = where.room !== undefined ? `rooms/${encodeURIComponent(where.room)}` : `dms/${encodeURIComponent(where.to ?? '')}`;
    return this.call(`/api/${path}/messages`, { query, signal });
  }

  /** @param {Cancel} [options] @returns {Promise<{items: Overview[]}>} */
  conversations(options) { return this.call('/api/conversations', options); }

  /** The first 200 members. @param {string} room @param {Cancel} [options] @returns {Promise<{items: Member[]}>} */
  members(room, options) { return this.call(`/api/rooms/${encodeURIComponent(room)}/members`, { query: { limit: 200 }, ...options }); }

  /** Known users by the start of id or name. @param {string} query @param {Cancel} [options] @returns {Promise<{items: ({user: string} & Profile)[]}>} */
  users(query, options) { return this.call('/api/users', { query: { query }, ...options }); }

  /** @param {string[]} users at most 500 @param {Cancel} [options] @returns {Promise<{items: UserPresence[]}>} */
  presence(users, options) { return this.call('/api/presence', { body: { users }, ...options }); }

  /** @param {string} path @param {{query?: object, body?: object, signal?: AbortSignal}} [options] @returns {Promise<any>} */
  async call(path, { query = {}, body, signal } = {}) {
    const pairs = Object.entries(query).filter(([, value]) => value !== undefined).map(([name, value]) => [name, String(value)]);
    const url = `${this.#base}${path}?${new URLSearchParams(pairs)}`;
    let response = await this.#once(url, body, false, signal);
    if (response.status === 401) response = await this.#once(url, body, true, signal);
    if (response.ok) {
      const answer = await response.json();
      this.#learn(answer.profiles);
      return answer;
    }
    const retryAfter = Number(response.headers.get('Retry-After') ?? NaN) * 1000;
    const problem = await response.json().catch(() => ({}));
    throw new ChatError('http', problem.title ?? `HTTP ${response.status}`, {
      status: response.status, retryAfter: Number.isNaN(retryAfter) ? undefined : retryAfter,
    });
  }

  /** @param {string} url @param {object|undefined} body @param {boolean} fresh @param {AbortSignal} [signal] */
  async #once(url, body, fresh, signal) {
    const headers = { Authorization: `Bearer ${await this.#tokens.get(fresh)}`, ...(body && { 'Content-Type': 'application/json' }) };
    try {
      const fetch = this.#fetch;
      return await fetch(url, { method: body ? 'POST' : 'GET', headers, body: body && JSON.stringify(body), signal });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ChatError('http', 'The server did not answer.', { status: 0 });
    }
  }
}
