import { ChatError } from './protocol.js';

/** @typedef {import('./protocol.js').ChatEvent} ChatEvent */
/** @typedef {import('./protocol.js').Where} Where */
/** @typedef {{items: ChatEvent[], epoch: string, head: number, next: string|null}} Page */
/** @typedef {typeof globalThis.fetch} Fetch */
/** @typedef {{room?: string, to?: string, head: number, read: number, unread: number, last: ChatEvent|null}} Overview */

/** The HTTP half of the protocol. Failures are `ChatError`s with the code `http` and a `status`, 0 when there was no answer. */
export class Api {
  #base;
  #tokens;
  #fetch;

  /** @param {{base: string, tokens: import('./tokens.js').Tokens, fetch: Fetch}} options */
  constructor({ base, tokens, fetch }) {
    this.#base = base;
    this.#tokens = tokens;
    this.#fetch = fetch;
  }

  /**
   * A page of history: newest first with `before` or neither, oldest first with `after`.
   * @param {Where} where @param {{before?: number|string, after?: number|string, limit?: number, signal?: AbortSignal}} [options] @returns {Promise<Page>}
   */
  messages(where, { before, after, limit, signal } = {}) {
    const path = where.room !== undefined ? `rooms/${encodeURIComponent(where.room)}` : `dms/${encodeURIComponent(where.to ?? '')}`;
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries({ before, after, limit })) if (value !== undefined) query.set(name, String(value));
    return this.get(`/api/${path}/messages?${query}`, signal);
  }

  /** @param {AbortSignal} [signal] @returns {Promise<{items: Overview[]}>} */
  conversations(signal) {
    return this.get('/api/conversations', signal);
  }

  /** @param {string[]} users at most 500 @param {AbortSignal} [signal] @returns {Promise<{items: {user: string, online: boolean, lastSeen: string|null}[]}>} */
  presence(users, signal) {
    return this.#call('POST', '/api/presence', { users }, signal);
  }

  /** @param {string} path @param {AbortSignal} [signal] @returns {Promise<any>} */
  get(path, signal) {
    return this.#call('GET', path, undefined, signal);
  }

  /** @param {string} method @param {string} path @param {unknown} body @param {AbortSignal} [signal] @returns {Promise<any>} */
  async #call(method, path, body, signal) {
    let response = await this.#once(method, path, body, false, signal);
    if (response.status === 401) response = await this.#once(method, path, body, true, signal);
    if (response.ok) return response.json();
    const seconds = Number(response.headers.get('Retry-After') ?? NaN);
    const problem = await response.json().catch(() => ({}));
    throw new ChatError('http', problem.title ?? `HTTP ${response.status}`, {
      status: response.status, retryAfter: Number.isNaN(seconds) ? undefined : seconds * 1000,
    });
  }

  /** @param {string} method @param {string} path @param {unknown} body @param {boolean} fresh @param {AbortSignal} [signal] */
  async #once(method, path, body, fresh, signal) {
    const token = await this.#tokens.get({ fresh });
    /** @type {Record<string, string>} */
    const headers = { Authorization: `Bearer ${token}` };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    try {
      const fetch = this.#fetch;
      return await fetch(this.#base + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ChatError('http', 'The server did not answer.', { status: 0 });
    }
  }
}
