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
  /** What the server counted: others' messages above `read`, up to `head`. */
  #base = { unread: 0, head: 0, read: 0 };
  #sent = 0;
  #confirmed = 0;
  /** @type {any} */ #timer = null;

  /** @param {Clock} clock @param {(seq: number) => boolean} send false when it could not @param {() => void} changed */
  constructor(clock, send, changed) {
    this.#clock = clock;
    this.#send = send;
    this.#changed = changed;
  }

  /**
   * Others' messages above the own cursor. Where it stands below the loaded messages, the server's count says how many are between.
   * @param {readonly Message[]} messages all from seq `first` on @param {number} first Infinity when none is loaded
   */
  unread(messages, first) {
    const { own } = this;
    const { unread, head, read } = this.#base;
    const isLoaded = own >= first - 1;
    const above = isLoaded ? own : Math.max(own, head);
    let count = isLoaded ? 0 : own <= read ? unread : Math.min(unread, Math.max(0, head - own));
    for (let i = messages.length - 1; i >= 0 && messages[i].seq > above; i--) if (!messages[i].own) count++;
    return count;
  }

  /** Whether `unread` is exact. Else the server's count is too old. @param {number} first as for `unread` */
  isExact(first) {
    const { head, read } = this.#base;
    const below = first === Infinity ? head : first - 1;
    return this.own >= below || (this.own === read && head >= below);
  }

  /**
   * Messages below `first` are dropped, and their count is kept.
   * @param {number} before what was unread @param {number} after of the rest @param {number} first
   */
  dropped(before, after, first) { this.#base = { unread: before - after, head: first - 1, read: this.own }; }

  /** The user has read up to `seq`. @param {number} seq */
  move(seq) {
    if (!Number.isSafeInteger(seq) || seq <= this.own) return;
    this.own = seq;
    this.#changed();
    this.#timer ??= this.#clock.set(() => { this.#timer = null; this.flush(); }, SEND_EVERY_MS);
  }

  /** Sends what the server does not know. */
  flush() { if (this.own > this.#sent && this.#send(this.own)) this.#sent = this.own; }

  /** `read` has no answer, so what the server did not confirm goes again on the next connection. */
  disconnected() { this.#sent = this.#confirmed; }

  /** The log was replaced. Cursors of the old one mean nothing in it. */
  reset() {
    this.own = this.#sent = this.#confirmed = 0;
    this.known = false;
    this.others.clear();
    this.#base = { unread: 0, head: 0, read: 0 };
  }

  /** The server knows the own cursor. @param {number} seq */
  learn(seq) {
    this.own = Math.max(this.own, seq);
    this.#confirmed = Math.max(this.#confirmed, seq);
    this.#sent = Math.max(this.#sent, seq);
    this.known = true;
  }

  /** @param {Pick<Overview, 'unread'|'head'|'read'>} overview */
  overview({ unread, head, read }) {
    this.#base = { unread, head, read };
    this.learn(read);
    this.#changed();
  }

  /** A cursor moved. @param {string|null} user null: the own one, here or on another device @param {number} seq */
  receive(user, seq) {
    if (user !== null) this.others.set(user, Math.max(this.others.get(user) ?? 0, seq));
    else this.learn(seq);
    this.#changed();
  }

  dispose() { this.#clock.clear(this.#timer); }
}
