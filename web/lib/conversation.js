import { Emitter } from './emitter.js';
import { abortable } from './util.js';

/** @import {Cancel, Change, ChatEvent, Details, LeftReason, Member, MemberChange, Message, Pending, Receipt, Role, Signal, Where} from './types.js' */
/** @import {ChatError} from './protocol.js' */

/**
 * A room or the direct conversation with a user: its messages in order and once each, pending sends, members and typing users.
 *
 * - `event`: each event of the log after the join, once, in the order of `seq`
 * - `change`: what to draw
 * - `lost`: events that neither the socket nor history has
 * - `signal`: another user's signal
 * - `member`: what somebody changed about a member of the room
 * - `fault`: an error that the client works around
 * @extends {Emitter<{event: ChatEvent, change: Change, lost: {from: number, to: number}, signal: Signal, member: MemberChange, fault: ChatError}>}
 */
export class Conversation extends Emitter {
  /** The room or the other user, as frames name it. @type {Where} */
  where;
  /** The key in `ChatClient.conversations`. @type {string} */
  key;
  /** What it is. @type {'room'|'direct'} */
  kind;
  /** The id of the room, or of the other user. @type {string} */
  name;
  #link;

  /** The client makes them: `join` and `direct`. @private */
  constructor(/** @type {import('./link.js').Link} */ link) {
    super();
    this.#link = link;
    this.where = link.where;
    this.key = link.key;
    this.kind = link.kind;
    this.name = link.where.room ?? link.where.to ?? '';
    link.tell = (name, value) => this.emit(name, value);
  }

