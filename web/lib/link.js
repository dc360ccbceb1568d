import { Conversation } from './conversation.js';
import { keyOf } from './frames.js';
import { ChatError } from './protocol.js';
import { ReadCursors } from './reading.js';
import { RoomSeat } from './seat.js';
import { Sync } from './sync.js';
import { isMessage } from './timeline.js';
import { TypingSender, TypingUsers } from './typing.js';
import { abortable, newNonce } from './util.js';

/** @import {Cancel, Change, ChatEvent, Clock, Details, Frame, LeftReason, Member, Message, Overview, Pending, Receipt, Role, Room, Stored, Where} from './types.js' */
/**
 * What a link needs from its client.
 * @typedef {{clock: Clock, api: import('./api.js').Api, outbox: import('./outbox.js').Outbox,
 *   me: () => string|null, connected: () => boolean, send: (frame: Frame) => boolean, ref: () => string,
 *   leaving: () => boolean, recount: () => void}} Host `leaving`: whether the room's `leave` is unanswered; `recount`: what is known of the
 *   user's cursor is not exact, so the server is asked
 */

/** Most messages kept without a call of `trim`. The oldest go first, a tenth at a time. */
const LOADED_MAX = 10_000;

/** A conversation as the client sees it: takes its frames and keeps its state. The application sees the `conversation` in front of it. */
export class Link {
  /** The user's messages on their way, in order. @type {Pending[]} */
  pending = [];
  /** The room's online members, as far as the server named them. @type {Set<string>} */
  members = new Set();
  /** How many are online. */
  count = 0;
  /** What the last `joined`, or a call since, said of the room. @type {{role?: Role, visibility?: any, sending?: any, name?: string, topic?: string}} */
  room = {};
  /** Why it ended, if not by the user's own `leave`. @type {LeftReason|undefined} */
  leftReason = undefined;
  /** Tells the application. @type {(name: any, value: any) => void} */
  tell = () => {};
  #host;
  #joinWithReplay = false;
  #lifetime = new AbortController();

