import { ChatError } from './protocol.js';
import { Timeline } from './timeline.js';
import { backoff, sleep } from './util.js';

/** @import {ChatEvent, Clock, Frame, Where} from './types.js' */
/** @import {Page} from './api.js' */

/** A replay that pauses longer than this counts as ended. History brings the rest. */
const REPLAY_PAUSE_MS = 5000;
/** An event that is acknowledged but does not come in this time is fetched. */
const LATE_MS = 2000;
/** How often history is asked for events that it does not have. Then they count as lost. */
const REPAIR_TRIES = 6;
const PAGE = 200;
/** A page asked for after one that did not come: a slow network may carry this in time. */
const SMALL_PAGE = 20;
/** A page may have only edits and reactions. This many are searched for a message to show. */
const PAGES_AT_ONCE = 10;

/**
 * Keeps one conversation's timeline whole. It catches up after a reconnect, closes gaps with history, pages back, and starts again when
 * the log's epoch changes.
 */
export class Sync {
  #where;
  #clock;
  #api;
  #connected;
  #signal;
  #on;
  /** Rises with every reset, so that an older answer is known as stale. */
  #generation = 0;
  /** A replay is on its way. */
  catchingUp = false;
  #repairing = false;
  #target = 0;
  /** @type {any} */
  #replayTimer = null;
  /** @type {any} */
  #lateTimer = null;
  /** @type {Promise<number>|null} */
  #paging = null;

  /**
   * @param {{where: Where, clock: Clock, api: import('./api.js').Api, me: () => string|null, connected: () => boolean,
   *   signal: AbortSignal, on: {delivered: (events: ChatEvent[]) => void, prepended: (count: number) => void, reset: () => void,
   *   lost: (range: {from: number, to: number}) => void, fault: (error: ChatError) => void}}} options
   */
  constructor({ where, clock, api, me, connected, signal, on }) {
    this.timeline = new Timeline(me);
    this.#where = where;
    this.#clock = clock;
    this.#api = api;
    this.#connected = connected;
    this.#signal = signal;
    this.#on = on;
    signal.addEventListener('abort', () => this.disconnected(), { once: true });
  }

  /** An event from the socket or from history. @param {ChatEvent} event */
  take(event) {
    const { delivered, gap, conflict } = this.timeline.accept(event);
    if (conflict) return this.reload(null, null);
    if (this.catchingUp) this.#awaitReplay();
    if (delivered.length > 0) this.#on.delivered(delivered);
    // Live direct messages may come before their replay, which is no gap.
    if (gap && !this.catchingUp) this.#repair();
  }

  /** The answer to a join. @param {number} head @param {string} epoch @param {boolean} withReplay */
  joined(head, epoch, withReplay) {
    const { timeline } = this;
    if (timeline.last === null) return timeline.reset(epoch, head);
    if (timeline.isForeign(epoch) || head < timeline.last) return this.reload(epoch, head);
    this.#target = Math.max(this.#target, head);
    if (head > timeline.last) withReplay ? this.catchUp() : this.#repair();
  }

  /** A replay was asked for. */
  catchUp() {
    this.catchingUp = true;
    this.#awaitReplay();
  }

  /** @param {Frame} frame */
  resumed(frame) {
    const { timeline } = this;
    this.#endReplay();
    if (timeline.last === null) return;
    if (timeline.isForeign(frame.epoch) || frame.head < timeline.last) return this.reload(frame.epoch, frame.head);
    this.#target = Math.max(this.#target, frame.head);
    if (this.#behind) this.#repair();
  }

  /** No replay is to be had: looks for missed events in history. */
  lookForMissed() {
    this.#endReplay();
    if (this.timeline.last === null) return;
    this.#target = Math.max(this.#target, this.timeline.last + 1);
    this.#repair();
  }

  /** The log has an event at `seq`, which should come soon. @param {number} seq @param {string} [epoch] */
  expect(seq, epoch) {
    if (this.timeline.last === null) return;
    if (epoch !== undefined && this.timeline.isForeign(epoch)) return this.reload(epoch, seq);
    if (seq <= this.timeline.last) return;
    this.#target = Math.max(this.#target, seq);
    this.#lateTimer ??= this.#clock.set(() => {
      this.#lateTimer = null;
      if (this.#behind && !this.catchingUp) this.#repair();
    }, LATE_MS);
  }

  /** Nothing more comes on this connection. */
  disconnected() {
    this.#endReplay();
    this.#clock.clear(this.#lateTimer);
    this.#lateTimer = null;
    this.timeline.disconnected();
  }

  /** Drops all and loads the newest page. @param {string|null} epoch @param {number|null} head null when history shall tell it */
  reload(epoch, head) {
    this.#generation++;
    this.#target = 0;
    this.#paging = null;
    this.disconnected();
    this.timeline.reset(epoch, head);
    this.#on.reset();
    this.#loadNewest(this.#generation);
  }

