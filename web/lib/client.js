import { Api, Tokens } from './api.js';
import { Connection } from './connection.js';
import { Conversation } from './conversation.js';
import { Outbox } from './outbox.js';
import { Presence } from './presence.js';
import { Profiles } from './profiles.js';
import { ChatError, isRoomId, isSender, keyOf } from './protocol.js';
import { IndexedDbStore } from './store.js';
import { abortable, backoff, Emitter, systemClock } from './util.js';

/** @import {Cancel, ChatOptions, Frame, Info, Overview, Profile, Status, Where} from './types.js' */

/** Most direct conversations in one `resume` frame, which keeps it under the frame limit. */
const RESUME_AT_ONCE = 100;
/** A `leave` without an answer for this long is sent again. */
const LEFT_WITHIN_MS = 15_000;

/**
 * A chat session that outlives its connections: rooms stay joined, events come in order and once, and a send is repeated until it is
 * acknowledged, even by the next page. `conversation`: a new one; `left`: one that ended; `profile`: a user is shown in another way; `overview`: the server's list of the user's
 * conversations, after each connection; `fault`: an error that the client works around.
 * @extends {Emitter<{status: Status, info: Info, conversation: Conversation, left: Conversation, profile: string, overview: Overview[], fault: ChatError}>}
 */
export class ChatClient extends Emitter {
  /** By key, `room:…` or `to:…`. @type {Map<string, Conversation>} */
  conversations = new Map();
  /** The session's user and connection. @type {Info} */
  info = { user: null, node: '', connection: '', roundTrip: null, reconnects: 0 };
  /** Who is online. @type {Presence} */
  presence;
  /** How users are shown, as far as the server has told. @type {Profiles} */
  profiles = new Profiles();
  #connection;
  #api;
  #outbox;
  #clock;
  #lifetime = new AbortController();
  #refs = 0;
  /**
   * Rooms that were left, until the server confirms it. `ref`: of the `leave` under way, if there is one.
   * @type {Map<string, {ref?: string, timer?: any}>}
   */
  #leaving = new Map();
  /** Rooms that were left since the overview was asked for, so that it may still have them. @type {Set<string>} */
  #leftSince = new Set();
  /** @type {Map<string, Conversation[]>} */
  #resumes = new Map();
  /** The last overview, by key. @type {Map<string, Overview>|null} */
  #listed = null;
  #looks = 0;
  #lookFailures = 0;
  /** @type {any} */ #lookTimer = null;
  #owner;
  #misuse;

  /** @param {ChatOptions} options */
  constructor({
    getToken, user, url = globalThis.location?.origin, signal, WebSocket = globalThis.WebSocket, fetch = globalThis.fetch,
    clock = systemClock, store = globalThis.indexedDB ? new IndexedDbStore() : null,
    network = typeof globalThis.addEventListener === 'function' ? globalThis : null,
  }) {
    super();
    this.#misuse = misuseOf({ getToken, url, WebSocket, fetch, store });
    this.info.user = user ?? null;
    const base = String(url).replace(/\/+$/, '');
    const tokens = new Tokens(getToken, clock, this.#lifetime.signal);
    this.#owner = base;
    this.#clock = clock;
    this.#api = new Api(base, tokens, fetch, clock, (profiles) => this.#learn(profiles));
    this.#connection = new Connection(`${base.replace(/^http/, 'ws')}/ws`, tokens, WebSocket, clock,
      () => this.#api.call('/api/conversations', { query: { limit: 1 }, signal: this.#lifetime.signal }));
    if (network) this.#connection.watchNetwork(network, this.#lifetime.signal);
    this.presence = new Presence(
      (name) => [...this.conversations.values()].some(({ members }) => members.has(name)),
      (users, options) => this.#api.presence(users, options), clock.now);
    const fault = (/** @type {ChatError} */ error) => this.emit('fault', error);
    this.#outbox = new Outbox({
      clock, store, fault,
      send: (frame) => this.#connection.send(frame),
      ready: (key) => this.conversations.get(key)?.ready ?? false,
    });
    this.#connection.on('welcome', (frame) => this.#welcome(frame));
    this.#connection.on('frame', (frame) => this.#receive(frame));
    this.#connection.on('down', () => this.#down());
    this.#connection.on('fault', fault);
    this.#connection.on('roundTrip', (roundTrip) => this.#inform({ roundTrip }));
    this.#connection.on('status', (status) => this.emit('status', status));
    signal?.addEventListener('abort', () => this.close(), { once: true });
    if (signal?.aborted) this.close();
  }

