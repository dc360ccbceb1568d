import { backoff } from './clock.js';
import { ChatError, encode } from './protocol.js';

/** @typedef {import('./protocol.js').Frame} Frame */
/** @typedef {import('./protocol.js').Receipt} Receipt */
/**
 * @typedef {{nonce: string, key: string, frame: Frame, created: number, sent: boolean, attempts: number,
 *   resolve: (receipt: Receipt) => void, reject: (error: ChatError) => void}} Entry
 */

/** More unsent events than this means a program that does not wait for its receipts: the next one is refused with `limit`. */
export const OUTBOX_MAX = 1000;
/** Without an answer for this long, the event is sent again with the same nonce. */
const ACK_WITHIN_MS = 15_000;
/** The server knows a nonce for 24 h. A send that waited longer could become a second message, so it fails instead. */
const NONCE_LIFE_MS = 23 * 3600_000;

/** Errors after which the same frame may well be accepted. */
const RETRIED = new Set(['unavailable', 'rate_limited', 'not_joined']);

/**
 * Events on their way into the log. Each stays until it is acknowledged or refused for good, over any number of connections, always
 * with its first nonce. One event per conversation is under way at a time: were several, a refusal (`unavailable`) of the first and
 * an acceptance of the second would swap them.
 */
export class Outbox {
  #clock;
  #send;
  #ready;
  /** @type {Map<string, Entry[]>} */
  #queues = new Map();
  #size = 0;
  /** @type {Map<string, {until: number, timer: any}>} conversations, or '' for all, that must wait */
  #blocked = new Map();
  /** @type {Map<Entry, any>} */
  #ackTimers = new Map();

  /**
   * @param {{clock: import('./clock.js').Clock, send: (frame: Frame) => boolean, ready: (key: string) => boolean}} options
   * `ready`: whether events of this conversation can be sent now
   */
  constructor({ clock, send, ready }) {
    this.#clock = clock;
    this.#send = send;
    this.#ready = ready;
  }

  get size() {
    return this.#size;
  }

  /** @param {string} key @param {Frame} frame with its nonce @param {AbortSignal} [signal] takes the event back while it has not been sent @returns {Promise<Receipt>} */
  add(key, frame, signal) {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#size >= OUTBOX_MAX) return Promise.reject(new ChatError('limit', `${OUTBOX_MAX} events wait to be sent already.`));
    return new Promise((resolve, reject) => {
      // What can't be sent must not wait: it throws here, which rejects.
      encode(frame);
      /** @type {Entry} */
      const entry = { nonce: frame.nonce, key, frame, created: this.#clock.now(), sent: false, attempts: 0, resolve, reject };
      const queue = this.#queues.get(key) ?? [];
      this.#queues.set(key, queue);
      queue.push(entry);
      this.#size++;
      signal?.addEventListener('abort', () => {
        if (entry.attempts === 0 && this.#remove(entry)) reject(signal.reason);
      }, { once: true });
      this.pump(key);
    });
  }

  /** Sends what can be sent. @param {string} [key] one conversation; else all */
  pump(key) {
    for (const each of key === undefined ? [...this.#queues.keys()] : [key]) this.#pumpOne(each);
  }

  /** @param {string} key @param {string} nonce @param {Receipt} receipt @returns {boolean} whether an event waited for it */
  accepted(key, nonce, receipt) {
    const entry = this.#find(nonce, key);
    if (!entry || !this.#remove(entry)) return false;
    entry.resolve(receipt);
    this.pump(key);
    return true;
  }

  /**
   * @param {Frame} error an `error` frame with a nonce
   * @returns {{key: string, retried: boolean}|null} null when no event waits for this nonce
   */
  refused(error) {
    const entry = this.#find(error.nonce);
    if (!entry) return null;
    this.#unsend(entry);
    if (RETRIED.has(error.code)) {
      const wait = error.retryAfter ?? backoff(this.#clock, entry.attempts);
      // The rate limit is the user's, so all conversations wait. Up to a fifth more keeps clients from retrying in step.
      this.#block(error.code === 'rate_limited' ? '' : entry.key, wait * (1 + this.#clock.random() / 5));
      return { key: entry.key, retried: true };
    }
    this.#remove(entry);
    entry.reject(new ChatError(error.code, error.message, { retryAfter: error.retryAfter }));
    this.pump(entry.key);
    return { key: entry.key, retried: false };
  }

  /** The connection is gone: what was under way goes again on the next one. */
  disconnected() {
    for (const queue of this.#queues.values()) for (const entry of queue) this.#unsend(entry);
  }

  /** Gives up on a conversation's events, or on all. @param {ChatError} error @param {string} [key] */
  fail(error, key) {
    for (const [each, queue] of [...this.#queues]) {
      if (key !== undefined && each !== key) continue;
      for (const entry of [...queue]) {
        this.#remove(entry);
        entry.reject(error);
      }
    }
    for (const [each, { timer }] of [...this.#blocked]) {
      if (key !== undefined && each !== key) continue;
      this.#clock.clear(timer);
      this.#blocked.delete(each);
    }
  }

  /** @param {string} key */
  #pumpOne(key) {
    for (let entry; (entry = this.#queues.get(key)?.[0]); ) {
      if (entry.sent || this.#blocked.has('') || this.#blocked.has(key) || !this.#ready(key)) return;
      if (this.#clock.now() - entry.created > NONCE_LIFE_MS) {
        this.#remove(entry);
        entry.reject(new ChatError('expired', 'The message waited a day for a connection.'));
        continue;
      }
      if (!this.#send(entry.frame)) return;
      entry.sent = true;
      entry.attempts++;
      const waiting = entry;
      this.#ackTimers.set(entry, this.#clock.set(() => { this.#unsend(waiting); this.pump(key); }, ACK_WITHIN_MS));
      return;
    }
  }

  /** @param {string} key @param {number} ms */
  #block(key, ms) {
    const until = this.#clock.now() + ms;
    const before = this.#blocked.get(key);
    if (before && before.until >= until) return;
    this.#clock.clear(before?.timer);
    const timer = this.#clock.set(() => { this.#blocked.delete(key); this.pump(key || undefined); }, ms);
    this.#blocked.set(key, { until, timer });
  }

  /** @param {string} nonce @param {string} [key] */
  #find(nonce, key) {
    const queues = key === undefined ? [...this.#queues.values()] : [this.#queues.get(key) ?? []];
    for (const queue of queues) {
      const entry = queue.find((e) => e.nonce === nonce);
      if (entry) return entry;
    }
  }

  /** @param {Entry} entry */
  #unsend(entry) {
    entry.sent = false;
    this.#clock.clear(this.#ackTimers.get(entry));
    this.#ackTimers.delete(entry);
  }

  /** @param {Entry} entry */
  #remove(entry) {
    const queue = this.#queues.get(entry.key) ?? [];
    const index = queue.indexOf(entry);
    if (index < 0) return false;
    queue.splice(index, 1);
    if (queue.length === 0) this.#queues.delete(entry.key);
    this.#unsend(entry);
    this.#size--;
    return true;
  }
}
