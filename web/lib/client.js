import { Api, Tokens } from './api.js';
import { Connection } from './connection.js';
import { Conversation } from './conversation.js';
import { Outbox } from './outbox.js';
import { Presence } from './presence.js';
import { ChatError, isRoomId, isSender, keyOf } from './protocol.js';
import { IndexedDbStore } from './store.js';
import { abortable, Emitter, systemClock } from './util.js';

/** @import {Cancel, ChatOptions, Frame, Info, Overview, Profile, Status, Where} from './types.js' */

/** Most direct conversations in one `resume` frame, which keeps it under the frame limit. */
const RESUME_AT_ONCE = 100;

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
  /** How users are shown, as far as the server has told. @type {Map<string, Profile>} */
  profiles = new Map();
  #connection;
  #api;
  #outbox;
  #clock;
  #lifetime = new AbortController();
  #refs = 0;
  /** Rooms that were left; true while the server must still be told. @type {Map<string, boolean>} */
  #left = new Map();
  /** @type {Map<string, Conversation[]>} */
  #resumes = new Map();
  #overviewed = false;
  #owner;

  /** @param {ChatOptions} options */
  constructor({
    getToken, user, url = globalThis.location?.origin, signal, WebSocket = globalThis.WebSocket, fetch = globalThis.fetch,
    clock = systemClock, store = globalThis.indexedDB ? new IndexedDbStore() : null,
  }) {
    super();
    this.info.user = user ?? null;
    const base = String(url).replace(/\/+$/, '');
    const tokens = new Tokens(getToken, clock, this.#lifetime.signal);
    this.#owner = base;
    this.#clock = clock;
    this.#api = new Api(base, tokens, fetch, (profiles) => this.#learn(profiles));
    this.#connection = new Connection(`${base.replace(/^http/, 'ws')}/ws`, tokens, WebSocket, clock);
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
  }

  get user() { return this.info.user; }
  get status() { return this.#connection.status; }
  /** How many events are not acknowledged yet. */
  get unacknowledged() { return this.#outbox.size; }

  /**
   * Connects and stays connected.
   * @param {Cancel} [options] stops waiting @returns {Promise<void>} resolves when connected; rejects when there will be no connection
   */
  connect({ signal } = {}) {
    if (this.#lifetime.signal.aborted) return Promise.reject(this.#lifetime.signal.reason);
    this.#restore();
    return abortable(new Promise((resolve, reject) => {
      const off = this.on('status', ({ state, reason }) => {
        if (state !== 'connected' && state !== 'closed') return;
        off();
        if (state === 'connected') resolve();
        else reject(new ChatError('closed', reason ?? 'closed'));
      });
      if (this.#connection.connected) { off(); resolve(); }
      this.#connection.open();
    }), signal);
  }

  /** Ends the session. Unacknowledged sends reject with `closed`; the user's next session sends those that are stored. */
  close() {
    if (this.#lifetime.signal.aborted) return;
    this.#connection.close();
    for (const conversation of this.conversations.values()) conversation.dispose(false);
    this.#lifetime.abort(new ChatError('closed', 'This client was closed.'));
  }

  /** Joins a room, and joins it again on every connection until it is left. @param {string} room @param {Cancel} [options] */
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
  direct(user) { return this.#conversation({ to: user }); }

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
      ref: () => `r-${++this.#refs}`,
    }, where);
    this.conversations.set(key, conversation);
    conversation.on('fault', (fault) => this.emit('fault', fault));
    this.#beginReading(conversation);
    this.emit('conversation', conversation);
    return conversation;
  }

  /** @param {Conversation} conversation */
  #remove(conversation) {
    if (!this.conversations.delete(conversation.key)) return;
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
      // The token is another user's. Going on would mix two users' conversations.
      this.emit('fault', new ChatError('forbidden', `The token is for ${user}, but the session belongs to ${this.user}.`));
      queueMicrotask(() => this.close());
      return;
    }
    this.#inform({ user, node, connection, reconnects: this.#connection.reconnects });
    this.#restore();
    for (const [room, untold] of this.#left) if (untold) this.#left.set(room, !this.#connection.send({ type: 'leave', room }));
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
      const ref = `r-${++this.#refs}`;
      this.#resumes.set(ref, part.map((p) => p.conversation));
      this.#connection.send({ type: 'resume', conversations: part.map((p) => p.entry), ref });
    }
  }

  // Finds direct conversations that began while the client was away; no cursor knows them.
  async #overview() {
    try {
      const { items } = await this.#api.conversations({ signal: this.#lifetime.signal });
      for (const item of items) {
        const conversation = item.to !== undefined ? this.#conversation({ to: item.to }) : this.conversations.get(keyOf(item));
        conversation?.applyOverview(item);
      }
      // The server may have made the list before it heard of a leave.
      this.emit('overview', items.filter(({ room }) => room === undefined || !this.#left.has(room)));
    } catch (error) {
      if (!this.#lifetime.signal.aborted && error instanceof ChatError && error.status !== 404) this.emit('fault', error);
    }
    this.#overviewed = true;
    for (const conversation of this.conversations.values()) this.#beginReading(conversation);
  }

  /** A direct conversation that is not in the overview has not been read. @param {Conversation} conversation */
  #beginReading(conversation) {
    if (this.#overviewed && conversation.kind === 'direct' && !conversation.readKnown) conversation.applyOverview();
  }

  #down() {
    this.#outbox.disconnected();
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
      // The room was left on another device, or this answers the client's own leave.
      if (type === 'left') return conversation && this.#remove(conversation);
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

  /** @param {Record<string, Profile>|undefined} profiles */
  #learn(profiles) {
    for (const [user, { name, picture }] of Object.entries(profiles ?? {})) {
      const known = this.profiles.get(user);
      if (known?.name === name && known?.picture === picture) continue;
      if (name === undefined && picture === undefined) this.profiles.delete(user);
      else this.profiles.set(user, { name, picture });
      this.emit('profile', user);
    }
  }

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
      for (const conversation of this.conversations.values()) if (conversation.joinRefused(error)) return;
      const resumed = this.#resumes.get(ref);
      if (resumed) return resumed.forEach((conversation) => conversation.resumeRefused());
    }
    this.emit('fault', new ChatError(code, message, { retryAfter }));
  }

  /** @param {Partial<Info>} info */
  #inform(info) {
    this.info = { ...this.info, ...info };
    this.emit('info', this.info);
  }
}
