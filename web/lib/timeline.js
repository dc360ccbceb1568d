/** @typedef {import('./protocol.js').ChatEvent} ChatEvent */
/** @typedef {import('./protocol.js').Reaction} Reaction */
/**
 * A message as it stands now: its edits, deletion and reactions applied. `state` is known of own messages only.
 * @typedef {{id: string, seq: number, from: string, content: string, timestamp: string, edited?: number, deleted: boolean,
 *   reactions: Reaction[], own: boolean, live: boolean, state?: 'accepted'|'durable'}} Message
 */
/** @typedef {{delivered: ChatEvent[], gap: boolean, conflict: boolean}} Accepted */

/** Events held above a gap. More than a replay's length means the gap is better closed through history, which brings them again. */
const HELD_MAX = 2000;

/**
 * The loaded stretch of one conversation's log, `first` to `last` without a hole. It takes events in any order and any number of
 * times and gives each out once, in the order of `seq`. It does no I/O: who owns it fetches what it says is missing.
 */
export class Timeline {
  /** @type {string|null} null until the server told it */
  epoch = null;
  /** The lowest loaded seq; one above `last` while nothing is loaded. */
  first = 0;
  /** The seq up to which events were given out, or null before the conversation's place in its log is known. */
  last = /** @type {number|null} */ (null);
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
  #me;

  /** @param {() => string|null} me the user's own id */
  constructor(me) {
    this.#me = me;
  }

  /** Whether the oldest event of the conversation is loaded. */
  get atStart() {
    return this.last !== null && this.first <= 1;
  }

  /** Whether events are held that wait for missing ones. */
  get hasGap() {
    return this.#held.size > 0;
  }

  /** @param {number} seq */
  message(seq) {
    return this.#bySeq.get(seq);
  }

  /** Forgets everything and stands right behind `head`, from where live events go on. @param {string|null} epoch @param {number|null} head */
  reset(epoch, head) {
    this.epoch = epoch;
    this.last = head;
    this.first = (head ?? 0) + 1;
    this.durable = 0;
    this.messages = [];
    this.#bySeq.clear();
    this.#ids.clear();
    this.#held.clear();
  }

  /**
   * Takes an event that came live, in a replay or from a repair.
   * @param {ChatEvent} event
   * @returns {Accepted} `delivered`: what may be given out now, in order; `gap`: events before this one are missing;
   * `conflict`: another event stands at this seq, so the log is not the one known so far
   */
  accept(event) {
    this.last ??= event.seq - 1;
    if (this.#ids.size === 0) this.first = this.last + 1;
    if (event.seq <= this.last) {
      const known = this.#ids.get(event.seq);
      return { delivered: [], gap: false, conflict: known !== undefined && known !== event.id };
    }
    if (event.seq > this.last + 1) {
      if (this.#held.size < HELD_MAX) this.#held.set(event.seq, event);
      return { delivered: [], gap: true, conflict: false };
    }
    this.#append(event);
    return { delivered: [event, ...this.drain()], gap: this.hasGap, conflict: false };
  }

  /** Gives out the held events that now connect. @returns {ChatEvent[]} */
  drain() {
    const delivered = [];
    for (let event; (event = this.#held.get(/** @type {number} */ (this.last) + 1)); ) {
      this.#held.delete(event.seq);
      this.#append(event);
      delivered.push(event);
    }
    return delivered;
  }

  /** Gives up on the missing events below the held ones: the first held event is next. @returns {{from: number, to: number}} what is lost */
  skipGap() {
    const from = /** @type {number} */ (this.last) + 1;
    const to = Math.min(...this.#held.keys()) - 1;
    this.last = to;
    return { from, to };
  }

  /**
   * Adds a page of history in front.
   * @param {ChatEvent[]} items in any order; those that are not older than `first` are left out
   * @returns {number} how many messages were added
   */
  prepend(items) {
    const older = items.filter((e) => e.seq < this.first).sort((a, b) => a.seq - b.seq);
    if (older.length === 0 || older[older.length - 1].seq !== this.first - 1) return 0;
    const messages = [];
    for (const event of older) {
      this.#ids.set(event.seq, event.id);
      if (event.type === 'room' || event.type === 'dm') messages.push(this.#view(event, false));
    }
    this.first = older[0].seq;
    this.messages.unshift(...messages);
    return messages.length;
  }

  /** All up to `seq` is in the database. @param {number} seq @returns {Message[]} the messages that this changes */
  setDurable(seq) {
    const changed = [];
    for (let i = this.messages.length - 1; i >= 0 && this.messages[i].seq > this.durable; i--) {
      const message = this.messages[i];
      if (message.seq > seq || !message.own || message.state === 'durable') continue;
      message.state = 'durable';
      changed.push(message);
    }
    this.durable = Math.max(this.durable, seq);
    return changed;
  }

  /** @param {ChatEvent} event */
  #append(event) {
    this.last = event.seq;
    this.#ids.set(event.seq, event.id);
    if (event.type === 'room' || event.type === 'dm') this.messages.push(this.#view(event, true));
    else this.#apply(event);
  }

  /** @param {ChatEvent} event @param {boolean} live @returns {Message} */
  #view(event, live) {
    const own = event.from === this.#me();
    /** @type {Message} */
    const message = {
      id: event.id, seq: event.seq, from: event.from, content: event.content ?? '', timestamp: event.timestamp, edited: event.edited,
      deleted: event.deleted ?? false, reactions: (event.reactions ?? []).map((r) => ({ ...r, users: [...r.users] })), own, live,
      state: !own ? undefined : event.seq <= this.durable ? 'durable' : live ? 'accepted' : undefined,
    };
    this.#bySeq.set(event.seq, message);
    return message;
  }

  /** Applies an edit, delete or reaction. Applying one that the loaded message already shows changes nothing. @param {ChatEvent} event */
  #apply(event) {
    const message = this.#bySeq.get(event.target ?? 0);
    if (!message) return;
    if (event.type === 'delete') {
      Object.assign(message, { deleted: true, content: '', reactions: [] });
    } else if (event.type === 'edit' && !message.deleted && event.seq > (message.edited ?? 0)) {
      Object.assign(message, { content: event.content, edited: event.seq });
    } else if (event.type === 'react' && !message.deleted) {
      applyReaction(message.reactions, event);
    }
  }
}

/** @param {Reaction[]} reactions @param {ChatEvent} event */
function applyReaction(reactions, event) {
  const emoji = event.emoji ?? '';
  let reaction = reactions.find((r) => r.emoji === emoji);
  const has = reaction?.users.includes(event.from) ?? false;
  if (event.remove ? !has : has) return;
  if (event.remove && reaction) {
    reaction.users = reaction.users.filter((u) => u !== event.from);
    reaction.count--;
    if (reaction.count <= 0) reactions.splice(reactions.indexOf(reaction), 1);
    return;
  }
  if (!reaction) reactions.push((reaction = { emoji, count: 0, users: [] }));
  reaction.users.push(event.from);
  reaction.count++;
}
