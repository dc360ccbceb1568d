/** @import {ChatEvent, Message, Reaction} from './types.js' */

/** Most events held above a gap. History brings the others again. */
const HELD_MAX = 2000;
/** Most changes kept for messages that are not loaded. Only those that come while a page is on its way are needed. */
const CHANGES_MAX = 1000;

/** Whether an event is a message, not a change of one. @param {ChatEvent} event */
export const isMessage = ({ type }) => type === 'room' || type === 'dm';

/**
 * The loaded part of one conversation's log, `first` to `last` without a hole. It takes events in any order and any number of times, and
 * gives each out once, in the order of `seq`. It does no I/O.
 */
export class Timeline {
  /** @type {string|null} null until the server tells it */
  epoch = null;
  /** The connection ended before the epoch was known, so the log may be another one by now. */
  #doubted = false;
  /** The lowest loaded seq; one above `last` while nothing is loaded. */
  first = 0;
  /** The seq up to which events were given out. @type {number|null} null before the conversation's place in its log is known */
  last = null;
  /** All events up to this seq are in the database. */
  durable = 0;
  /** @type {Message[]} in the order of seq */
  messages = [];
  /** @type {Map<number, Message>} */
  #bySeq = new Map();
  /** @type {Map<number, string>} */
  #ids = new Map();
  /** @type {Map<number, ChatEvent>} */
  #held = new Map();
  /** Changes of messages below the loaded ones: a page that is on its way may be older than they are. @type {ChatEvent[]} */
  #changes = [];
  #me;

