/** @import {Clock, Message, Overview} from './types.js' */

const SEND_EVERY_MS = 1000;

/** Who has read how far in one conversation. The user's own cursor goes to the server at most once a second. */
export class ReadCursors {
  /** The user's own; 0 while it is not `known`. */
  own = 0;
  known = false;
  /** @type {Map<string, number>} */
  others = new Map();
  #clock;
  #send;
  #changed;
  #base = { unread: 0, head: 0 };
  #sent = 0;
  /** @type {any} */ #timer = null;

  /** @param {Clock} clock @param {(seq: number) => boolean} send false when it could not @param {() => void} changed */
  constructor(clock, send, changed) {
    this.#clock = clock;
    this.#send = send;
    this.#changed = changed;
  }

  /** Others' messages above the own cursor: those of the overview, and those loaded since. @param {readonly Message[]} messages */
  unread(messages) {
    const above = Math.max(this.own, this.#base.head);
    let count = this.own >= this.#base.head ? 0 : this.#base.unread;
    for (let i = messages.length - 1; i >= 0 && messages[i].seq > above; i--) if (!messages[i].own) count++;
    return count;
  }

  /** The user has read up to `seq`. @param {number} seq */
  move(seq) {
    if (seq <= this.own) return;
    this.own = seq;
    this.#changed();
    this.#timer ??= this.#clock.set(() => { this.#timer = null; this.flush(); }, SEND_EVERY_MS);
  }

  /** Sends what the server does not know. */
  flush() { if (this.own > this.#sent && this.#send(this.own)) this.#sent = this.own; }

  /** The server knows the own cursor. @param {number} seq */
  learn(seq) {
    this.own = Math.max(this.own, seq);
    this.known = true;
  }

  /** @param {Pick<Overview, 'unread'|'head'|'read'>} overview */
  overview({ unread, head, read }) {
    this.#base = { unread, head };
    this.#sent = Math.max(this.#sent, read);
    this.learn(read);
    this.#changed();
  }

  /** A cursor moved. @param {string|null} user null: the own one, on another device @param {number} seq */
  receive(user, seq) {
    if (user === null) this.own = Math.max(this.own, seq);
    else this.others.set(user, Math.max(this.others.get(user) ?? 0, seq));
    this.#changed();
  }

  dispose() { this.#clock.clear(this.#timer); }
}
