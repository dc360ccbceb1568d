import { Api, Tokens } from './api.js';
import { Connection } from './connection.js';
import { Emitter } from './emitter.js';
import { isSender, keyOf } from './frames.js';
import { Leaves } from './leaving.js';
import { Link } from './link.js';
import { misuseOf } from './options.js';
import { Outbox } from './outbox.js';
import { Presence } from './presence.js';
import { ChatError, isRoomId } from './protocol.js';
import { IndexedDbStore } from './store.js';
import { abortable, backoff, systemClock } from './util.js';

/** @import {Conversation} from './conversation.js' */
/** @import {Cancel, ChatOptions, Clock, Frame, Info, MemberChange, Overview, Profile, Room, Status, Where} from './types.js' */

/** Most direct conversations in one `resume` frame, which keeps it under the frame limit. */
const RESUME_AT_ONCE = 100;

/**
 * A chat session that outlives its connections: rooms stay joined, events come in order and once, and a send is repeated until it is
 * acknowledged, even by the next page.
 *
 * - `status`, `info`: the connection changed
 * - `conversation`: a new one; `left`: one that ended
 * - `member`: what somebody changed about a member of a room; also that this user was added to one
 * - `profile`: this user is shown in another way
 * - `overview`: the server's list of the user's conversations, after each connection
 * - `fault`: an error that the client works around
 * @extends {Emitter<{status: Status, info: Info, conversation: Conversation, left: Conversation, member: MemberChange, profile: string, overview: Overview[], fault: ChatError}>}
 */
export class ChatSession extends Emitter {
  /** By key, `room:…` or `to:…`. @type {ReadonlyMap<string, Conversation>} */
  conversations;
  /** The session's user and connection. @type {Info} */
  info = { user: null, node: '', connection: '', roundTrip: null, reconnects: 0, ticket: false };
  /** Who is online. @type {Presence} */
  presence;
  /** How users are shown, as far as the server has told, by user. @type {ReadonlyMap<string, Profile>} */
  profiles;
  /** @type {Map<string, Conversation>} */
  #conversations = new Map();
  /** What the client does with each of them. @type {Map<string, Link>} */
  #links = new Map();
  /** @type {Map<string, Profile>} */
  #profiles = new Map();
  /** @type {(users: string[]) => void} */
  #presenceChanged = () => {};
  #connection;
  #api;
  #outbox;
  #clock;
  #lifetime = new AbortController();
  #refs = 0;
  #leaves;
  /** @type {Map<string, Link[]>} */
  #resumes = new Map();
  /** The last overview, by key. @type {Map<string, Overview>|null} */
  #listed = null;
  #looks = 0;
  #lookFailures = 0;
  /** @type {any} */ #lookTimer = null;
  #owner;
  #misuse;

