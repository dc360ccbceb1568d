import { withResolvers } from './clock.js';
import { Emitter } from './emitter.js';
import { ChatError, keyOf } from './protocol.js';
import { Sync } from './sync.js';
import { TypingSender, TypingUsers } from './typing.js';

/** @typedef {import('./protocol.js').ChatEvent} ChatEvent */
/** @typedef {import('./protocol.js').Frame} Frame */
/** @typedef {import('./protocol.js').Receipt} Receipt */
/** @typedef {import('./timeline.js').Message} Message */
/**
 * An own message that is not in the timeline yet. `accepted`: it is in the log and its copy is about to come.
 * @typedef {{nonce: string, content: string, created: number, state: 'sending'|'accepted'|'failed', seq?: number, error?: ChatError}} Pending
 */
/**
 * What changed in a conversation; `messages` are those to draw or to draw again.
 * @typedef {{kind: 'append'|'update', messages: Message[]} | {kind: 'prepend', count: number}
 *   | {kind: 'reset'|'pending'|'members'|'typing'|'read'|'ready'}} Change
 */
/**
 * What a conversation needs from its client.
 * @typedef {{clock: import('./clock.js').Clock, api: import('./api.js').Api, outbox: import('./outbox.js').Outbox,
 *   me: () => string|null, connected: () => boolean, send: (frame: Frame) => boolean, ref: () => string, nonce: () => string}} Session
 */

const READ_EVERY_MS = 1000;
const JOIN_WITHIN_MS = 15_000;

/**
 * A room or the direct conversation with a user: its messages in order and once each, those still on their way, who is there, who is typing.
 * `event` gives each event of the log that comes after the join, in the order of `seq`, once. `change` says what to draw.
 * @extends {Emitter<{event: ChatEvent, change: Change, lost: {from: number, to: number}, fault: ChatError}>}
 */
export class Conversation extends Emitter {
  /** @type {string} */
  key;
  /** The room, or the other user. @type {string} */
  name;
  /** @type {'room'|'direct'} */
  kind;
  /** @type {import('./protocol.js').Where} */
  where;
  /** Own messages on their way, in the order of sending. @type {Pending[]} */
  pending = [];
  /** Members of the room that are online, at most those that the server named. @type {Set<string>} */
  members = new Set();
  /** How many members are online. */
  count = 0;
  /** The user's own read cursor. */
  read = 0;
  /** Others' read cursors, as far as known. @type {Map<string, number>} */
  reads = new Map();
  /** Whether the room is subscribed on the present connection; always false for a direct conversation. */
  joined = false;
  /** Whether the room is to be joined on every connection. */
  wanted = false;
  #session;
  #sync;
  #typingSender;
  #typingUsers;
  #base = { unread: 0, head: 0 };
  #sentRead = 0;
  /** @type {any} */
  #readTimer = null;
  /** @type {any} */
  #joinTimer = null;
  #joinRef = '';
  #joinWithReplay = false;
  /** @type {PromiseWithResolvers<void>|null} */
  #joining = null;
  #lifetime = new AbortController();

