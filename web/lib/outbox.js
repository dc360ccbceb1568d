import { encode } from './frames.js';
import { ChatError } from './protocol.js';
import { backoff } from './util.js';

/** @import {Clock, Frame, OutboxStore, Receipt, Stored} from './types.js' */
/**
 * @typedef {{nonce: string, key: string, frame: Frame, created: number, since: number, sent: boolean, attempts: number, timer: any,
 *   resolve: (receipt: Receipt) => void, reject: (error: ChatError) => void}} Entry
 */

/** Most unacknowledged events. The next one is refused with `limit`. */
const OUTBOX_MAX = 1000;
/** An event without an answer for this long is sent again with its nonce. */
const ACK_WITHIN_MS = 15_000;
/** The server knows a nonce for 24 h. A later send could become a second message, so it fails. */
const NONCE_LIFE_MS = 23 * 3600_000;
/** New events wait this long for the stored ones to be read. */
const RESTORE_WITHIN_MS = 5000;
/** Errors after which the same frame may be accepted. */
const RETRIED = ['unavailable', 'rate_limited', 'not_joined'];

/**
 * Events on their way into the log. Each stays until it is acknowledged or refused for good, over any number of connections and reloads
 * and always with its first nonce. One event per conversation is under way at a time. With two, the first could be refused
 * (`unavailable`) and the second accepted, which would swap them.
 */
export class Outbox {
  /** How many events are not acknowledged yet. */
  size = 0;
  #clock;
  #send;
  #ready;
  #fault;
  /** @type {OutboxStore|null} */
  #store;
  /** @type {string|null} */
  #owner = null;
  /** @type {Map<string, Entry[]>} */
  #queues = new Map();
  /** @type {Map<string, {until: number, timer: any}>} conversations, or '' for all, that must wait */
  #blocked = new Map();

  /**
   * @param {{clock: Clock, store: OutboxStore|null, send: (frame: Frame) => boolean, ready: (key: string) => boolean,
   *   fault: (error: ChatError) => void}} options `ready`: whether events of this conversation can be sent now
   */
  constructor({ clock, store, send, ready, fault }) {
    this.#clock = clock;
    this.#store = store;
    this.#send = send;
    this.#ready = ready;
    this.#fault = fault;
  }