  /** @param {number} generation */
  async #loadNewest(generation) {
    for (let failures = 0; generation === this.#generation && !this.#signal.aborted; ) {
      try {
        await this.older();
        return;
      } catch (error) {
        if (this.#signal.aborted) return;
        await this.#failed(/** @type {ChatError} */ (error), failures++).catch(() => {});
      }
    }
  }

  /** Waits after a request that failed. @param {ChatError} fault @param {number} failures */
  #failed(fault, failures) {
    this.#on.fault(fault);
    return sleep(this.#clock, Math.max(fault.retryAfter ?? 0, backoff(this.#clock, failures, 250, 10_000)), this.#signal);
  }

  /** Loads older messages. Concurrent calls share one. @returns {Promise<number>} how many; 0 at the start of the log */
  older(limit = 50) {
    if (this.#paging) return this.#paging;
    const paging = this.#paging = this.#pageBack(limit).finally(() => { if (this.#paging === paging) this.#paging = null; });
    return paging;
  }

  /** @param {number} limit */
  async #pageBack(limit) {
    const { timeline } = this;
    const generation = this.#generation;
    let added = 0;
    for (let pages = 0; added === 0 && pages < PAGES_AT_ONCE && !timeline.atStart; pages++) {
      const before = timeline.last === null ? undefined : timeline.first;
      const page = await this.#page({ before, limit });
      if (generation !== this.#generation) return 0;
      if (timeline.isForeign(page.epoch)) return this.reload(page.epoch, page.head), 0;
      if (timeline.last === null) timeline.reset(page.epoch || null, page.head);
      added += timeline.prepend(page.items, page.head);
      for (const event of inOrder(page.items)) if (event.seq > /** @type {number} */ (timeline.last)) this.take(event);
      // Retention may have removed the oldest events, so the log may begin above 1.
      if (page.items.length === 0 || page.next === null) timeline.first = Math.min(timeline.first, 1);
    }
    this.#on.prepended(added);
    return added;
  }

  async #repair() {
    if (this.#repairing) return;
    this.#repairing = true;
    const generation = this.#generation;
    const current = () => this.#connected() && generation === this.#generation && !this.#signal.aborted;
    try {
      for (let misses = 0, failures = 0; current() && this.#behind; ) {
        let page;
        try {
          page = await this.#page({ after: /** @type {number} */ (this.timeline.place.since), limit: failures ? SMALL_PAGE : PAGE });
        } catch (error) {
          if (this.#signal.aborted) throw error;
          await this.#failed(/** @type {ChatError} */ (error), failures++);
          continue;
        }
        failures = 0;
        if (!current() || this.#takePage(page)) misses = 0;
        else if (++misses >= REPAIR_TRIES) this.#giveUp();
        else if (this.#behind) await sleep(this.#clock, backoff(this.#clock, misses, 250, 10_000), this.#signal);
      }
    } catch (error) {
      if (!this.#signal.aborted) throw error;
    } finally {
      this.#repairing = false;
      // A reset meanwhile may have left another gap.
      if (generation !== this.#generation && this.#behind && this.#connected()) this.#repair();
    }
  }

  /** @param {Page} page @returns {boolean} whether it brought events, or another log */
  #takePage(page) {
    const { timeline } = this;
    const last = /** @type {number} */ (timeline.last);
    if (timeline.isForeign(page.epoch)) return this.reload(page.epoch, page.head), true;
    for (const event of inOrder(page.items)) this.take(event);
    if (page.head <= /** @type {number} */ (timeline.last) && !timeline.hasGap) this.#target = 0;
    return /** @type {number} */ (timeline.last) > last;
  }

  #giveUp() {
    this.#target = 0;
    if (!this.timeline.hasGap) return;
    this.#on.lost(this.timeline.skipGap());
    this.#on.delivered(this.timeline.drain());
  }

  get #behind() {
    return this.timeline.last !== null && (this.timeline.hasGap || this.timeline.last < this.#target);
  }

  #awaitReplay() {
    this.#clock.clear(this.#replayTimer);
    this.#replayTimer = this.#clock.set(() => this.lookForMissed(), REPLAY_PAUSE_MS);
  }

  #endReplay() {
    this.catchingUp = false;
    this.#clock.clear(this.#replayTimer);
  }

  /** @param {{before?: number, after?: number, limit: number}} range @returns {Promise<Page>} */
  async #page(range) {
    try {
      return await this.#api.messages(this.#where, { ...range, signal: this.#signal });
    } catch (error) {
      // The conversation has no event yet.
      if (error instanceof ChatError && error.status === 404) return { items: [], epoch: '', head: 0, next: null };
      throw error;
    }
  }
}

/** @param {ChatEvent[]} items */
const inOrder = (items) => [...items].sort((a, b) => a.seq - b.seq);