  /** @param {() => string|null} me the user's own id */
  constructor(me) { this.#me = me; }

  /** Whether the oldest event of the conversation is loaded. */
  get atStart() { return this.last !== null && this.first <= 1; }
  /** Where to ask for events. In doubt it is before the loaded ones, to compare them. */
  get place() { return { since: this.#doubted ? this.first - 1 : this.last, ...(this.epoch && { epoch: this.epoch }) }; }
  /** Whether held events wait for missing ones. */
  get hasGap() { return this.#held.size > 0; }
  /** @param {number} seq */
  message(seq) { return this.#bySeq.get(seq); }

  /** Forgets all; live events go on behind `head`. @param {string|null} epoch @param {number|null} head */
  reset(epoch, head) {
    this.epoch = epoch;
    this.#doubted = false;
    this.last = head;
    this.first = (head ?? 0) + 1;
    this.durable = 0;
    this.messages = [];
    this.#changes = [];
    for (const map of [this.#bySeq, this.#ids, this.#held]) map.clear();
  }

  disconnected() { this.#doubted = this.epoch === null && this.last !== null; }

  /** Whether this is not the log's epoch, which is learnt if unknown. @param {string} epoch */
  isForeign(epoch) {
    this.epoch ||= epoch || null;
    this.#doubted &&= !epoch;
    return Boolean(epoch) && epoch !== this.epoch;
  }

  /**
   * Takes an event that came live, in a replay or from a repair.
   * @param {ChatEvent} event
   * @returns {{delivered: ChatEvent[], gap: boolean, conflict: boolean}} `delivered`: events to give out now, in order;
   * `gap`: earlier events are missing; `conflict`: another event has this seq, so the log was replaced
   */
  accept(event) {
    this.last ??= event.seq - 1;
    if (this.#ids.size === 0) this.first = this.last + 1;
    if (event.seq <= this.last) {
      const known = this.#ids.get(event.seq);
      return { delivered: [], gap: false, conflict: known !== undefined && known !== event.id };
    }
    if (event.seq === this.last + 1 || this.#held.size < HELD_MAX) this.#held.set(event.seq, event);
    const gap = event.seq > this.last + 1;
    const delivered = gap ? [] : this.drain();
    return { delivered, gap: gap || this.hasGap, conflict: false };
  }

  /** Gives out the held events that now connect. @returns {ChatEvent[]} */
  drain() {
    const delivered = [];
    for (let event; (event = this.#held.get(/** @type {number} */ (this.last) + 1)); ) {
      this.#held.delete(event.seq);
      this.last = event.seq;
      this.#ids.set(event.seq, event.id);
      if (isMessage(event)) this.messages.push(this.#view(event, true));
      else this.#apply(event);
      delivered.push(event);
    }
    return delivered;
  }

  /** Gives up the missing events below the held ones. @returns {{from: number, to: number}} what is lost */
  skipGap() {
    const from = /** @type {number} */ (this.last) + 1;
    this.last = Math.min(...this.#held.keys()) - 1;
    return { from, to: this.last };
  }

  /**
   * Adds a page of history in front.
   * @param {ChatEvent[]} items in any order; only those older than `first` are taken
   * @param {number} head the newest event when the page was made @returns {number} how many messages were added
   */
  prepend(items, head) {
    const older = items.filter((e) => e.seq < this.first).sort((a, b) => a.seq - b.seq);
    if (older.at(-1)?.seq !== this.first - 1) return 0;
    for (const { seq, id } of older) this.#ids.set(seq, id);
    const messages = older.filter(isMessage).map((event) => this.#view(event, false));
    this.first = older[0].seq;
    this.messages.unshift(...messages);
    const changes = this.#changes.filter(({ target = 0 }) => target >= this.first);
    this.#changes = this.#changes.filter(({ target = 0 }) => target < this.first);
    // The page has counted earlier reactions. To apply an edit or a delete again changes nothing.
    for (const change of changes) if (change.type !== 'react' || change.seq > head) this.#apply(change);
    return messages.length;
  }

  /** Drops the oldest messages. @param {number} keep how many stay @returns {number} how many went */
  trim(keep) {
    const gone = this.messages.splice(0, Math.max(0, this.messages.length - keep));
    if (gone.length === 0) return 0;
    const first = (this.messages[0]?.seq ?? /** @type {number} */ (this.last) + 1);
    for (; this.first < first; this.first++) for (const map of [this.#bySeq, this.#ids]) map.delete(this.first);
    return gone.length;
  }

  /** All up to `seq` is in the database. @param {number} seq @returns {Message[]} the changed messages */
  setDurable(seq) {
    const changed = [];
    for (let i = this.messages.length - 1; i >= 0 && this.messages[i].seq > this.durable; i--) {
      const message = this.messages[i];
      if (message.seq > seq || message.state !== 'accepted') continue;
      message.state = 'durable';
      changed.push(message);
    }
    this.durable = Math.max(this.durable, seq);
    return changed;
  }

  /** @param {ChatEvent} event @param {boolean} live @returns {Message} */
  #view({ id, seq, from, content = '', timestamp, edited, deleted = false, reactions = [], replyTo, mentions = [], meta }, live) {
    const own = from === this.#me();
    /** @type {Message} */
    const message = {
      id, seq, from, content, timestamp, edited, deleted, own, reactions: reactions.map((r) => ({ ...r, users: [...r.users] })),
      replyTo, mentions: [...mentions], meta,
      state: !own ? undefined : seq <= this.durable ? 'durable' : live ? 'accepted' : undefined,
    };
    this.#bySeq.set(seq, message);
    return message;
  }

  /** Applies an edit, delete or reaction; doing so again changes nothing. @param {ChatEvent} event */
  #apply(event) {
    const { target = 0 } = event;
    const message = this.#bySeq.get(target);
    if (!message && target < this.first && this.#changes.push(event) > CHANGES_MAX) this.#changes.shift();
    if (!message || message.deleted) return;
    if (event.type === 'delete') Object.assign(message, { deleted: true, content: '', reactions: [], mentions: [], meta: undefined });
    else if (event.type === 'react') applyReaction(message.reactions, event);
    else if (event.seq > (message.edited ?? 0)) {
      const { content, seq, mentions = message.mentions, meta = message.meta } = event;
      Object.assign(message, { content, edited: seq, mentions, meta });
    }
  }
}

/** @param {Reaction[]} reactions @param {ChatEvent} event */
function applyReaction(reactions, { emoji = '', from, remove = false }) {
  let reaction = reactions.find((r) => r.emoji === emoji);
  if (remove !== (reaction?.users.includes(from) ?? false)) return;
  if (!reaction) reactions.push((reaction = { emoji, count: 0, users: [] }));
  reaction.users = remove ? reaction.users.filter((u) => u !== from) : [...reaction.users, from];
  reaction.count += remove ? -1 : 1;
  if (reaction.count <= 0) reactions.splice(reactions.indexOf(reaction), 1);
}