  get user() { return this.info.user; }
  get status() { return this.#connection.status; }
  /** How many events are not acknowledged yet. */
  get unacknowledged() { return this.#outbox.size; }

  /**
   * Connects and stays connected.
   * @param {Cancel} [options] stops waiting
   * @returns {Promise<void>} resolves when connected; rejects with a `ChatError` when there will be no connection: `bad_option` names the
   * option in `field`, `token` is a refused or malformed one, `closed` has the socket's `closeCode`
   */
  connect({ signal } = {}) {
    if (this.#lifetime.signal.aborted) return Promise.reject(this.#lifetime.signal.reason);
    if (this.#misuse) return Promise.reject(this.#misuse);
    this.#restore();
    return abortable(new Promise((resolve, reject) => {
      const off = this.on('status', ({ state, reason, error }) => {
        if (state !== 'connected' && state !== 'closed') return;
        off();
        if (state === 'connected') resolve();
        else reject(error ?? new ChatError('closed', reason ?? 'closed'));
      });
      if (this.#connection.connected) { off(); resolve(); }
      this.#connection.open();
    }), signal);
  }

  /** Ends the session. Unacknowledged sends reject with `closed`; the user's next session sends those that are stored. */
  close() {
    if (this.#lifetime.signal.aborted) return;
    for (const conversation of this.conversations.values()) conversation.dispose(false);
    this.#connection.close();
    this.#clock.clear(this.#lookTimer);
    this.#lifetime.abort(new ChatError('closed', 'This client was closed.'));
  }

  /** Joins a room, and joins it again on every connection until it is left. @param {string} room @param {Cancel} [options] */
  async join(room, { signal } = {}) {
    this.#lifetime.signal.throwIfAborted();
    const conversation = this.#conversation({ room });
    this.#leftSince.delete(room);
    const leave = this.#leaving.get(room);
    if (leave && leave.ref === undefined) {
      this.#clock.clear(leave.timer);
      this.#leaving.delete(room);
    }
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
    this.#remove(conversation);
    this.#leftSince.add(room);
    this.#sendLeave(room);
  }

  /** @param {string} room */
  #sendLeave(room) {
    const ref = this.#ref();
    this.#clock.clear(this.#leaving.get(room)?.timer);
    const sent = this.#connection.send({ type: 'leave', room, ref });
    this.#leaving.set(room, sent ? { ref, timer: this.#clock.set(() => this.#left(room, true), LEFT_WITHIN_MS) } : {});
  }

  /** A `leave` was answered. @param {string} room @param {boolean} again whether it must be sent again */
  #left(room, again) {
    this.#clock.clear(this.#leaving.get(room)?.timer);
    this.#leaving.delete(room);
    const conversation = this.conversations.get(keyOf({ room }));
    if (conversation) conversation.leftBefore();
    else if (again) this.#sendLeave(room);
  }

  #ref() { return `r-${++this.#refs}`; }

  /** The direct conversation with a user. @param {string} user @returns {Conversation} */
  direct(user) { return this.#conversation({ to: user }); }

  /**
   * Messages that have all words of `q`, of those that the user may read, newest first.
   * @param {Parameters<import('./api.js').Api['search']>[0]} options
   */
  search(options) { return this.#api.search(options); }

  /** The network may be back. Retries now. */
  wake() { this.#connection.wake(); }

  /** Loses the connection, to see it come back. */
  drop() { this.#connection.drop(); }

  /** @param {Where} where */
  #conversation(where) {
    if (where.room !== undefined ? !isRoomId(where.room) : !isSender(where.to)) throw new ChatError('bad_request', 'This is no id.');
    const key = keyOf(where);
    const known = this.conversations.get(key);
    if (known) return known;
    const conversation = new Conversation({
      clock: this.#clock, api: this.#api, outbox: this.#outbox,
      me: () => this.user,
      connected: () => this.#connection.connected,
      send: (frame) => this.#connection.send(frame),
      ref: () => this.#ref(),
      leaving: () => this.#leaving.has(where.room ?? ''),
      recount: () => this.#lookIn(1000 * (0.5 + this.#clock.random() / 2)),
    }, where);
    this.conversations.set(key, conversation);
    conversation.on('fault', (fault) => this.emit('fault', fault));
    this.#beginReading(conversation);
    this.emit('conversation', conversation);
    return conversation;
  }

  /** @param {Conversation} conversation */
  #remove(conversation) {
    // It may have been joined again since.
    if (this.conversations.get(conversation.key) !== conversation) return;
    this.conversations.delete(conversation.key);
    conversation.dispose(true);
    this.emit('left', conversation);
  }

  #restore() {
    if (this.user === null) return;
    this.#outbox.restore(`${this.user}@${this.#owner}`, (stored) => {
      const { room, to } = stored.frame;
      const conversation = this.#conversation(room !== undefined ? { room } : { to });
      if (room !== undefined) conversation.join().catch(() => {});
      return { key: conversation.key, settle: conversation.adopt(stored) };
    });
  }

  /** @param {Frame} welcome */
  #welcome({ user, node, connection }) {
    if (this.user !== null && this.user !== user) {
      // Going on would mix two users' conversations.
      return this.#connection.fail(new ChatError('forbidden', `The token is for ${user}, but the session belongs to ${this.user}.`));
    }
    this.#inform({ user, node, connection, reconnects: this.#connection.reconnects });
    this.#restore();
    for (const room of [...this.#leaving.keys()]) this.#left(room, true);
    this.#resumes.clear();
    for (const conversation of this.conversations.values()) conversation.connected();
    this.#resume([...this.conversations.values()]);
    this.#outbox.pump();
    this.#overview();
  }

  /** Asks for missed direct messages. @param {Conversation[]} conversations */
  #resume(conversations) {
    const resumed = conversations.map((conversation) => ({ conversation, entry: conversation.resume() })).filter((p) => p.entry);
    for (let i = 0; i < resumed.length; i += RESUME_AT_ONCE) {
      const part = resumed.slice(i, i + RESUME_AT_ONCE);
      const ref = this.#ref();
      this.#resumes.set(ref, part.map((p) => p.conversation));
      this.#connection.send({ type: 'resume', conversations: part.map((p) => p.entry), ref });
    }
  }

  /** @param {number} ms */
  #lookIn(ms) {
    this.#lookTimer ??= this.#clock.set(() => {
      this.#lookTimer = null;
      const inexact = [...this.conversations.values()].some((c) => !c.unreadKnown);
      if (this.#connection.connected && (inexact || this.#lookFailures > 0)) this.#overview();
    }, ms);
  }

  // Finds direct conversations that began while the client was away, which no cursor knows, and how much is unread.
  async #overview() {
    const look = ++this.#looks;
    this.#leftSince = new Set(this.#leaving.keys());
    try {
      const { items } = await this.#api.conversations({ signal: this.#lifetime.signal });
      if (look !== this.#looks) return;
      this.#lookFailures = 0;
      this.#listed = new Map(items.map((item) => [keyOf(item), item]));
      for (const item of items) {
        const conversation = item.to !== undefined ? this.#conversation({ to: item.to }) : this.conversations.get(keyOf(item));
        conversation?.applyOverview(item);
      }
      // The server may have made the list before it heard of a leave.
      this.emit('overview', items.filter(({ room }) => room === undefined || !this.#leftSince.has(room)));
    } catch (error) {
      if (this.#lifetime.signal.aborted || look !== this.#looks) return;
      const fault = /** @type {ChatError} */ (error);
      // A server without this call.
      if (fault.status !== 404) {
        this.emit('fault', fault);
        this.#lookIn(Math.max(fault.retryAfter ?? 0, backoff(this.#clock, ++this.#lookFailures, 1000, 30_000)));
      }
    }
    this.#listed ??= new Map();
    for (const conversation of this.conversations.values()) if (!conversation.readKnown) this.#beginReading(conversation);
  }

  /** A direct conversation that is not in the overview has not been read. @param {Conversation} conversation */
  #beginReading(conversation) {
    const listed = this.#listed?.get(conversation.key);
    if (this.#listed && (listed || conversation.kind === 'direct')) conversation.applyOverview(listed);
  }

  #down() {
    this.#outbox.disconnected();
    for (const [room, { timer }] of this.#leaving) {
      this.#clock.clear(timer);
      if (this.conversations.has(keyOf({ room }))) this.#leaving.delete(room);
      else this.#leaving.set(room, {});
    }
    for (const conversation of this.conversations.values()) conversation.disconnected();
  }

  /** @param {Frame} frame */
  #receive(frame) {
    if (frame.type === 'error') return this.#refused(frame);
    const { type, room, to, from } = frame;
    if (type === 'profile') return this.#learn({ [frame.user]: { name: frame.name, picture: frame.picture } });
    this.#learn(frame.profiles);
    if (room !== undefined) {
      const conversation = this.conversations.get(keyOf({ room }));
      if (type === 'left') {
        if (this.#leaving.has(room)) this.#left(room, false);
        // The room was left on another device. If a join is under way, it was before that.
        else if (conversation && !conversation.isJoining) this.#remove(conversation);
        return;
      }
      // The room was left before its join was answered, and the join came out on top.
      if (type === 'joined' && !conversation && !this.#leaving.has(room)) return this.#sendLeave(room);
      conversation?.receive(frame);
      if (type === 'joined') this.presence.changed(frame.members);
      if (type === 'online' || type === 'offline') this.presence.changed(frame.users);
    } else if (to !== undefined) {
      // In events `to` is the addressee, in other frames the other user.
      const isEvent = frame.id !== undefined && type !== 'ack';
      const conversation = this.#conversation({ to: isEvent && from !== this.user ? from : to });
      conversation.receive(frame);
      if (isEvent && conversation.isNameless) this.#resume([conversation]);
    }
  }

  /** @param {Record<string, Profile>|undefined} said */
  #learn(said) { this.profiles.learn(said, (user) => this.emit('profile', user)); }

  /** Known users by the start of id or name. @param {string} query @param {Cancel} [options] */
  users(query, options) { return this.#api.users(query, options); }

  /** @param {Frame} error */
  #refused(error) {
    const { code, message, nonce, ref, retryAfter } = error;
    if (nonce !== undefined) {
      const key = this.#outbox.refused(error);
      const conversation = this.conversations.get(key ?? '');
      if (conversation && code === 'not_joined' && !conversation.joinAgain()) {
        this.#outbox.fail(new ChatError(code, message), conversation.key);
      }
      if (key) return;
    }
    if (ref !== undefined) {
      for (const [room, leave] of this.#leaving) if (leave.ref === ref) return this.#leaveRefused(room, error);
      for (const conversation of this.conversations.values()) if (conversation.joinRefused(error)) return;
      const resumed = this.#resumes.get(ref);
      if (resumed) return resumed.forEach((conversation) => conversation.resumeRefused());
    }
    this.emit('fault', new ChatError(code, message, { retryAfter }));
  }

  /** @param {string} room @param {Frame} error */
  #leaveRefused(room, { code, message, retryAfter = 1000 }) {
    const leave = this.#leaving.get(room);
    if (leave && (code === 'unavailable' || code === 'rate_limited') && !this.conversations.has(keyOf({ room }))) {
      this.#clock.clear(leave.timer);
      leave.ref = undefined;
      leave.timer = this.#clock.set(() => this.#left(room, true), retryAfter * (1 + this.#clock.random() / 5));
      return;
    }
    this.#left(room, false);
    this.emit('fault', new ChatError(code, message));
  }

  /** @param {Partial<Info>} info */
  #inform(info) {
    this.info = { ...this.info, ...info };
    this.emit('info', this.info);
  }
}

/** The first option that cannot work. @param {Record<string, any>} options @returns {ChatError|null} */
function misuseOf({ getToken, url, WebSocket, fetch, store }) {
  /** @type {[string, boolean, string][]} */
  const rules = [
    ['getToken', typeof getToken === 'function', 'must be a function'],
    ['url', /^https?:\/\/[^/]/.test(String(url)), 'must be the http or https address of the gateway'],
    ['WebSocket', typeof WebSocket === 'function', 'this runtime has none, so one must be given'],
    ['fetch', typeof fetch === 'function', 'this runtime has none, so one must be given'],
    ['store', !store || ['load', 'put', 'remove'].every((name) => typeof store[name] === 'function'), 'must have load, put and remove'],
  ];
  const broken = rules.find(([, holds]) => !holds);
  return broken ? new ChatError('bad_option', `${broken[0]}: ${broken[2]}.`, { field: broken[0] }) : null;
}
