import { withResolvers } from './util.js';

/** @import {Clock, Message, Overview} from './types.js' */

const SEND_EVERY_MS = 1000;
/** A `read` that the server did not confirm in this time: the server is asked where the cursor is. */
const CONFIRM_WITHIN_MS = 15_000;

/** Who has read how far in one conversation. The user's own cursor goes to the server at most once a second. */
export class ReadCursors {
  /** The user's own; 0 while it is not `known`. */
  own = 0;
  known = false;
  /** Whether the server did not confirm the own cursor in time. */
  overdue = false;
  /** @type {Map<string, number>} */
  others = new Map();
  #clock;
  #send;
  #changed;
  #ask;
  /** What the server counted: others' messages above `read`, up to `head`. */
  #base = { unread: 0, mentions: 0, head: 0, read: 0 };
  #sent = 0;
  #confirmed = 0;
  /** Whether the server was asked about what is sent now. */
  #asked = false;
  /** @type {any} */ #timer = null;
  /** @type {any} */ #confirmTimer = null;
  /** Who waits until the server has a cursor, in the order of `seq`. @type {(ReturnType<typeof withResolvers> & {seq: number})[]} */
  #waiting = [];

  /**
   * @param {Clock} clock @param {(seq: number) => boolean} send false when it could not @param {() => void} changed
   * @param {() => void} [ask] asks the server where the cursor is
   */
  constructor(clock, send, changed, ask = () => {}) {
    this.#clock = clock;
    this.#send = send;
    this.#changed = changed;
    this.#ask = ask;
  }

  /**
   * Others' messages above the own cursor. Where it stands below the loaded messages, the server's count says how many are between.
   * @param {readonly Message[]} messages all from seq `first` on @param {number} first Infinity when none is loaded
   */
  unread(messages, first) { return this.#count(messages, first, this.#base.unread, () => true); }

  /** Those of them that mention a user. @param {readonly Message[]} messages @param {number} first @param {string|null} user */
  mentions(messages, first, user) {
    return this.#count(messages, first, this.#base.mentions, (message) => message.mentions.includes(user ?? ''));
  }

  /** Whether `unread` is exact. Else the server's count is too old. @param {number} first as for `unread` */
  isExact(first) {
    const { head, read } = this.#base;
    const below = first === Infinity ? head : first - 1;
    return this.own >= below || (this.own === read && head >= below);
  }

  /** Messages below `first` are dropped. @param {{unread: number, mentions: number}} unread of the dropped ones @param {number} first */
  dropped(unread, first) { this.#base = { ...unread, head: first - 1, read: this.own }; }

  /** The head that the server told with its count. */
  get head() { return this.#base.head; }

  /** The user has read up to `seq`. @param {number} seq @returns {Promise<void>} resolves when the server has it */
  move(seq) {
    if (!Number.isSafeInteger(seq) || seq <= this.#confirmed) return Promise.resolve();
    if (seq > this.own) {
      this.own = seq;
      this.#changed();
      this.#timer ??= this.#clock.set(() => { this.#timer = null; this.flush(); }, SEND_EVERY_MS);
    }
    const last = this.#waiting.at(-1);
    if (last && last.seq === seq) return last.promise;
    const waiting = { ...withResolvers(), seq };
    // Most callers do not wait for it.
    waiting.promise.catch(() => {});
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  /** Sends what the server does not know. */
  flush() {
    if (this.own <= this.#sent || !this.#send(this.own)) return;
    this.#sent = this.own;
    this.#clock.clear(this.#confirmTimer);
    // A second answer would be the same.
    if (!this.#asked) this.#confirmTimer = this.#clock.set(() => { this.overdue = true; this.#ask(); }, CONFIRM_WITHIN_MS);
  }

  /** `read` has no answer, so what the server did not confirm goes again on the next connection. */
  disconnected() {
    this.#clock.clear(this.#confirmTimer);
    this.overdue = this.#asked = false;
    this.#sent = this.#confirmed;
  }

  /** The log was replaced. Cursors of the old one mean nothing in it, and nobody waits for them any more. */
  reset() {
    this.disconnected();
    this.own = this.#sent = this.#confirmed = 0;
    this.known = false;
    this.others.clear();
    this.#base = { unread: 0, mentions: 0, head: 0, read: 0 };
    this.#answer(Infinity);
  }

  /** The server knows the own cursor. @param {number} seq */
  learn(seq) {
    this.own = Math.max(this.own, seq);
    this.#confirmed = Math.max(this.#confirmed, seq);
    this.#sent = Math.max(this.#sent, seq);
    this.known = true;
    if (this.#confirmed >= this.#sent) this.#clock.clear(this.#confirmTimer);
    if (this.#confirmed >= this.own) this.overdue = this.#asked = false;
    this.#answer(this.#confirmed);
  }

  /** @param {Pick<Overview, 'unread'|'head'|'read'> & {mentions?: number}} overview */
  overview({ unread, mentions = 0, head, read }) {
    this.#base = { unread, mentions, head, read };
    this.learn(read);
    if (this.overdue) {
      // The server has not got it.
      this.overdue = false;
      this.#asked = true;
      this.#sent = this.#confirmed;
      this.flush();
    }
    this.#changed();
  }

  /** A cursor moved. @param {string|null} user null: the own one, here or on another device @param {number} seq */
  receive(user, seq) {
    if (user !== null) this.others.set(user, Math.max(this.others.get(user) ?? 0, seq));
    else this.learn(seq);
    this.#changed();
  }

  /** @param {Error} fault what those get who wait */
  dispose(fault) {
    this.#clock.clear(this.#timer);
    this.#clock.clear(this.#confirmTimer);
    for (const { reject } of this.#waiting.splice(0)) reject(fault);
  }

  /** @param {number} seq up to which the server has it */
  #answer(seq) {
    const answered = this.#waiting.filter((each) => each.seq <= seq);
    this.#waiting = this.#waiting.filter((each) => each.seq > seq);
    for (const { resolve } of answered) resolve();
  }

  /**
   * @param {readonly Message[]} messages @param {number} first @param {number} counted by the server
   * @param {(message: Message) => boolean} counts
   */
  #count(messages, first, counted, counts) {
    const { own } = this;
    const { head, read } = this.#base;
    const isLoaded = own >= first - 1;
    const above = isLoaded ? own : Math.max(own, head);
    let count = isLoaded ? 0 : own <= read ? counted : Math.min(counted, Math.max(0, head - own));
    for (let i = messages.length - 1; i >= 0 && messages[i].seq > above; i--) if (!messages[i].own && counts(messages[i])) count++;
    return count;
  }
}