  /**
   * `plug` gets what calls the API and what learns a room's settings, and gives the tickets, if there are any.
   * @protected @param {ChatOptions} options @param {(call: any, clock: Clock, learnRoom: (room: Room) => void) => any} [plug]
   */
  constructor({
    getToken, user, url = globalThis.location?.origin, signal, WebSocket = globalThis.WebSocket, fetch = globalThis.fetch,
    clock = systemClock, store = globalThis.indexedDB ? new IndexedDbStore() : null,
    network = typeof globalThis.addEventListener === 'function' ? globalThis : null,
  }, plug = () => null) {
    super();
    this.#misuse = misuseOf({ getToken, url, WebSocket, fetch, store });
    this.info.user = user ?? null;
    const base = String(url).replace(/\/+$/, '');
    const tokens = new Tokens(getToken, clock, this.#lifetime.signal);
    this.#owner = base;
    this.#clock = clock;
    const api = this.#api = new Api(base, tokens, fetch, clock, (profiles) => this.#learn(profiles));
    this.#connection = new Connection({
      url: `${base.replace(/^http/, 'ws')}/ws`, tokens, WebSocket, clock, signal: this.#lifetime.signal,
      tickets: plug(
        (/** @type {Parameters<Api['call']>} */ ...call) => api.call(...call), clock,
        (/** @type {Room} */ room) => this.#links.get(keyOf({ room: room.room }))?.learnRoom(room)),
      probe: () => api.conversations({ limit: 1, signal: this.#lifetime.signal }),
    });
    if (network) this.#connection.watchNetwork(network, this.#lifetime.signal);
    this.conversations = this.#conversations;
    this.profiles = this.#profiles;
    // Its constructor is private for applications.
    this.presence = new (/** @type {any} */ (Presence))(
      (/** @type {string} */ name) => [...this.#links.values()].some(({ members }) => members.has(name)),
      (/** @type {string[]} */ users, /** @type {Cancel} */ options) => api.presence(users, options), clock.now,
      (/** @type {(users: string[]) => void} */ changed) => { this.#presenceChanged = changed; });
    const send = (/** @type {Frame} */ frame) => this.#connection.send(frame);
    this.#leaves = new Leaves({
      clock, send, ref: () => this.#ref(),
      isWanted: (room) => this.#links.has(keyOf({ room })),
      rejoin: (room) => this.#links.get(keyOf({ room }))?.seat.ask(),
      refused: (room, fault) => this.#leaveRefused(room, fault),
    });
    const fault = (/** @type {ChatError} */ error) => this.emit('fault', error);
    this.#outbox = new Outbox({
      clock, store, fault, send,
      ready: (key) => this.#links.get(key)?.ready ?? false,
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

  /** The session's user; null until the first connection tells it. @returns {string|null} */
  get user() { return this.info.user; }
  /** The state of the connection. @returns {Status} */
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
    for (const link of this.#links.values()) link.dispose(false);
    this.#connection.close();
    this.#clock.clear(this.#lookTimer);
    const fault = new ChatError('closed', 'This client was closed.');
    this.#leaves.dispose(fault);
    this.#lifetime.abort(fault);
  }

  /**
   * Joins a room, and joins it again on every connection until it is left.
   * @param {string} room @param {Cancel} [options] stops waiting @returns {Promise<Conversation>} resolves when joined
   */
  async join(room, { signal } = {}) {
    this.#lifetime.signal.throwIfAborted();
    const link = this.#link({ room });
    this.#leaves.join(room);
    try {
      await link.join(signal);
    } catch (error) {
      if (!link.seat.wanted) this.#remove(link);
      throw error;
    }
    return link.conversation;
  }

  /**
   * Ends the membership in a room, on all of the user's devices.
   * @param {string} room @param {Cancel} [options] stops waiting
   * @returns {Promise<void>} resolves when the server has ended it, over any number of connections; rejects when it is refused for good, for
   * example the last owner's, and then the room is joined again
   */
  leave(room, { signal } = {}) {
    if (this.#lifetime.signal.aborted) return Promise.reject(this.#lifetime.signal.reason);
    if (!isRoomId(room)) return Promise.reject(new ChatError('bad_request', 'This is no id.'));
    const link = this.#links.get(keyOf({ room }));
    if (link) this.#remove(link);
    return abortable(this.#leaves.leave(room), signal);
  }

  #ref() { return `r-${++this.#refs}`; }

  /** The direct conversation with a user. @param {string} user @returns {Conversation} */
  direct(user) { return this.#link({ to: user }).conversation; }

  /** The network may be back. Retries now. */
  wake() { this.#connection.wake(); }

  /** Loses the connection, to see it come back. */
  drop() { this.#connection.drop(); }

  /** @param {Where} where @returns {Link} */
  #link(where) {
    if (where.room !== undefined ? !isRoomId(where.room) : !isSender(where.to)) throw new ChatError('bad_request', 'This is no id.');
    const key = keyOf(where);
    const known = this.#links.get(key);
    if (known) return known;
    const link = new Link({
      clock: this.#clock, api: this.#api, outbox: this.#outbox,
      me: () => this.user,
      connected: () => this.#connection.connected,
      send: (frame) => this.#connection.send(frame),
      ref: () => this.#ref(),
      leaving: () => this.#leaves.has(where.room ?? ''),
      recount: () => this.#lookIn(1000 * (0.5 + this.#clock.random() / 2)),
    }, where);
    this.#links.set(key, link);
    this.#conversations.set(key, link.conversation);
    link.conversation.on('fault', (fault) => this.emit('fault', fault));
    this.#beginReading(link);
    this.emit('conversation', link.conversation);
    return link;
  }

  /** @param {Link} link @param {Frame} [left] */
  #remove(link, left) {
    // It may have been joined again since.
    if (this.#links.get(link.key) !== link) return;
    this.#links.delete(link.key);
    this.#conversations.delete(link.key);
    link.dispose(true, left?.reason);
    this.emit('left', link.conversation);
  }

  #restore() {
    if (this.user === null) return;
    this.#outbox.restore(`${this.user}@${this.#owner}`, (stored) => {
      const { room, to } = stored.frame;
      const link = this.#link(room !== undefined ? { room } : { to });
      if (room !== undefined) link.join().catch(() => {});
      return { key: link.key, settle: link.adopt(stored) };
    });
  }

  /** @param {Frame} welcome */
  #welcome({ user, node, connection }) {
    if (this.user !== null && this.user !== user) {
      // Going on would mix two users' conversations.
      return this.#connection.fail(new ChatError('forbidden', `The token is for ${user}, but the session belongs to ${this.user}.`));
    }
    const { reconnects, byTicket } = this.#connection;
    this.#inform({ user, node, connection, reconnects, ticket: byTicket });
    this.#restore();
    this.#leaves.connected();
    this.#resumes.clear();
    for (const link of this.#links.values()) link.connected();
    this.#resume([...this.#links.values()]);
    this.#outbox.pump();
    this.#overview();
  }

  /** Asks for missed direct messages. @param {Link[]} links */
  #resume(links) {
    const resumed = links.map((link) => ({ link, entry: link.resume() })).filter((p) => p.entry);
    for (let i = 0; i < resumed.length; i += RESUME_AT_ONCE) {
      const part = resumed.slice(i, i + RESUME_AT_ONCE);
      const ref = this.#ref();
      this.#resumes.set(ref, part.map((p) => p.link));
      this.#connection.send({ type: 'resume', conversations: part.map((p) => p.entry), ref });
    }
  }

  /** @param {number} ms */
  #lookIn(ms) {
    this.#lookTimer ??= this.#clock.set(() => {
      this.#lookTimer = null;
      const inexact = [...this.#links.values()].some((link) => link.isInexact);
      if (this.#connection.connected && (inexact || this.#lookFailures > 0)) this.#overview();
    }, ms);
  }

  // Finds direct conversations that began while the client was away, which no cursor knows, and how much is unread.
  async #overview() {
    const look = ++this.#looks;
    this.#leaves.beginOverview();
    try {
      const items = await this.#api.allConversations(this.#lifetime.signal);
      if (look !== this.#looks) return;
      this.#lookFailures = 0;
      this.#listed = new Map(items.map((item) => [keyOf(item), item]));
      for (const item of items) {
        const link = item.to !== undefined ? this.#link({ to: item.to }) : this.#links.get(keyOf(item));
        link?.applyOverview(item);
      }
      // The server may have made the list before it heard of a leave.
      this.emit('overview', items.filter(({ room }) => room === undefined || !this.#leaves.isRecent(room)));
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
    for (const link of this.#links.values()) if (!link.cursors.known) this.#beginReading(link);
  }

  /** A direct conversation that is not in the overview has not been read. @param {Link} link */
  #beginReading(link) {
    const listed = this.#listed?.get(link.key);
    if (this.#listed && (listed || link.kind === 'direct')) link.applyOverview(listed);
  }

  #down() {
    this.#outbox.disconnected();
    this.#leaves.disconnected();
    for (const link of this.#links.values()) link.disconnected();
  }

  /** @param {Frame} frame */
  #receive(frame) {
    if (frame.type === 'error') return this.#refused(frame);
    const { type, room, to, from } = frame;
    if (type === 'profile') return this.#learn({ [frame.user]: { name: frame.name, picture: frame.picture } });
    this.#learn(frame.profiles);
    if (room !== undefined) {
      const link = this.#links.get(keyOf({ room }));
      if (type === 'left') {
        if (this.#leaves.has(room)) this.#leaves.answered(room);
        // The room was left on another device, or by somebody else. If a join is under way, it was before that.
        else if (link && !link.isJoining) this.#remove(link, frame);
        return;
      }
      // The room was left before its join was answered, and the join came out on top.
      if (type === 'joined' && !link && !this.#leaves.has(room)) return void this.#leaves.leave(room);
      link?.receive(frame);
      if (type === 'member') this.emit('member', /** @type {any} */ (frame));
      if (type === 'joined') this.#presenceChanged(frame.members);
      if (type === 'online' || type === 'offline') this.#presenceChanged(frame.users);
    } else if (to !== undefined) {
      // In events `to` is the addressee, in other frames the other user.
      const isEvent = frame.id !== undefined && type !== 'ack';
      const link = this.#link({ to: isEvent && from !== this.user ? from : to });
      link.receive(frame);
      if (isEvent && link.isNameless) this.#resume([link]);
    }
  }

  /** @param {Record<string, Profile>|undefined} said */
  #learn(said = {}) {
    const known = this.#profiles;
    for (const [user, { name, picture }] of Object.entries(said)) {
      const before = known.get(user);
      if (before?.name === name && before?.picture === picture) continue;
      if (name === undefined && picture === undefined) known.delete(user);
      else known.set(user, { name, picture });
      this.emit('profile', user);
    }
  }

  /** @param {Frame} error */
  #refused(error) {
    const { code, message, nonce, ref, retryAfter } = error;
    if (nonce !== undefined) {
      const key = this.#outbox.refused(error);
      const link = this.#links.get(key ?? '');
      if (link && code === 'not_joined' && !link.joinAgain()) this.#outbox.fail(new ChatError(code, message), link.key);
      if (key) return;
    }
    if (ref !== undefined) {
      if (this.#leaves.refused(error)) return;
      for (const link of this.#links.values()) if (link.joinRefused(error)) return;
      const resumed = this.#resumes.get(ref);
      if (resumed) return resumed.forEach((link) => link.sync.lookForMissed());
    }
    this.emit('fault', new ChatError(code, message, { retryAfter }));
  }

  /** @param {string} room @param {ChatError} fault */
  #leaveRefused(room, fault) {
    this.emit('fault', fault);
    // The user is still a member, so the room must not be dead here.
    if (fault.code === 'forbidden') this.join(room).catch(() => {});
  }

  /** @param {Partial<Info>} info */
  #inform(info) {
    this.info = { ...this.info, ...info };
    this.emit('info', this.info);
  }
}
