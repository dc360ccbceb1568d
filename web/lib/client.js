import { Api } from './api.js';
import { systemClock } from './clock.js';
import { Connection } from './connection.js';
import { Conversation } from './conversation.js';
import { Emitter } from './emitter.js';
import { Outbox } from './outbox.js';
import { ChatError, isId, keyOf } from './protocol.js';
import { Tokens } from './tokens.js';

/** @typedef {import('./protocol.js').Frame} Frame */
/** @typedef {import('./connection.js').Status} Status */
/**
 * @typedef {object} ChatOptions
 * @property {import('./tokens.js').TokenProvider} getToken asked at the start, before the token expires and when it is refused
 * @property {string} [user] who the token is of, where the application knows it; else the first connection tells
 * @property {string} [url] where the gateway is; default: where the page came from
 * @property {AbortSignal} [signal] closes the client
 * @property {import('./connection.js').WebSocketType} [WebSocket] for tests and for runtimes without their own
 * @property {import('./api.js').Fetch} [fetch]
 * @property {import('./clock.js').Clock} [clock]
 */
/** @typedef {{user: string|null, node: string, connection: string, roundTrip: number|null, reconnects: number}} Info */

/** More direct conversations than this go into several `resume` frames, which keeps each under the frame limit. */
const RESUME_AT_ONCE = 100;

/**
 * A chat session that lives through any number of connections: rooms stay joined, events come in order and once, and what is sent is
 * sent until it is acknowledged.
 * @extends {Emitter<{status: Status, info: Info, conversation: Conversation, left: Conversation, overview: import('./api.js').Overview[], fault: ChatError}>}
 */
export class ChatClient extends Emitter {
  /** @type {Map<string, Conversation>} by key, `room:…` or `to:…` */
  conversations = new Map();
  /** The session's identity and where it is connected. @type {Info} */
  info = { user: null, node: '', connection: '', roundTrip: null, reconnects: 0 };
  #connection;
  #api;
  #outbox;
  #clock;
  #lifetime = new AbortController();
  #refs = 0;
  /** Rooms left, true while the server is still to be told. @type {Map<string, boolean>} */
  #left = new Map();
  /** @type {Map<string, Conversation[]>} */
  #resumes = new Map();

