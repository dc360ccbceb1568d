import { ChatError } from './protocol.js';
import { within } from './util.js';

/** @import {Clock, Cancel, ConversationPage, MemberPage, Overview, PageQuery, Profile, TokenProvider, UserPresence, Where} from './types.js' */

/** A page of history. @typedef {{items: import('./types.js').ChatEvent[], profiles?: Record<string, Profile>, epoch: string, head: number, next: string|null}} Page */

/** A request or a token that takes longer has failed, so that nothing waits for an answer that the network has lost. */
const ANSWER_WITHIN_MS = 15_000;
/** A page has 200 conversations. A user may be a member of 1,000 rooms. */
const CONVERSATION_PAGES = 50;

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

  /** @param {PageQuery} [options] @returns {Promise<ConversationPage>} */
  conversations({ signal, ...query } = {}) { return this.call('/api/conversations', { query, signal }); }

  /** All of the user's conversations, or the 10,000 with the last messages. @param {AbortSignal} signal @returns {Promise<Overview[]>} */
  async allConversations(signal) {
    const items = [];
    let after;
    for (let pages = 0; pages < CONVERSATION_PAGES; pages++) {
      const page = await this.conversations({ after, signal });
      items.push(...page.items);
      if (!page.next) break;
      after = page.next;
    }
    return items;
  }

  /** @param {string} room @param {PageQuery} [options] @returns {Promise<MemberPage>} */
  members(room, { signal, ...query } = {}) { return this.call(`/api/rooms/${encodeURIComponent(room)}/members`, { query, signal }); }

  /** @param {string[]} users at most 500 @param {Cancel} [options] @returns {Promise<{items: UserPresence[]}>} */
  presence(users, options) { return this.call('/api/presence', { body: { users }, ...options }); }

  /**
   * @param {string} path
   * @param {{method?: string, query?: object, body?: object, signal?: AbortSignal, within?: number}} [options] `within`: milliseconds
   * @returns {Promise<any>} undefined where the answer has no body
   */
  async call(path, { body, method = body ? 'POST' : 'GET', query = {}, signal, within: ms = ANSWER_WITHIN_MS } = {}) {
    const pairs = Object.entries(query).filter(([, value]) => value !== undefined).map(([name, value]) => [name, String(value)]);
    const url = `${this.#base}${path}?${new URLSearchParams(pairs)}`;
    try {
      return await within(this.#clock, ms, signal, (own) => this.#ask(url, method, body, own));
    } catch (error) {
      if (error instanceof ChatError || signal?.aborted) throw error;
      // No answer, or one that was cut off or is no JSON.
      throw new ChatError('http', 'The server did not answer.', { status: 0 });
    }
  }

  /** @param {string} url @param {string} method @param {object|undefined} body @param {AbortSignal} signal */
  async #ask(url, method, body, signal) {
    let response = await this.#once(url, method, body, false, signal);
    if (response.status === 401) response = await this.#once(url, method, body, true, signal);
    if (response.status === 204) return undefined;
    if (response.ok) {
      const answer = await response.json();
      this.#learn(answer.profiles);
      return answer;
    }
    const retryAfter = Number(response.headers.get('Retry-After') ?? NaN) * 1000;
    const problem = await response.json().catch(() => ({}));
    throw new ChatError('http', problem.detail ?? problem.title ?? `HTTP ${response.status}`, {
      status: response.status, retryAfter: Number.isNaN(retryAfter) ? undefined : retryAfter,
    });
  }

  /** @param {string} url @param {string} method @param {object|undefined} body @param {boolean} fresh @param {AbortSignal} signal */
  async #once(url, method, body, fresh, signal) {
    const headers = { Authorization: `Bearer ${await this.#tokens.get(fresh)}`, ...(body && { 'Content-Type': 'application/json' }) };
    const fetch = this.#fetch;
    return fetch(url, { method, headers, body: body && JSON.stringify(body), signal });
  }
}