  /** @param {Session} session @param {import('./protocol.js').Where} where */
  constructor(session, where) {
    super();
    this.where = where;
    this.key = keyOf(where);
    this.kind = where.room !== undefined ? 'room' : 'direct';
    this.name = where.room ?? where.to ?? '';
    this.#session = session;
    this.#typingSender = new TypingSender(session.clock, (active) => session.send({ type: 'typing', ...where, active }));
    this.#typingUsers = new TypingUsers(session.clock, () => this.#change({ kind: 'typing' }));
    this.#sync = new Sync({
      where, clock: session.clock, api: session.api, me: session.me, signal: this.#lifetime.signal,
      connected: () => session.connected() && (this.kind === 'direct' || this.joined),
      on: {
        delivered: (events) => this.#deliver(events),
        prepended: (count) => this.#prepended(count),
        reset: () => this.#change({ kind: 'reset' }),
        lost: (range) => this.emit('lost', range),
        fault: (error) => this.emit('fault', error),
      },
    });
  }

  /** Loaded messages in the order of seq. @returns {readonly Message[]} */
  get messages() { return this.#sync.timeline.messages; }
  /** The seq of the newest event that was given out; 0 when unknown. */
  get head() { return this.#sync.timeline.last ?? 0; }
  /** @returns {string|null} */
  get epoch() { return this.#sync.timeline.epoch; }
  /** Whether the oldest message is loaded. */
  get atStart() { return this.#sync.timeline.atStart; }
  /** Who else is typing. */
  get typingUsers() { return this.#typingUsers.users; }
  /** Whether events can be sent now. */
  get ready() { return this.#session.connected() && (this.kind === 'direct' || this.joined); }

  /** Messages by others above the read cursor, as far as the client knows. */
  get unread() {
    const above = Math.max(this.read, this.#base.head);
    let count = this.read >= this.#base.head ? 0 : this.#base.unread;
    for (let i = this.messages.length - 1; i >= 0 && this.messages[i].seq > above; i--) if (!this.messages[i].own) count++;
    return count;
  }

  /**
   * Sends a message: it is kept, and sent again over any number of connections, until it is in the log.
   * @param {string} content @param {{signal?: AbortSignal}} [options] the signal takes the message back while it has not been sent
   * @returns {Promise<Receipt>} when it is in the log; rejects with a ChatError when it is refused for good
   */
  async send(content, { signal } = {}) {
    /** @type {Pending} */
    const pending = { nonce: this.#session.nonce(), content, created: this.#session.clock.now(), state: 'sending' };
    this.pending.push(pending);
    this.#typingSender.stop();
    this.#change({ kind: 'pending' });
    try {
      const type = this.kind === 'room' ? 'room' : 'dm';
      return await this.#session.outbox.add(this.key, { type, ...this.where, content, nonce: pending.nonce }, signal);
    } catch (error) {
      if (signal?.aborted) {
        this.discard(pending.nonce);
      } else {
        pending.state = 'failed';
        pending.error = /** @type {ChatError} */ (error);
        this.#change({ kind: 'pending' });
      }
      throw error;
    }
  }

  /** Sends a failed message again, as a new one. @param {string} nonce @returns {Promise<Receipt>|undefined} */
  retry(nonce) {
    const failed = this.discard(nonce);
    return failed && this.send(failed.content);
  }

  /** Removes a failed message. @param {string} nonce */
  discard(nonce) {
    const index = this.pending.findIndex((p) => p.nonce === nonce);
    if (index < 0) return undefined;
    const [pending] = this.pending.splice(index, 1);
    this.#change({ kind: 'pending' });
    return pending;
  }

  /** @param {number} target the message's seq @param {string} content */
  edit(target, content) { return this.#act({ type: 'edit', target, content }); }
  /** @param {number} target the message's seq */
  delete(target) { return this.#act({ type: 'delete', target }); }
  /** @param {number} target the message's seq @param {string} emoji @param {boolean} [remove] takes it back */
  react(target, emoji, remove = false) { return this.#act({ type: 'react', target, emoji, remove }); }

  /** Call it at each key stroke; the frames are sent sparingly. */
  typing() { if (this.ready) this.#typingSender.touch(); }
  stopTyping() { this.#typingSender.stop(); }

  /** Moves the own read cursor forward. @param {number} [seq] default: the newest */
  markRead(seq = this.head) {
    if (seq <= this.read) return;
    this.read = seq;
    this.#change({ kind: 'read' });
    this.#readTimer ??= this.#session.clock.set(() => { this.#readTimer = null; this.#sendRead(); }, READ_EVERY_MS);
  }

  /** Loads older messages. @param {{limit?: number}} [options] @returns {Promise<number>} how many; 0 at the start */
  older(options) { return this.#sync.older(options); }

  /** Whether this conversation still stands in its client. */
  get disposed() { return this.#lifetime.signal.aborted; }

  // From here on: called by the client only.

  /** @param {AbortSignal} [signal] stops waiting; the room stays wanted @returns {Promise<void>} when joined */
  join(signal) {
    const asked = this.wanted;
    this.wanted = true;
    if (this.joined) return Promise.resolve();
    if (!this.#joining) {
      this.#joining = withResolvers();
      this.#joining.promise.catch(() => {});
      if (!asked && this.#session.connected()) this.#sendJoin();
    }
    const { promise } = this.#joining;
    if (!signal) return promise;
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      promise.then(resolve, reject);
    });
  }

  /** The client is connected (again). @returns {Frame|null} what a `resume` frame shall say of this direct conversation */
  connected() {
    if (this.read > this.#sentRead) this.#sendRead();
    if (this.kind === 'room') {
      if (this.wanted) this.#sendJoin();
      return null;
    }
    this.#change({ kind: 'ready' });
    const { last, epoch } = this.#sync.timeline;
    if (last === null) return null;
    this.#sync.catchUp();
    return /** @type {any} */ ({ ...this.where, since: last, ...(epoch ? { epoch } : {}) });
  }

  disconnected() {
    this.joined = false;
    this.#session.clock.clear(this.#joinTimer);
    this.#typingSender.reset();
    this.#typingUsers.clear();
    this.#sync.disconnected();
    this.#change({ kind: 'ready' });
  }

  /** A `resume` that held this conversation was refused. */
  resumeRefused() { this.#sync.lookForMissed(); }

  /** @param {Frame} error @returns {boolean} whether it answers this room's join */
  joinRefused(error) {
    if (error.ref !== this.#joinRef) return false;
    const { clock } = this.#session;
    clock.clear(this.#joinTimer);
    if (error.code === 'unavailable' || error.code === 'rate_limited') {
      this.#joinTimer = clock.set(() => this.#sendJoin(), (error.retryAfter ?? 1000) * (1 + clock.random() / 5));
      return true;
    }
    this.wanted = false;
    const fault = new ChatError(error.code, error.message);
    this.#session.outbox.fail(fault, this.key);
    if (this.#joining) this.#joining.reject(fault);
    else this.emit('fault', fault);
    this.#joining = null;
    return true;
  }

  /** A send was answered `not_joined`. @returns {boolean} whether the room is joined again */
  joinAgain() {
    this.joined = false;
    if (this.wanted) this.#sendJoin();
    return this.wanted;
  }

  /** @param {import('./api.js').Overview} overview */
  applyOverview(overview) {
    this.#base = { unread: overview.unread, head: overview.head };
    this.read = Math.max(this.read, overview.read);
    this.#sentRead = Math.max(this.#sentRead, overview.read);
    this.#change({ kind: 'read' });
  }

  /** @param {Frame} frame a frame of this conversation */
  receive(frame) {
    switch (frame.type) {
      case 'ack': return this.#acknowledged(frame);
      case 'durable': {
        const messages = this.#sync.timeline.setDurable(frame.seq);
        if (messages.length > 0) this.#change({ kind: 'update', messages });
        return this.#sync.expect(frame.seq);
      }
      case 'joined': return this.#onJoined(frame);
      case 'resumed': return this.#sync.resumed(frame);
      case 'online': case 'offline': return this.#presence(frame);
      case 'presence': this.count = frame.count; return this.#change({ kind: 'members' });
      case 'typing': return frame.from === this.#session.me() ? undefined : this.#typingUsers.set(frame.from, frame.active);
      case 'read': return this.#onRead(frame);
      default: return this.#sync.take(/** @type {ChatEvent} */ (/** @type {unknown} */ (frame)));
    }
  }

  dispose() {
    if (this.disposed) return;
    this.wanted = false;
    this.disconnected();
    const fault = new ChatError('closed', 'The conversation was left.');
    this.#joining?.reject(fault);
    this.#joining = null;
    this.#session.outbox.fail(fault, this.key);
    this.#session.clock.clear(this.#readTimer);
    this.#lifetime.abort(fault);
  }

  /** @param {{type: string, [field: string]: any}} event */
  #act(event) {
    return this.#session.outbox.add(this.key, { ...event, ...this.where, nonce: this.#session.nonce() });
  }

  #sendJoin() {
    const { clock, ref, send } = this.#session;
    const { last, epoch } = this.#sync.timeline;
    this.#joinRef = ref();
    this.#joinWithReplay = last !== null && epoch !== null;
    send({ type: 'join', ...this.where, ref: this.#joinRef, ...(this.#joinWithReplay ? { since: last, epoch } : {}) });
    clock.clear(this.#joinTimer);
    this.#joinTimer = clock.set(() => this.#sendJoin(), JOIN_WITHIN_MS);
  }

  /** @param {Frame} frame */
  #onJoined(frame) {
    this.#session.clock.clear(this.#joinTimer);
    this.joined = true;
    this.members = new Set(frame.members);
    this.count = frame.count;
    this.read = Math.max(this.read, frame.read);
    for (const user of frame.typing) if (user !== this.#session.me()) this.#typingUsers.set(user, true);
    this.#sync.joined(frame.seq, frame.epoch, this.#joinWithReplay);
    this.#joining?.resolve();
    this.#joining = null;
    this.#change({ kind: 'ready' });
    this.#session.outbox.pump(this.key);
  }

  /** @param {Frame} ack */
  #acknowledged(ack) {
    const { nonce, id, seq, epoch, timestamp, duplicate } = ack;
    this.#settle(nonce, { id, seq, epoch, timestamp, duplicate });
    this.#sync.expect(seq, epoch);
  }

  /** @param {string} nonce @param {Receipt} receipt */
  #settle(nonce, receipt) {
    this.#session.outbox.accepted(this.key, nonce, receipt);
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
      const isMessage = event.type === 'room' || event.type === 'dm';
      const message = this.#sync.timeline.message(isMessage ? event.seq : event.target ?? 0);
      if (message) changed[isMessage ? 'append' : 'update'].push(message);
      if (isMessage) this.#typingUsers.set(event.from, false);
      // The own copy says all that its ack says, and may come first; it may also come without, when the ack was lost with a connection.
      if (event.nonce !== undefined && event.from === this.#session.me()) {
        const { nonce, id, seq, timestamp } = event;
        this.#settle(nonce, { id, seq, epoch: this.epoch ?? '', timestamp, duplicate: false });
      }
      const acked = this.pending.find((p) => p.seq === event.seq);
      if (acked) this.discard(acked.nonce);
    }
    if (changed.append.length > 0) this.#change({ kind: 'append', messages: changed.append });
    if (changed.update.length > 0) this.#change({ kind: 'update', messages: changed.update });
    for (const event of events) this.emit('event', event);
  }

  /** @param {number} count */
  #prepended(count) {
    for (const { nonce, seq } of [...this.pending]) if (seq !== undefined && seq <= this.head) this.discard(nonce);
    this.#change({ kind: 'prepend', count });
  }

  /** @param {Frame} frame */
  #presence(frame) {
    for (const user of frame.users) {
      if (frame.type === 'online') {
        this.members.add(user);
      } else {
        this.members.delete(user);
        this.#typingUsers.set(user, false);
      }
    }
    this.count = frame.count;
    this.#change({ kind: 'members' });
  }

  /** @param {Frame} frame */
  #onRead({ from, seq }) {
    if (from === this.#session.me()) this.read = Math.max(this.read, seq);
    else this.reads.set(from, Math.max(this.reads.get(from) ?? 0, seq));
    this.#change({ kind: 'read' });
  }

  #sendRead() {
    if (this.ready && this.#session.send({ type: 'read', ...this.where, seq: this.read })) this.#sentRead = this.read;
  }

  /** @param {Change} change */
  #change(change) {
    this.emit('change', change);
  }
}