  /** @param {Host} host @param {Where} where */
  constructor(host, where) {
    this.where = where;
    this.key = keyOf(where);
    /** @type {'room'|'direct'} */
    this.kind = where.room !== undefined ? 'room' : 'direct';
    this.#host = host;
    this.seat = new RoomSeat(host, (ref) => this.#sendJoin(ref));
    this.typingSender = new TypingSender(host.clock, (active) => host.send({ type: 'typing', ...where, active }));
    this.typingUsers = new TypingUsers(host.clock, () => this.#change({ kind: 'typing' }));
    this.cursors = new ReadCursors(
      host.clock, (seq) => this.ready && host.send({ type: 'read', ...where, seq }), () => this.#change({ kind: 'read' }), host.recount);
    this.sync = new Sync({
      where, clock: host.clock, api: host.api, me: host.me, signal: this.#lifetime.signal,
      connected: () => this.ready,
      on: {
        delivered: (events) => this.#deliver(events),
        prepended: (count) => this.#prepended(count),
        reset: () => this.#onReset(),
        lost: (range) => this.tell('lost', range),
        fault: (error) => this.tell('fault', error),
      },
    });
    // The constructor is private for applications.
    /** @type {Conversation} */
    this.conversation = new (/** @type {any} */ (Conversation))(this);
  }

  get me() { return this.#host.me(); }
  get messages() { return this.sync.timeline.messages; }
  /** The seq of the newest event given out; 0 when unknown. */
  get head() { return this.sync.timeline.last ?? 0; }
  get epoch() { return this.sync.timeline.epoch; }
  /** Whether events can be sent now. */
  get ready() { return this.#host.connected() && (this.kind === 'direct' || this.seat.joined); }
  get disposed() { return this.#lifetime.signal.aborted; }
  /** The seq from which on all is loaded; Infinity when nothing is. */
  get first() { return this.sync.timeline.last === null ? Infinity : this.sync.timeline.first; }
  /** Whether the server must be asked about the user's cursor. */
  get isInexact() { return !this.cursors.isExact(this.first) || this.cursors.overdue; }
  /** Whether a `join` is under way. */
  get isJoining() { return this.seat.isAsking; }
  /** Events do not name their log. Only the answer to `resume` does. */
  get isNameless() { return this.kind !== 'room' && this.epoch === null && !this.sync.catchingUp; }

  // What the application asks for.

  /** @param {string} content @param {Cancel & Details} options @returns {Promise<Receipt>} */
  async send(content, { signal, ...details }) {
    this.#lifetime.signal.throwIfAborted();
    const nonce = newNonce();
    this.pending.push({ nonce, content, created: this.#host.clock.date(), state: 'sending', details });
    this.typingSender.stop();
    this.#change({ kind: 'pending' });
    try {
      const frame = { type: this.kind === 'room' ? 'room' : 'dm', ...this.where, content, nonce, ...details };
      return await this.#host.outbox.add(this.key, frame, signal);
    } catch (error) {
      if (signal?.aborted) this.discard(nonce);
      else this.#failed(nonce, /** @type {Error} */ (error));
      throw error;
    }
  }

  /** Sends an edit, a deletion or a reaction. @param {Frame} event @param {AbortSignal} [signal] @returns {Promise<Receipt>} */
  async act(event, signal) {
    this.#lifetime.signal.throwIfAborted();
    return this.#host.outbox.add(this.key, { ...event, ...this.where, nonce: newNonce() }, signal);
  }

  /** Sends what has no answer. @param {Frame} frame @returns {boolean} false without a connection */
  tryToSend(frame) { return this.ready && this.#host.send({ ...frame, ...this.where }); }

  /** @param {string} nonce */
  discard(nonce) {
    const index = this.pending.findIndex((p) => p.nonce === nonce);
    if (index < 0) return undefined;
    const [pending] = this.pending.splice(index, 1);
    this.#change({ kind: 'pending' });
    return pending;
  }

  /** @param {number} seq @returns {Promise<void>} */
  markRead(seq) {
    // Beyond the head counts as the head.
    const head = Math.max(this.head, this.cursors.head);
    return this.cursors.move(head > 0 ? Math.min(seq, head) : seq);
  }

  /** @param {number} keep how many messages stay */
  trim(keep) {
    const before = this.#unreadFrom(this.first);
    const count = this.sync.timeline.trim(keep);
    if (count === 0) return;
    const rest = this.#unreadFrom(this.cursors.own + 1);
    this.cursors.dropped({ unread: before.unread - rest.unread, mentions: before.mentions - rest.mentions }, this.first);
    this.#change({ kind: 'trim', count });
  }

  /** @param {Cancel} [options] @returns {Promise<Member[]>} */
  async loadMembers(options) {
    const { items } = await this.#host.api.members(this.where.room ?? '', { limit: 200, ...options });
    for (const { user, read } of items) this.#read(user, read);
    return items;
  }

  /** @param {AbortSignal} [signal] stops only the wait @returns {Promise<void>} resolves when joined */
  join(signal) {
    if (this.disposed) return Promise.reject(this.#lifetime.signal.reason);
    return abortable(this.seat.want(), signal);
  }

  // What the client tells.

  /** Takes over a send that an earlier page left. @param {Stored} stored */
  adopt({ nonce, frame, created }) {
    if (isMessage(/** @type {any} */ (frame))) {
      const { content, replyTo, mentions, meta } = frame;
      this.pending.unshift({ nonce, content, created, state: 'sending', details: { replyTo, mentions, meta } });
    }
    this.#change({ kind: 'pending' });
    return { resolve: () => {}, reject: (/** @type {Error} */ error) => this.#failed(nonce, error) };
  }

  /** The client is connected. */
  connected() {
    // A room's cursor goes once the room is joined.
    this.cursors.flush();
    if (this.kind !== 'room') this.#change({ kind: 'ready' });
    else this.seat.ask();
  }

  /** @returns {Frame|null} this conversation's entry in `resume` */
  resume() {
    if (this.kind === 'room' || this.sync.timeline.last === null) return null;
    this.sync.catchUp();
    return /** @type {any} */ ({ ...this.where, ...this.sync.timeline.place });
  }

  disconnected() {
    this.seat.down();
    this.cursors.disconnected();
    this.typingSender.reset();
    this.typingUsers.clear();
    this.sync.disconnected();
    this.#change({ kind: 'ready' });
  }

  /** @param {Frame} error @returns {boolean} whether it answers this room's join */
  joinRefused(error) {
    const fault = this.seat.refused(error);
    if (!(fault instanceof ChatError)) return fault;
    this.#host.outbox.fail(fault, this.key);
    if (!this.seat.drop(fault)) this.tell('fault', fault);
    return true;
  }

  /** A send was answered `not_joined`. @returns {boolean} whether the room is joined again */
  joinAgain() {
    this.seat.down();
    this.seat.ask();
    return this.seat.wanted;
  }

  /** @param {Overview} [overview] none when the server knows no event here */
  applyOverview(overview = { unread: 0, mentions: 0, head: 0, read: 0, last: null }) { this.cursors.overview(overview); }

  /** @param {Frame} frame a frame of this conversation */
  receive(frame) {
    const { type, from, name, data } = frame;
    switch (type) {
      case 'ack': return this.#acknowledged(frame);
      case 'durable': return this.#durable(frame.seq);
      case 'joined': return this.#onJoined(frame);
      case 'resumed': return this.sync.resumed(frame);
      case 'online': case 'offline': return this.#presence(frame);
      case 'presence': this.count = frame.count; return this.#change({ kind: 'members' });
      case 'typing': return from === this.me ? undefined : this.typingUsers.set(from, frame.active);
      case 'member': return this.#member(frame);
      case 'signal': return this.tell('signal', { from, name, data });
      case 'read': return this.#read(from, frame.seq);
      default: return this.sync.take(/** @type {any} */ (frame));
    }
  }

  /** @param {boolean} forget false when a later page shall send what is not acknowledged @param {LeftReason} [reason] */
  dispose(forget, reason) {
    if (this.disposed) return;
    this.leftReason = reason;
    if (!forget) this.cursors.flush();
    this.disconnected();
    const fault = new ChatError('closed', `The conversation was left${reason ? ` (${reason})` : ''}.`);
    this.seat.drop(fault);
    this.#host.outbox.fail(fault, this.key, forget);
    this.cursors.dispose(fault);
    this.#lifetime.abort(fault);
  }

  /** @param {Change} change */
  #change(change) { this.tell('change', change); }

  /** @param {number} first from where on all messages are loaded */
  #unreadFrom(first) {
    return { unread: this.cursors.unread(this.messages, first), mentions: this.cursors.mentions(this.messages, first, this.me) };
  }

  /** @param {string} nonce @param {Error} error */
  #failed(nonce, error) {
    Object.assign(this.pending.find((p) => p.nonce === nonce) ?? {}, { state: 'failed', error });
    this.#change({ kind: 'pending' });
  }

  /** @param {string} ref */
  #sendJoin(ref) {
    const { last, epoch, place } = this.sync.timeline;
    this.#joinWithReplay = last !== null && epoch !== null;
    this.#host.send({ type: 'join', ...this.where, ref, ...(this.#joinWithReplay && place) });
  }

  /** @param {Frame} frame */
  #onJoined(frame) {
    if (!this.seat.take(frame)) return;
    const { role, visibility, sending, name, topic } = frame;
    this.room = { role, visibility, sending, name, topic };
    this.members = new Set(frame.members);
    this.count = frame.count;
    for (const user of frame.typing) if (user !== this.me) this.typingUsers.set(user, true);
    this.sync.joined(frame.seq, frame.epoch, this.#joinWithReplay);
    this.cursors.learn(frame.read);
    this.cursors.flush();
    if (this.isInexact) this.#host.recount();
    this.seat.ready();
    this.#change({ kind: 'ready' });
    this.#host.outbox.pump(this.key);
  }

  /** What a call says of the room. @param {Room} room */
  learnRoom({ role = this.room.role, visibility, sending, name, topic }) {
    this.room = { role, visibility, sending, name, topic };
    this.#change({ kind: 'room' });
  }

  /** @param {Frame} frame */
  #member(frame) {
    if (frame.user === this.me && frame.role !== undefined) {
      this.room.role = frame.role;
      this.#change({ kind: 'room' });
    }
    this.tell('member', frame);
  }

  /** @param {number} seq */
  #durable(seq) {
    const messages = this.sync.timeline.setDurable(seq);
    if (messages.length > 0) this.#change({ kind: 'update', messages });
    this.sync.expect(seq);
  }

  /** @param {Frame} ack */
  #acknowledged({ nonce, id, seq, epoch, timestamp, duplicate }) {
    this.#settle(nonce, { id, seq, epoch, timestamp, duplicate });
    this.sync.expect(seq, epoch);
  }

  /** @param {string} nonce @param {Receipt} receipt */
  #settle(nonce, receipt) {
    this.#host.outbox.accepted(nonce, receipt);
    const pending = this.pending.find((p) => p.nonce === nonce);
    if (!pending) return;
    if (receipt.seq <= this.head) {
      this.discard(nonce);
    } else if (pending.state !== 'accepted') {
      Object.assign(pending, { state: 'accepted', seq: receipt.seq });
      this.#change({ kind: 'pending' });
    }
  }

  /** @param {ChatEvent[]} events in order */
  #deliver(events) {
    const changed = { append: /** @type {Message[]} */ ([]), update: /** @type {Message[]} */ ([]) };
    for (const event of events) {
      const { id, seq, from, timestamp, nonce } = event;
      const added = isMessage(event);
      const message = this.sync.timeline.message(added ? seq : event.target ?? 0);
      if (message) changed[added ? 'append' : 'update'].push(message);
      if (added) this.typingUsers.set(from, false);
      // The user's own copy may come before its ack or without it, and says the same.
      if (nonce !== undefined && from === this.me) {
        this.#settle(nonce, { id, seq, epoch: this.epoch ?? '', timestamp, duplicate: false });
      }
      this.discard(this.pending.find((p) => p.seq === seq)?.nonce ?? '');
    }
    if (this.messages.length > LOADED_MAX * 1.1) this.trim(LOADED_MAX);
    if (changed.append.length > 0) this.#change({ kind: 'append', messages: changed.append });
    if (changed.update.length > 0) this.#change({ kind: 'update', messages: changed.update });
    for (const event of events) this.tell('event', event);
  }

  #onReset() {
    this.cursors.reset();
    this.#host.recount();
    this.#change({ kind: 'reset' });
  }

  /** @param {number} count */
  #prepended(count) {
    for (const { nonce, seq } of [...this.pending]) if (seq !== undefined && seq <= this.head) this.discard(nonce);
    this.#change({ kind: 'prepend', count });
  }

  /** @param {Frame} frame */
  #presence({ type, users, count }) {
    // The server names all members, for example after it lost their presence.
    if (type === 'online' && users.length === count) this.members.clear();
    for (const user of users) {
      this.members[type === 'online' ? 'add' : 'delete'](user);
      if (type === 'offline') this.typingUsers.set(user, false);
    }
    this.count = count;
    this.#change({ kind: 'members' });
  }

  /** @param {string} from @param {number} seq */
  #read(from, seq) {
    const own = from === this.me;
    this.cursors.receive(own ? null : from, seq);
    if (own && this.isInexact) this.#host.recount();
  }
}
