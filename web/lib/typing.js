/** @import {Clock} from './types.js' */

const RENEW_MS = 2000;
const IDLE_MS = 2000;
/**
 * The server says when a typist stops, 3 s after the last renewal, and need not pass on renewals. So clearing after 3 s here would hide
 * a user who types longer. This ends an entry whose stop was lost: typing frames are the first to be dropped for a slow reader.
 */
export const TYPING_LOST_MS = 30_000;

/** Turns key strokes into `typing` frames: at most one `active` in 2 s, and a stop after 2 s without a key. */
export class TypingSender {
  #clock;
  #send;
  #active = false;
  #sentAt = -Infinity;
  /** @type {any} */ #idle = null;
  /** @type {any} */ #later = null;

  /** @param {Clock} clock @param {(active: boolean) => void} send */
  constructor(clock, send) {
    this.#clock = clock;
    this.#send = send;
  }

  /** A key was pressed. */
  touch() {
    this.#clock.clear(this.#idle);
    this.#idle = this.#clock.set(() => this.stop(), IDLE_MS);
    const wait = this.#sentAt + RENEW_MS - this.#clock.now();
    if (wait <= 0) this.#start();
    // Typing again right after a stop: the start is sent later.
    else if (!this.#active) this.#later ??= this.#clock.set(() => this.#start(), wait);
  }

  /** The text was sent or emptied. */
  stop() {
    this.#clearTimers();
    if (!this.#active) return;
    this.#active = false;
    this.#send(false);
  }

  /** The connection is gone, and the server has forgotten the typist. */
  reset() {
    this.#clearTimers();
    this.#active = false;
    this.#sentAt = -Infinity;
  }

  #start() {
    this.#clock.clear(this.#later);
    this.#later = null;
    this.#active = true;
    this.#sentAt = this.#clock.now();
    this.#send(true);
  }

  #clearTimers() {
    this.#clock.clear(this.#idle);
    this.#clock.clear(this.#later);
    this.#later = null;
  }
}

/** Who is typing, from the server's start to its stop, or for at most `TYPING_LOST_MS` without a renewal. */
export class TypingUsers {
  #clock;
  #changed;
  /** @type {Map<string, any>} */
  #timers = new Map();

  /** @param {Clock} clock @param {() => void} changed */
  constructor(clock, changed) {
    this.#clock = clock;
    this.#changed = changed;
  }

  get users() { return [...this.#timers.keys()]; }

  /** @param {string} user @param {boolean} active */
  set(user, active) {
    const known = this.#timers.has(user);
    this.#clock.clear(this.#timers.get(user));
    if (active) this.#timers.set(user, this.#clock.set(() => this.set(user, false), TYPING_LOST_MS));
    else this.#timers.delete(user);
    if (known !== active) this.#changed();
  }

  clear() {
    for (const user of this.users) this.set(user, false);
  }
}
