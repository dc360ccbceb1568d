import { ChatError } from './protocol.js';
import { within } from './util.js';

/** @import {Clock, Cancel, Member, Overview, Page, Profile, SearchPage, TokenProvider, UserPresence, Where} from './types.js' */

/** A request or a token that takes longer has failed, so that nothing waits for an answer that the network has lost. */
const ANSWER_WITHIN_MS = 15_000;

/** The current token for the socket and HTTP. Concurrent callers share one call of the provider. */
export class Tokens {
  #provider;
  #clock;
  #signal;
  #token = '';
  /** @type {Promise<string>|null} */
  #pending = null;

  /** @param {TokenProvider} provider @param {Clock} clock @param {AbortSignal} signal */
  constructor(provider, clock, signal) {
    this.#provider = provider;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** @returns {Promise<string>} rejects with a `ChatError` `token`, which is `fatal` when asking again is of no use */
  async get(fresh = false) {
    if (!fresh && this.#token) return this.#token;
    this.#pending ??= this.#fetch(fresh).finally(() => { this.#pending = null; });
    return this.#pending;
  }

  /** @param {boolean} fresh */
  async #fetch(fresh) {
    let answer;
    try {
      answer = await within(this.#clock, ANSWER_WITHIN_MS, this.#signal, async (signal) => this.#provider({ fresh, signal }));
    } catch (error) {
      const { message = String(error), fatal } = /** @type {any} */ (error ?? {});
      throw new ChatError('token', message, { fatal: fatal === true });
    }
    const token = /** @type {any} */ (answer)?.token ?? answer;
    // What a subprotocol and a header can't carry would throw there.
    if (typeof token !== 'string' || !/^[\w.-]+$/.test(token)) {
      throw new ChatError('token', 'getToken gave something that is no JSON Web Token.', { fatal: true });
    }
    return this.#token = token;
  }
}

/** The HTTP part of the protocol. It throws `ChatError`s with code `http`, and `status` 0 when there is no answer. */
export class Api {
  #base;
  #tokens;
  #fetch;
  #clock;
  #learn;

  /** @param {string} base @param {Tokens} tokens @param {typeof fetch} fetch @param {Clock} clock @param {(profiles: Record<string, Profile>|undefined) => void} learn */
  constructor(base, tokens, fetch, clock, learn = () => {}) {
    this.#learn = learn;
    this.#base = base;
    this.#tokens = tokens;
    this.#fetch = fetch;
    this.#clock = clock;
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

  /**
   * Messages that have all words of `q`, of those that the user may read, newest first.
   * @param {{q: string, room?: string, to?: string, from?: string, before?: string, limit?: number, signal?: AbortSignal}} options
   * @returns {Promise<SearchPage>}
   */
  search({ signal, ...query }) { return this.call('/api/search', { query, signal }); }

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
    try {
      return await within(this.#clock, ANSWER_WITHIN_MS, signal, (own) => this.#ask(url, body, own));
    } catch (error) {
      if (error instanceof ChatError || signal?.aborted) throw error;
      // No answer, or one that was cut off or is no JSON.
      throw new ChatError('http', 'The server did not answer.', { status: 0 });
    }
  }

  /** @param {string} url @param {object|undefined} body @param {AbortSignal} signal */
  async #ask(url, body, signal) {
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

  /** @param {string} url @param {object|undefined} body @param {boolean} fresh @param {AbortSignal} signal */
  async #once(url, body, fresh, signal) {
    const headers = { Authorization: `Bearer ${await this.#tokens.get(fresh)}`, ...(body && { 'Content-Type': 'application/json' }) };
    const fetch = this.#fetch;
    return fetch(url, { method: body ? 'POST' : 'GET', headers, body: body && JSON.stringify(body), signal });
  }
}
