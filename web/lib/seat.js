import { ChatError } from './protocol.js';
import { withResolvers } from './util.js';

/** @import {Frame} from './types.js' */

const JOIN_WITHIN_MS = 15_000;

/** The user's seat in a room: whether it is wanted, whether this connection has it, and who waits for it. */
export class RoomSeat {
  /** Whether to join the room on every connection. */
  wanted = false;
  /** Whether the room is subscribed on this connection. */
  joined = false;
  #host;
  #send;
  /** The ref of the `join` under way. */
  #ref = '';
  /** @type {any} */ #timer = null;
  /** @type {ReturnType<typeof withResolvers>|null} */
  #waiting = null;

  /** @param {import('./link.js').Host} host @param {(ref: string) => void} send sends a `join` */
  constructor(host, send) {
    this.#host = host;
    this.#send = send;
  }

  /** Whether a `join` is under way. What the server said of the room before it answers does not hold any more. */
  get isAsking() { return this.#ref !== ''; }

  /** @returns {Promise<void>} resolves when joined */
  want() {
    const asked = this.wanted;
    this.wanted = true;
    if (this.joined) return Promise.resolve();
    if (!this.#waiting) {
      this.#waiting = withResolvers();
      this.#waiting.promise.catch(() => {});
      if (!asked) this.ask();
    }
    return this.#waiting.promise;
  }

  /** Asks for the seat, unless a `leave` must be answered first. */
  ask() {
    const { connected, leaving, ref } = this.#host;
    if (!this.wanted || !connected() || leaving()) return;
    this.#send(this.#ref = ref());
    this.#askIn(JOIN_WITHIN_MS);
  }

  /** @param {Frame} joined @returns {boolean} false when it answers a join before a leave */
  take({ ref }) {
    if (ref !== undefined && ref !== this.#ref) return false;
    this.down();
    this.joined = true;
    return true;
  }

  /** The room is as the server said. */
  ready() {
    this.#waiting?.resolve();
    this.#waiting = null;
  }

  /** @param {Frame} error @returns {ChatError|boolean} whether it answers the join under way; an error when there will be no seat */
  refused({ code, message, ref, retryAfter = 1000 }) {
    if (ref !== this.#ref) return false;
    this.down();
    if (code !== 'unavailable' && code !== 'rate_limited') return new ChatError(code, message);
    this.#askIn(retryAfter * (1 + this.#host.clock.random() / 5));
    return true;
  }

  /** The connection does not have it. */
  down() {
    this.joined = false;
    this.#ref = '';
    this.#host.clock.clear(this.#timer);
  }

  /** It is no longer wanted. @param {ChatError} fault @returns {boolean} whether anybody waited for it */
  drop(fault) {
    const waiting = this.#waiting;
    this.down();
    this.wanted = false;
    this.#waiting = null;
    waiting?.reject(fault);
    return waiting !== null;
  }

  /** @param {number} ms */
  #askIn(ms) {
    this.#host.clock.clear(this.#timer);
    this.#timer = this.#host.clock.set(() => this.ask(), ms);
  }
}
