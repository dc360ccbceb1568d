import { ChatError, keyOf } from './protocol.js';
import { ReadCursors } from './reading.js';
import { RoomSeat } from './seat.js';
import { Sync } from './sync.js';
import { isMessage } from './timeline.js';
import { TypingSender, TypingUsers } from './typing.js';
import { abortable, Emitter, newNonce } from './util.js';

/** @import {Cancel, Change, ChatEvent, Clock, Details, Frame, Member, MemberChange, Message, Overview, Pending, Receipt, Signal, Stored, Where} from './types.js' */
/**
 * What a conversation needs from its client.
 * @typedef {{clock: Clock, api: import('./api.js').Api, outbox: import('./outbox.js').Outbox,
 *   me: () => string|null, connected: () => boolean, send: (frame: Frame) => boolean, ref: () => string,
 *   leaving: () => boolean, recount: () => void}} Session `leaving`: whether the room's `leave` is unanswered; `recount`: `unread` is not
 *   exact, so the server is asked
 */

/** Most messages kept without a call of `trim`. The oldest go first, a tenth at a time. */
const LOADED_MAX = 10_000;

/**
 * A room or the direct conversation with a user: its messages in order and once each, pending sends, members and typing users. `event`
 * gives each event of the log after the join once, in the order of `seq`. `change` says what to draw. `lost` names events that neither
 * the socket nor history has.
 * @extends {Emitter<{event: ChatEvent, change: Change, lost: {from: number, to: number}, signal: Signal, member: MemberChange, fault: ChatError}>}
 */
export class Conversation extends Emitter {
  /** The user's messages on their way, in order. @type {Pending[]} */
  pending = [];
  /** The room's online members, as far as the server named them. @type {Set<string>} */
  members = new Set();
  /** How many are online. */
  count = 0;
  #session;
  #sync;
  #typingSender;
  #typingUsers;
  #cursors;
  #seat;
  #joinWithReplay = false;
  #lifetime = new AbortController();

