import { ChatError } from './protocol.js';
import { withResolvers } from './util.js';

/** @import {Clock, Frame} from './types.js' */
/** `ref`: of the `leave` under way, if there is one. @typedef {ReturnType<typeof withResolvers> & {ref?: string, timer?: any}} Leave */

/** A `leave` without an answer for this long is sent again. */
const LEFT_WITHIN_MS = 15_000;

/** Rooms that were left, each until the server confirms it, over any number of connections. */
export class Leaves {
  /** @type {Map<string, Leave>} */
  #rooms = new Map();
  /** Rooms that were left since the overview was asked for, so that it may still have them. @type {Set<string>} */
  #recent = new Set();
  #clock;
  #send;
  #ref;
  #isWanted;
  #rejoin;
  #refused;

  /**
   * @param {{clock: Clock, send: (frame: Frame) => boolean, ref: () => string, isWanted: (room: string) => boolean,
   *   rejoin: (room: string) => void, refused: (room: string, fault: ChatError) => void}} options `isWanted`: whether the room was joined
   *   again since; `rejoin`: joins it now, if so; `refused`: for good
   */
  constructor({ clock, send, ref, isWanted, rejoin, refused }) {
    this.#clock = clock;
    this.#send = send;
    this.#ref = ref;
    this.#isWanted = isWanted;
    this.#rejoin = rejoin;
    this.#refused = refused;
  }

  /** Whether a `leave` is not confirmed. @param {string} room */
  has(room) { return this.#rooms.has(room); }
  /** Whether it was left since the overview was asked for. @param {string} room */
  isRecent(room) { return this.#recent.has(room); }
  /** An overview is asked for. */
  beginOverview() { this.#recent = new Set(this.#rooms.keys()); }

  /** @param {string} room @returns {Promise<void>} resolves when the server has ended the membership */
  leave(room) {
    this.#recent.add(room);
    /** @type {Leave} */
    const leave = this.#rooms.get(room) ?? withResolvers();
    // Most callers do not wait for it.
    leave.promise.catch(() => {});
    const ref = this.#ref();
    const sent = this.#send({ type: 'leave', room, ref });
    this.#clock.clear(leave.timer);
    const timer = sent ? this.#clock.set(() => this.#again(room), LEFT_WITHIN_MS) : undefined;
    this.#rooms.set(room, Object.assign(leave, { ref: sent ? ref : undefined, timer }));
    return leave.promise;
  }

  /** The room is joined again. A `leave` that is under way must be answered first. @param {string} room */
  join(room) {
    this.#recent.delete(room);
    const leave = this.#rooms.get(room);
    if (leave && leave.ref === undefined) this.#forget(room, leave);
  }

  /** A `leave` was answered. @param {string} room @param {ChatError} [fault] why it was refused for good */
  answered(room, fault) {
    const leave = this.#rooms.get(room);
    this.#rooms.delete(room);
    this.#clock.clear(leave?.timer);
    if (fault) leave?.reject(fault);
    else leave?.resolve();
    this.#rejoin(room);
  }

  /** @param {Frame} error @returns {boolean} whether it answers a `leave` */
  refused({ code, message, ref, retryAfter = 1000 }) {
    const [room, leave] = [...this.#rooms].find(([, each]) => each.ref === ref) ?? [];
    if (room === undefined || !leave) return false;
    if ((code === 'unavailable' || code === 'rate_limited') && !this.#isWanted(room)) {
      this.#clock.clear(leave.timer);
      leave.ref = undefined;
      leave.timer = this.#clock.set(() => this.#again(room), retryAfter * (1 + this.#clock.random() / 5));
      return true;
    }
    const fault = new ChatError(code, message);
    this.answered(room, fault);
    this.#refused(room, fault);
    return true;
  }

  /** There is a new connection. */
  connected() { for (const room of [...this.#rooms.keys()]) this.#again(room); }

  disconnected() {
    for (const [room, leave] of [...this.#rooms]) {
      this.#clock.clear(leave.timer);
      leave.ref = undefined;
      if (this.#isWanted(room)) this.#forget(room, leave);
    }
  }

  /** @param {ChatError} fault what those get who wait */
  dispose(fault) {
    for (const { timer, reject } of this.#rooms.values()) {
      this.#clock.clear(timer);
      reject(fault);
    }
  }

  /** @param {string} room */
  #again(room) {
    if (this.#isWanted(room)) this.answered(room);
    else this.leave(room);
  }

  /** @param {string} room @param {Leave} leave */
  #forget(room, leave) {
    this.#clock.clear(leave.timer);
    this.#rooms.delete(room);
    leave.reject(new ChatError('closed', 'The room was joined again.'));
  }
}