  /** Loaded messages in the order of seq. @returns {readonly Message[]} */
  get messages() { return this.#link.messages; }
  /** The user's messages on their way, in order. @returns {readonly Pending[]} */
  get pending() { return this.#link.pending; }
  /** The seq of the newest event given out; 0 when unknown. */
  get head() { return this.#link.head; }
  /** The log's name, which changes only if the log was rebuilt; null when unknown. @returns {string|null} */
  get epoch() { return this.#link.epoch; }
  /** Whether the oldest message is loaded. */
  get atStart() { return this.#link.sync.timeline.atStart; }
  /** The room's online members, as far as the server named them. @returns {ReadonlySet<string>} */
  get members() { return this.#link.members; }
  /** How many members are online. */
  get count() { return this.#link.count; }
  /** Who else is typing. */
  get typingUsers() { return this.#link.typingUsers.users; }

  /** Whether the room is subscribed on this connection. */
  get joined() { return this.#link.seat.joined; }
  /** Whether to join the room on every connection. */
  get wanted() { return this.#link.seat.wanted; }
  /** Whether events can be sent now. */
  get ready() { return this.#link.ready; }
  /** Whether the conversation was left or its client closed. */
  get disposed() { return this.#link.disposed; }
  /** Why the room was left, if not by the user: `removed`, `banned`, `deleted` or `forbidden`. @returns {LeftReason|undefined} */
  get leftReason() { return this.#link.leftReason; }

  /** The user's role in the room, as the server said it last. @returns {Role|undefined} */
  get role() { return this.#link.room.role; }
  /** Who may see the room, as it was at the last join, or at a call of `rooms.get` or `update` since. @returns {'public'|'private'|undefined} */
  get visibility() { return this.#link.room.visibility; }
  /** Who may send in the room, as it was at the last join, or at a call of `rooms.get` or `update` since. @returns {'members'|'moderators'|undefined} */
  get sending() { return this.#link.room.sending; }
  /** The room's `name`, if it has one, as it was at the last join, or at a call of `rooms.get` or `update` since. @returns {string|undefined} */
  get title() { return this.#link.room.name; }
  /** What the room is about, as it was at the last join, or at a call of `rooms.get` or `update` since. @returns {string|undefined} */
  get topic() { return this.#link.room.topic; }

  /** The user's own read cursor; 0 while `readKnown` is false. */
  get read() { return this.#link.cursors.own; }
  /** Whether the server has told the user's own read cursor. */
  get readKnown() { return this.#link.cursors.known; }
  /** Others' read cursors, as far as known. @returns {ReadonlyMap<string, number>} */
  get reads() { return this.#link.cursors.others; }
  /** Others' messages above the own read cursor. */
  get unread() { return this.#link.cursors.unread(this.messages, this.#link.first); }
  /** How many of the unread messages mention the user. */
  get mentions() { return this.#link.cursors.mentions(this.messages, this.#link.first, this.#link.me); }
  /** Whether `unread` and `mentions` are exact, or the best guess until the server is asked. */
  get unreadKnown() { return this.#link.cursors.isExact(this.#link.first); }
  /** Other users who have read up to `seq`, as far as known. @param {number} seq @returns {string[]} */
  readBy(seq) { return [...this.reads].filter(([, read]) => read >= seq).map(([user]) => user); }

  /**
   * Sends a message, and repeats it over any number of connections and reloads until it is in the log.
   * @param {string} content @param {Cancel & Details} [options] the signal takes back a message that was not sent yet; `replyTo`,
   * `mentions` and `meta` are what the message carries beside its text
   * @returns {Promise<Receipt>} resolves when it is in the log; rejects with a ChatError when it is refused for good
   */
  send(content, options = {}) { return this.#link.send(content, options); }

  /** Sends a failed message again, as a new one. @param {string} nonce @returns {Promise<Receipt>|undefined} undefined when there is none */
  retry(nonce) {
    const failed = this.discard(nonce);
    return failed && this.send(failed.content, failed.details);
  }

  /** Removes a failed message. @param {string} nonce @returns {Pending|undefined} */
  discard(nonce) { return this.#link.discard(nonce); }

  /**
   * Changes a message of the user's own.
   * @param {number} target the message's seq @param {string} content
   * @param {Cancel & {mentions?: string[], meta?: Record<string, any>}} [options] those that it does not name stay
   * @returns {Promise<Receipt>} resolves when the edit is in the log
   */
  edit(target, content, { signal, ...details } = {}) { return this.#link.act({ type: 'edit', target, content, ...details }, signal); }
  /**
   * Deletes a message of the user's own, or, as a moderator, anybody's.
   * @param {number} target the message's seq @param {Cancel} [options] @returns {Promise<Receipt>} resolves when the deletion is in the log
   */
  delete(target, { signal } = {}) { return this.#link.act({ type: 'delete', target }, signal); }
  /**
   * Adds a reaction of the user's, or takes it away.
   * @param {number} target the message's seq @param {string} emoji @param {Cancel & {remove?: boolean}} [options]
   * @returns {Promise<Receipt>} resolves when the reaction is in the log
   */
  react(target, emoji, { remove = false, signal } = {}) { return this.#link.act({ type: 'react', target, emoji, remove }, signal); }

  /** Call it at each key stroke. It sends few frames. */
  typing() { if (this.ready) this.#link.typingSender.touch(); }
  /** The text was emptied. A send does this too. */
  stopTyping() { this.#link.typingSender.stop(); }
  /**
   * Sends the others an event of the product's own, which is not stored and may be lost. They get it as `signal`.
   * @param {string} name @param {any} [data] JSON, at most 4 KiB @returns {boolean} false without a connection
   */
  signal(name, data) { return this.#link.tryToSend({ type: 'signal', name, ...(data !== undefined && { data }) }); }

  /**
   * Moves the user's read cursor forward. The server hears of it at most once a second.
   * @param {number} [seq] default: the newest @param {Cancel} [options] stops waiting
   * @returns {Promise<void>} resolves when the server has it, over any number of connections
   */
  markRead(seq = this.head, { signal } = {}) { return abortable(this.#link.markRead(seq), signal); }

  /** Loads older messages. @param {Cancel & {limit?: number}} [options] @returns {Promise<number>} how many; 0 at the start */
  older({ limit, signal } = {}) { return abortable(this.#link.sync.older(limit), signal); }

  /** Drops the oldest loaded messages. @param {number} keep how many stay */
  trim(keep) { this.#link.trim(keep); }

  /** The room's first 200 members, with their read cursors, which `readBy` then knows. @param {Cancel} [options] @returns {Promise<Member[]>} */
  loadMembers(options) { return this.#link.loadMembers(options); }
}