  /** @param {Session} session @param {Where} where */
  constructor(session, where) {
    super();
    this.where = where;
    this.key = keyOf(where);
    /** @type {'room'|'direct'} */
    this.kind = where.room !== undefined ? 'room' : 'direct';
    /** The room, or the other user. @type {string} */
    this.name = where.room ?? where.to ?? '';
    this.#session = session;
    this.#seat = new RoomSeat(session, (ref) => this.#sendJoin(ref));
    this.#typingSender = new TypingSender(session.clock, (active) => session.send({ type: 'typing', ...where, active }));
    this.#typingUsers = new TypingUsers(session.clock, () => this.emit('change', { kind: 'typing' }));
    this.#cursors = new ReadCursors(
      session.clock, (seq) => this.ready && session.send({ type: 'read', ...where, seq }), () => this.emit('change', { kind: 'read' }));
    this.#sync = new Sync({
      where, clock: session.clock, api: session.api, me: session.me, signal: this.#lifetime.signal,
      connected: () => this.ready,
      on: {
        delivered: (events) => this.#deliver(events),
        prepended: (count) => this.#prepended(count),
        reset: () => this.#onReset(),
        lost: (range) => this.emit('lost', range),
        fault: (error) => this.emit('fault', error),
      },
    });
  }

  /** Loaded messages in the order of seq. @returns {readonly Message[]} */
  get messages() { return this.#sync.timeline.messages; }
  /** The seq of the newest event given out; 0 when unknown. */
  get head() { return this.#sync.timeline.last ?? 0; }
  /** @returns {string|null} */
  get epoch() { return this.#sync.timeline.epoch; }
  /** Whether the oldest message is loaded. */
  get atStart() { return this.#sync.timeline.atStart; }
  /** Who else is typing. */
  get typingUsers() { return this.#typingUsers.users; }
  /** Whether the room is subscribed on this connection. */
  get joined() { return this.#seat.joined; }
  /** Whether to join the room on every connection. */
  get wanted() { return this.#seat.wanted; }
  /** Whether events can be sent now. */
  get ready() { return this.#session.connected() && (this.kind === 'direct' || this.joined); }
  /** Whether the conversation was left or its client closed. */
  get disposed() { return this.#lifetime.signal.aborted; }

  /** The user's own read cursor; 0 while `readKnown` is false. */
  get read() { return this.#cursors.own; }
  get readKnown() { return this.#cursors.known; }
  /** Others' read cursors, as far as known. */
  get reads() { return this.#cursors.others; }
  /** Others' messages above the own read cursor. */
  get unread() { return this.#cursors.unread(this.messages, this.#first); }
  /** Whether `unread` is exact, or the best guess until the server is asked. */
  get unreadKnown() { return this.#cursors.isExact(this.#first); }
  /** Other users who have read up to `seq`, as far as known. @param {number} seq @returns {string[]} */
  readBy(seq) { return [...this.reads].filter(([, read]) => read >= seq).map(([user]) => user); }

  /**
   * Sends a message, and repeats it over any number of connections and reloads until it is in the log.
   * @param {string} content @param {Cancel & Details} [options] the signal takes back a message that was not sent yet; `replyTo`,
   * `mentions` and `meta` are what the message carries beside its text
   * @returns {Promise<Receipt>} resolves when it is in the log; rejects with a ChatError when it is refused for good
   */
  async send(content, { signal, ...details } = {}) {
    this.#lifetime.signal.throwIfAborted();
    const nonce = newNonce();
    this.pending.push({ nonce, content, created: this.#session.clock.date(), state: 'sending', details });
    this.#typingSender.stop();
    this.emit('change', { kind: 'pending' });
    try {
      const frame = { type: this.kind === 'room' ? 'room' : 'dm', ...this.where, content, nonce, ...details };
      return await this.#session.outbox.add(this.key, frame, signal);
    } catch (error) {
      if (signal?.aborted) this.discard(nonce);
      else this.#failed(nonce, /** @type {Error} */ (error));
      throw error;
    }
  }

  /** Sends a failed message again, as a new one. @param {string} nonce @returns {Promise<Receipt>|undefined} */
  retry(nonce) {
    const failed = this.discard(nonce);
    return failed && this.send(failed.content, failed.details);
  }

  /** Removes a failed message. @param {string} nonce */
  discard(nonce) {
    const index = this.pending.findIndex((p) => p.nonce === nonce);
    if (index < 0) return undefined;
    const [pending] = this.pending.splice(index, 1);
    this.emit('change', { kind: 'pending' });
    return pending;
  }

  /**
   * @param {number} target the message's seq @param {string} content
   * @param {Cancel & {mentions?: string[], meta?: Record<string, any>}} [options] those that it does not name stay
   * @returns {Promise<Receipt>}
   */
  edit(target, content, { signal, ...details } = {}) { return this.#act({ type: 'edit', target, content, ...details }, { signal }); }
  /** @param {number} target the message's seq @param {Cancel} [options] @returns {Promise<Receipt>} */
  delete(target, options) { return this.#act({ type: 'delete', target }, options); }
  /** @param {number} target @param {string} emoji @param {Cancel & {remove?: boolean}} [options] @returns {Promise<Receipt>} */
  react(target, emoji, { remove = false, signal } = {}) { return this.#act({ type: 'react', target, emoji, remove }, { signal }); }

  /** Call it at each key stroke. It sends few frames. */
  typing() { if (this.ready) this.#typingSender.touch(); }
  /**
   * Sends the others an event of the product's own, which is not stored and may be lost. They get it as `signal`.
   * @param {string} name @param {any} [data] JSON, at most 4 KiB @returns {boolean} false without a connection
   */
  signal(name, data) {
    const frame = { type: 'signal', ...this.where, name, ...(data !== undefined && { data }) };
    return this.ready && this.#session.send(frame);
  }

  stopTyping() { this.#typingSender.stop(); }
  /** Moves the user's read cursor forward. @param {number} [seq] default: the newest */
  markRead(seq = this.head) { this.#cursors.move(seq); }

  /** Loads older messages. @param {Cancel & {limit?: number}} [options] @returns how many; 0 at the start */
  older({ limit, signal } = {}) { return abortable(this.#sync.older(limit), signal); }

  /** Drops the oldest loaded messages. @param {number} keep how many stay */
  trim(keep) {
    const before = this.unread;
    const count = this.#sync.timeline.trim(keep);
    if (count === 0) return;
    this.#cursors.dropped(before, this.#cursors.unread(this.messages, this.read + 1), this.#first);
    this.emit('change', { kind: 'trim', count });
  }

  /** The room's first 200 members, with their read cursors. @param {Cancel} [options] @returns {Promise<Member[]>} */
  async loadMembers(options) {
    const { items } = await this.#session.api.members(this.name, options);
    for (const { user, read } of items) this.#read(user, read);
    return items;
  }

  // Only the client calls the following.

  /** @param {AbortSignal} [signal] stops only the wait @returns {Promise<void>} resolves when joined */
  join(signal) {
    if (this.disposed) return Promise.reject(this.#lifetime.signal.reason);
    return abortable(this.#seat.want(), signal);
  }

  /** Takes over a send that an earlier page left. @param {Stored} stored */
  adopt({ nonce, frame, created }) {
    if (isMessage(/** @type {any} */ (frame))) {
      const { content, replyTo, mentions, meta } = frame;
      this.pending.unshift({ nonce, content, created, state: 'sending', details: { replyTo, mentions, meta } });
    }
    this.emit('change', { kind: 'pending' });
    return { resolve: () => {}, reject: (/** @type {Error} */ error) => this.#failed(nonce, error) };
  }

  /** The client is connected. */
  connected() {
    // A room's cursor goes once the room is joined.
    this.#cursors.flush();
    if (this.kind !== 'room') this.emit('change', { kind: 'ready' });
    else this.#seat.ask();
  }

  /** A `leave` of this room was answered after the room was joined again. */
  leftBefore() { this.#seat.ask(); }
  /** Whether a `join` is under way. */
  get isJoining() { return this.#seat.isAsking; }

  /** Events do not name their log. Only the answer to `resume` does. */
  get isNameless() { return this.kind !== 'room' && this.epoch === null && !this.#sync.catchingUp; }

  /** @returns {Frame|null} this conversation's entry in `resume` */
  resume() {
    if (this.kind === 'room' || this.#sync.timeline.last === null) return null;
    this.#sync.catchUp();
    return /** @type {any} */ ({ ...this.where, ...this.#sync.timeline.place });
  }

  disconnected() {
    this.#seat.down();
    this.#cursors.disconnected();
    this.#typingSender.reset();
    this.#typingUsers.clear();
    this.#sync.disconnected();
    this.emit('change', { kind: 'ready' });
  }

  /** A `resume` of this conversation was refused. */
  resumeRefused() { this.#sync.lookForMissed(); }

  /** @param {Frame} error @returns {boolean} whether it answers this room's join */
  joinRefused(error) {
    const fault = this.#seat.refused(error);
    if (!(fault instanceof ChatError)) return fault;
    this.#session.outbox.fail(fault, this.key);
    if (!this.#seat.drop(fault)) this.emit('fault', fault);
    return true;
  }

  /** A send was answered `not_joined`. @returns {boolean} whether the room is joined again */
  joinAgain() {
    this.#seat.down();
    this.#seat.ask();
    return this.wanted;
  }

  /** @param {Overview} [overview] none when the server knows no event here */
  applyOverview(overview = { unread: 0, mentions: 0, head: 0, read: 0, last: null }) { this.#cursors.overview(overview); }

  /** @param {Frame} frame a frame of this conversation */
  receive(frame) {
    switch (frame.type) {
      case 'ack': return this.#acknowledged(frame);
      case 'durable': return this.#durable(frame.seq);
      case 'joined': return this.#onJoined(frame);
      case 'resumed': return this.#sync.resumed(frame);
      case 'online': case 'offline': return this.#presence(frame);
      case 'presence': this.count = frame.count; return this.emit('change', { kind: 'members' });
      case 'typing': return frame.from === this.#session.me() ? undefined : this.#typingUsers.set(frame.from, frame.active);
      case 'member': return this.emit('member', /** @type {any} */ (frame));
      case 'signal': return this.emit('signal', /** @type {any} */ ({ from: frame.from, name: frame.name, data: frame.data }));
      case 'read': return this.#read(frame.from, frame.seq);
      default: return this.#sync.take(/** @type {any} */ (frame));
    }
  }

  /** @param {boolean} forget false when a later page shall send what is not acknowledged */
  dispose(forget) {
    if (this.disposed) return;
    if (!forget) this.#cursors.flush();
    this.disconnected();
    const fault = new ChatError('closed', 'The conversation was left.');
    this.#seat.drop(fault);
    this.#session.outbox.fail(fault, this.key, forget);
    this.#cursors.dispose();
    this.#lifetime.abort(fault);
  }

  /** @param {Frame} event @param {Cancel} [options] */
  async #act(event, options) {
    this.#lifetime.signal.throwIfAborted();
    return this.#session.outbox.add(this.key, { ...event, ...this.where, nonce: newNonce() }, options?.signal);
  }

  /** @param {string} nonce @param {Error} error */
  #failed(nonce, error) {
    Object.assign(this.pending.find((p) => p.nonce === nonce) ?? {}, { state: 'failed', error });
    this.emit('change', { kind: 'pending' });
  }

  /** The seq from which on all is loaded; Infinity when nothing is. */
  get #first() { return this.#sync.timeline.last === null ? Infinity : this.#sync.timeline.first; }

  /** @param {string} ref */
  #sendJoin(ref) {
    const { last, epoch, place } = this.#sync.timeline;
    this.#joinWithReplay = last !== null && epoch !== null;
    this.#session.send({ type: 'join', ...this.where, ref, ...(this.#joinWithReplay && place) });
  }

  /** @param {Frame} frame */
  #onJoined(frame) {
    if (!this.#seat.take(frame)) return;
    this.members = new Set(frame.members);
    this.count = frame.count;
    for (const user of frame.typing) if (user !== this.#session.me()) this.#typingUsers.set(user, true);
    this.#sync.joined(frame.seq, frame.epoch, this.#joinWithReplay);
    this.#cursors.learn(frame.read);
    this.#cursors.flush();
    if (!this.unreadKnown) this.#session.recount();
    this.#seat.ready();
    this.emit('change', { kind: 'ready' });
    this.#session.outbox.pump(this.key);
  }

  /** @param {number} seq */
  #durable(seq) {
    const messages = this.#sync.timeline.setDurable(seq);
    if (messages.length > 0) this.emit('change', { kind: 'update', messages });
    this.#sync.expect(seq);
  }

  /** @param {Frame} ack */
  #acknowledged({ nonce, id, seq, epoch, timestamp, duplicate }) {
    this.#settle(nonce, { id, seq, epoch, timestamp, duplicate });
    this.#sync.expect(seq, epoch);
  }

  /** @param {string} nonce @param {Receipt} receipt */
  #settle(nonce, receipt) {
    this.#session.outbox.accepted(nonce, receipt);
    const pending = this.pending.find((p) => p.nonce === nonce);
    if (!pending) return;
    if (receipt.seq <= this.head) {
      this.discard(nonce);
    } else if (pending.state !== 'accepted') {
      Object.assign(pending, { state: 'accepted', seq: receipt.seq });
      this.emit('change', { kind: 'pending' });
    }
  }

  /** @param {ChatEvent[]} events in order */
  #deliver(events) {
    const changed = { append: /** @type {Message[]} */ ([]), update: /** @type {Message[]} */ ([]) };
    for (const event of events) {
      const { id, seq, from, timestamp, nonce } = event;
      const added = isMessage(event);
      const message = this.#sync.timeline.message(added ? seq : event.target ?? 0);
      if (message) changed[added ? 'append' : 'update'].push(message);
      if (added) this.#typingUsers.set(from, false);
      // The user's own copy may come before its ack or without it, and says the same.
      if (nonce !== undefined && from === this.#session.me()) {
        this.#settle(nonce, { id, seq, epoch: this.epoch ?? '', timestamp, duplicate: false });
      }
      this.discard(this.pending.find((p) => p.seq === seq)?.nonce ?? '');
    }
    if (this.messages.length > LOADED_MAX * 1.1) this.trim(LOADED_MAX);
    if (changed.append.length > 0) this.emit('change', { kind: 'append', messages: changed.append });
    if (changed.update.length > 0) this.emit('change', { kind: 'update', messages: changed.update });
    for (const event of events) this.emit('event', event);
  }

  #onReset() {
    this.#cursors.reset();
    this.#session.recount();
    this.emit('change', { kind: 'reset' });
  }

  /** @param {number} count */
  #prepended(count) {
    for (const { nonce, seq } of [...this.pending]) if (seq !== undefined && seq <= this.head) this.discard(nonce);
    this.emit('change', { kind: 'prepend', count });
  }

  /** @param {Frame} frame */
  #presence({ type, users, count }) {
    // The server names all members, for example after it lost their presence.
    if (type === 'online' && users.length === count) this.members.clear();
    for (const user of users) {
      this.members[type === 'online' ? 'add' : 'delete'](user);
      if (type === 'offline') this.#typingUsers.set(user, false);
    }
    this.count = count;
    this.emit('change', { kind: 'members' });
  }

  /** @param {string} from @param {number} seq */
  #read(from, seq) {
    const own = from === this.#session.me();
    this.#cursors.receive(own ? null : from, seq);
    if (own && !this.unreadKnown) this.#session.recount();
  }
}