  /**
   * Takes over what an earlier page left. Nothing is sent before. Events that were added meanwhile are stored now.
   * @param {string} owner @param {(stored: Stored) => {key: string, settle: Pick<Entry, 'resolve'|'reject'>}} adopt
   */
  async restore(owner, adopt) {
    const store = this.#store;
    if (!store || this.#owner !== null) return;
    this.#owner = owner;
    this.#block('', RESTORE_WITHIN_MS);
    const added = [...this.#queues.values()].flat();
    const stored = await this.#try(() => store.load(owner)) ?? [];
    for (const entry of added) this.#keep(entry);
    for (const { nonce, frame, created } of stored.reverse()) {
      if (this.#find(nonce)) continue;
      await this.#try(async () => {
        const { key, settle } = adopt({ owner, nonce, frame, created });
        const since = this.#clock.now() - (this.#clock.date() - created);
        this.#insert({ nonce, key, frame, created, since, sent: false, attempts: 1, timer: null, ...settle }, true);
      });
    }
    this.#unblock('');
    this.pump();
  }

  /**
   * @param {string} key @param {Frame} frame with its nonce
   * @param {AbortSignal} [signal] takes back an event that was not sent yet @returns {Promise<Receipt>}
   */
  async add(key, frame, signal) {
    signal?.throwIfAborted();
    if (this.size >= OUTBOX_MAX) throw new ChatError('limit', `${OUTBOX_MAX} events already wait to be sent.`);
    // An invalid frame throws here and is not queued.
    encode(frame);
    return new Promise((resolve, reject) => {
      /** @type {Entry} */
      const entry = {
        nonce: frame.nonce, key, frame, created: this.#clock.date(), since: this.#clock.now(), sent: false, attempts: 0, timer: null,
        resolve, reject,
      };
      this.#insert(entry);
      if (this.#owner !== null) this.#keep(entry);
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

  /** @param {string} nonce @param {Receipt} receipt */
  accepted(nonce, receipt) {
    const entry = this.#find(nonce);
    if (!entry) return;
    this.#remove(entry);
    entry.resolve(receipt);
    this.pump(entry.key);
  }

  /** @param {Frame} error with a nonce @returns {string|undefined} the conversation's key, if an event waits for this nonce */
  refused(error) {
    const entry = this.#find(error.nonce);
    if (!entry) return;
    this.#unsend(entry);
    if (RETRIED.includes(error.code)) {
      const wait = error.retryAfter ?? backoff(this.#clock, entry.attempts);
      // The rate limit counts all conversations, so all wait. Up to a fifth more keeps clients from retrying in step.
      this.#block(error.code === 'rate_limited' ? '' : entry.key, wait * (1 + this.#clock.random() / 5));
    } else {
      this.#remove(entry);
      entry.reject(new ChatError(error.code, error.message, { retryAfter: error.retryAfter }));
      this.pump(entry.key);
    }
    return entry.key;
  }

  /** The connection is gone. Events under way are sent again on the next one. */
  disconnected() {
    for (const entry of [...this.#queues.values()].flat()) this.#unsend(entry);
  }

  /**
   * Gives up on a conversation's events.
   * @param {ChatError} error @param {string} key @param {boolean} [forget] false when a later page shall send them
   */
  fail(error, key, forget = true) {
    this.#unblock(key);
    for (const entry of [...(this.#queues.get(key) ?? [])]) {
      this.#remove(entry, forget);
      entry.reject(error);
    }
    if (this.#queues.size === 0) this.#unblock('');
  }

  /** @param {string} key */
  #pumpOne(key) {
    for (let entry; (entry = this.#queues.get(key)?.[0]); ) {
      if (entry.sent || this.#blocked.has('') || this.#blocked.has(key) || !this.#ready(key)) return;
      // A clock may be set back, and the one that never jumps may stand still while the machine sleeps. The greater age is safe.
      if (Math.max(this.#clock.now() - entry.since, this.#clock.date() - entry.created) > NONCE_LIFE_MS) {
        this.#remove(entry);
        entry.reject(new ChatError('expired', 'The message waited a day for a connection.'));
        continue;
      }
      if (!this.#send(entry.frame)) return;
      entry.sent = true;
      entry.attempts++;
      const waiting = entry;
      entry.timer = this.#clock.set(() => { this.#unsend(waiting); this.pump(key); }, ACK_WITHIN_MS);
      return;
    }
  }

  /** @param {string} key @param {number} ms */
  #block(key, ms) {
    const until = this.#clock.now() + ms;
    const before = this.#blocked.get(key);
    if (before && before.until >= until) return;
    this.#unblock(key);
    this.#blocked.set(key, { until, timer: this.#clock.set(() => { this.#blocked.delete(key); this.pump(key || undefined); }, ms) });
  }

  /** @param {string} key */
  #unblock(key) {
    this.#clock.clear(this.#blocked.get(key)?.timer);
    this.#blocked.delete(key);
  }

  /** @param {string} nonce */
  #find(nonce) {
    for (const queue of this.#queues.values()) for (const entry of queue) if (entry.nonce === nonce) return entry;
  }

  /** @param {Entry} entry @param {boolean} [first] */
  #insert(entry, first = false) {
    const queue = this.#queues.get(entry.key) ?? [];
    this.#queues.set(entry.key, first ? [entry, ...queue] : [...queue, entry]);
    this.size++;
  }

  /** @param {Entry} entry */
  #unsend(entry) {
    entry.sent = false;
    this.#clock.clear(entry.timer);
  }

  /** @param {Entry} entry @param {boolean} [forget] */
  #remove(entry, forget = true) {
    const queue = this.#queues.get(entry.key) ?? [];
    const index = queue.indexOf(entry);
    if (index < 0) return false;
    queue.splice(index, 1);
    if (queue.length === 0) this.#queues.delete(entry.key);
    this.#unsend(entry);
    this.size--;
    if (forget && this.#owner !== null) this.#try(() => this.#store?.remove(entry.nonce));
    return true;
  }

  /** @param {Entry} entry */
  #keep({ nonce, frame, created }) {
    const stored = { owner: /** @type {string} */ (this.#owner), nonce, frame, created };
    this.#try(() => this.#store?.put(stored));
  }

  /** Storage can be forbidden or full. Sending works without it. @template T @param {() => Promise<T>|undefined} run */
  async #try(run) {
    try {
      return await run();
    } catch (error) {
      this.#fault(new ChatError('store', String(error)));
    }
  }
}