  /** @param {ChatOptions} options */
  constructor({ getToken, user, url = globalThis.location?.origin, signal, WebSocket = globalThis.WebSocket, fetch = globalThis.fetch, clock = systemClock }) {
    super();
    this.info.user = user ?? null;
    const base = String(url).replace(/\/+$/, '');
    const tokens = new Tokens(getToken, clock, this.#lifetime.signal);
    this.#clock = clock;
    this.#api = new Api({ base, tokens, fetch });
    this.#connection = new Connection({ url: `${base.replace(/^http/, 'ws')}/ws`, tokens, WebSocket, clock });
    this.#outbox = new Outbox({
      clock,
      send: (frame) => this.#connection.send(frame),
      ready: (key) => this.conversations.get(key)?.ready ?? false,
    });
    this.#connection.on('welcome', (frame) => this.#welcome(frame));
    this.#connection.on('frame', (frame) => this.#receive(frame));
    this.#connection.on('down', () => this.#down());
    this.#connection.on('fault', (fault) => this.emit('fault', fault));
    this.#connection.on('roundTrip', (roundTrip) => this.#inform({ roundTrip }));
    this.#connection.on('status', (status) => this.emit('status', status));
    signal?.addEventListener('abort', () => this.close(), { once: true });
  }

  get user() { return this.info.user; }
  /** @returns {Status} */
  get status() { return this.#connection.status; }
  /** How many events are not acknowledged yet. */
  get unacknowledged() { return this.#outbox.size; }

  /** Connects and stays connected. @param {{signal?: AbortSignal}} [options] @returns {Promise<void>} at the first connection; rejects when there will be none */
  connect({ signal } = {}) {
    return new Promise((resolve, reject) => {
      if (this.#lifetime.signal.aborted) return reject(new ChatError('closed', 'This client was closed.'));
      const done = new AbortController();
      signal?.addEventListener('abort', () => { done.abort(); reject(signal.reason); }, { once: true });
      this.on('status', (status) => {
        if (status.state !== 'connected' && status.state !== 'closed') return;
        done.abort();
        if (status.state === 'connected') resolve();
        else reject(new ChatError('closed', status.reason ?? 'closed'));
      }, done);
      if (this.status.state === 'connected') { done.abort(); resolve(); }
      this.#connection.open();
    });
  }

  /** Ends the session for good; what is not acknowledged is rejected with `closed`. */
  close() {
    if (this.#lifetime.signal.aborted) return;
    this.#connection.close();
    for (const conversation of this.conversations.values()) conversation.dispose();
    this.#lifetime.abort(new ChatError('closed', 'This client was closed.'));
  }

  /** Joins a room, and joins it again on every connection until it is left. @param {string} room @param {{signal?: AbortSignal}} [options] */
  async join(room, { signal } = {}) {
    const conversation = this.#conversation({ room });
    this.#left.delete(room);
    try {
      await conversation.join(signal);
    } catch (error) {
      if (!conversation.wanted) this.#remove(conversation);
      throw error;
    }
    return conversation;
  }

  /** Ends the membership in a room, on all of the user's devices. @param {string} room */
  leave(room) {
    const conversation = this.conversations.get(keyOf({ room }));
    if (!conversation) return;
    this.#left.set(room, !this.#connection.send({ type: 'leave', room }));
    this.#remove(conversation);
  }

  /** The direct conversation with a user. @param {string} user @returns {Conversation} */
  direct(user) {
    return this.#conversation({ to: user });
  }

  /** Whether the user is seen online in one of the joined rooms. @param {string} user */
  isOnline(user) {
    for (const { members } of this.conversations.values()) if (members.has(user)) return true;
    return false;
  }

  /** Who of these is online, asked from the server. @param {string[]} users @param {AbortSignal} [signal] */
  presence(users, signal) {
    return this.#api.presence(users, signal);
  }

  /** The network may be back: does not wait for the next try. */
  wake() { this.#connection.wake(); }

  /** Loses the connection on purpose, to see it come back. */
  drop() { this.#connection.drop(); }

  /** @param {import('./protocol.js').Where} where */
  #conversation(where) {
    if (!isId(where.room ?? where.to)) throw new ChatError('bad_request', 'Use 1 to 64 of the characters A-Z a-z 0-9 _ . -');
    const key = keyOf(where);
    const known = this.conversations.get(key);
    if (known) return known;
    const conversation = new Conversation({
      clock: this.#clock, api: this.#api, outbox: this.#outbox,
      me: () => this.user,
      connected: () => this.#connection.connected,
      send: (frame) => this.#connection.send(frame),
      ref: () => `r-${++this.#refs}`,
      nonce: newNonce,
    }, where);
    this.conversations.set(key, conversation);
    conversation.on('fault', (fault) => this.emit('fault', fault));
    this.emit('conversation', conversation);
    return conversation;
  }

  /** @param {Conversation} conversation */
  #remove(conversation) {
    if (!this.conversations.delete(conversation.key)) return;
    conversation.dispose();
    this.emit('left', conversation);
  }

  /** @param {Frame} welcome */
  #welcome(welcome) {
    if (this.user !== null && this.user !== welcome.user) {
      // The token provider changed its mind about who this is: going on would mix two users' conversations.
      this.emit('fault', new ChatError('forbidden', `The token is of ${welcome.user}, the session of ${this.user}.`));
      queueMicrotask(() => this.close());
      return;
    }
    this.#inform({ user: welcome.user, node: welcome.node, connection: welcome.connection, reconnects: this.#connection.reconnects });
    for (const [room, untold] of this.#left) if (untold) this.#left.set(room, !this.#connection.send({ type: 'leave', room }));
    this.#resumes.clear();
    const resumed = [];
    for (const conversation of this.conversations.values()) {
      const entry = conversation.connected();
      if (entry) resumed.push({ conversation, entry });
    }
    for (let i = 0; i < resumed.length; i += RESUME_AT_ONCE) {
      const part = resumed.slice(i, i + RESUME_AT_ONCE);
      const ref = `r-${++this.#refs}`;
      this.#resumes.set(ref, part.map((p) => p.conversation));
      this.#connection.send({ type: 'resume', conversations: part.map((p) => p.entry), ref });
    }
    this.#outbox.pump();
    this.#overview();
  }

  // A first direct message that came while this client was away is in no cursor of its, so it asks for its conversations each time.
  async #overview() {
    try {
      const { items } = await this.#api.conversations(this.#lifetime.signal);
      for (const item of items) {
        const conversation = item.to !== undefined ? this.#conversation({ to: item.to }) : this.conversations.get(keyOf(item));
        conversation?.applyOverview(item);
      }
      // The list may have been made before the server heard of a leave.
      this.emit('overview', items.filter(({ room }) => room === undefined || !this.#left.has(room)));
    } catch (error) {
      if (!this.#lifetime.signal.aborted && error instanceof ChatError && error.status !== 404) this.emit('fault', error);
    }
  }

  #down() {
    this.#outbox.disconnected();
    for (const conversation of this.conversations.values()) conversation.disconnected();
  }

  /** @param {Frame} frame */
  #receive(frame) {
    if (frame.type === 'error') return this.#refused(frame);
    if (frame.room !== undefined) {
      const conversation = this.conversations.get(keyOf({ room: frame.room }));
      // Left on another device, or by an answer that crossed this client's own leave.
      if (frame.type === 'left') { if (conversation) this.#remove(conversation); }
      else conversation?.receive(frame);
      return;
    }
    if (frame.to === undefined) return;
    const isEvent = frame.id !== undefined && frame.type !== 'ack';
    // Events name their addressee, everything else the other user.
    const other = isEvent && frame.from !== this.user ? frame.from : frame.to;
    this.#conversation({ to: other }).receive(frame);
  }

  /** @param {Frame} error */
  #refused(error) {
    if (error.nonce !== undefined) {
      const refused = this.#outbox.refused(error);
      const conversation = refused && this.conversations.get(refused.key);
      if (conversation && error.code === 'not_joined' && !conversation.joinAgain()) {
        this.#outbox.fail(new ChatError(error.code, error.message), conversation.key);
      }
      if (refused) return;
    }
    if (error.ref !== undefined) {
      for (const conversation of this.conversations.values()) if (conversation.joinRefused(error)) return;
      const resumed = this.#resumes.get(error.ref);
      if (resumed) return resumed.forEach((conversation) => conversation.resumeRefused());
    }
    this.emit('fault', new ChatError(error.code, error.message, { retryAfter: error.retryAfter }));
  }

  /** @param {Partial<Info>} info */
  #inform(info) {
    this.info = { ...this.info, ...info };
    this.emit('info', this.info);
  }
}

/** 128 random bits. crypto.randomUUID exists on secure origins only, and a laptop's address in the local network is none. */
function newNonce() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
