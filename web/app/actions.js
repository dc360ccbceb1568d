import { isModerator } from './room-rules.js';

/** A change that is acknowledged at once shows no mark. */
const MARK_AFTER_MS = 400;

/** What a user does to messages, and which of it is on its way to the log. */
export class Actions {
  /** By conversation and seq. @type {WeakMap<object, Map<number, {content?: string}>>} */
  #waiting = new WeakMap();
  #changed;
  #trouble;

  /** @param {(conversation: any) => void} changed @param {(message: string) => void} trouble tells why something was refused */
  constructor(changed, trouble) {
    this.#changed = changed;
    this.#trouble = trouble;
  }

  /** What a message waits for. @param {object} conversation @param {number} seq @returns {{content?: string}|undefined} */
  waiting(conversation, seq) { return this.#waiting.get(conversation)?.get(seq); }

  /** Whether the user may delete a message: their own, and anybody's in a room that they run. @param {any} conversation @param {any} message */
  mayDelete({ kind, role }, { own }) { return own || (kind === 'room' && isModerator(role)); }

  /** Adds the user's reaction, or takes it back. @param {any} conversation @param {any} message @param {string} emoji @param {string} user */
  react(conversation, { seq, reactions }, emoji, user) {
    const remove = reactions.some((r) => r.emoji === emoji && r.users.includes(user));
    this.#follow(conversation, seq, conversation.react(seq, emoji, { remove }));
  }

  edit(conversation, seq, content) { this.#follow(conversation, seq, conversation.edit(seq, content), content); }

  delete(conversation, seq) {
    if (confirm('Delete this message for everyone?')) this.#follow(conversation, seq, conversation.delete(seq));
  }

  /** @param {any} conversation @param {number} seq @param {Promise<any>} change @param {string} [content] the text from then on */
  async #follow(conversation, seq, change, content) {
    const all = this.#waiting.get(conversation) ?? new Map();
    this.#waiting.set(conversation, all);
    const waiting = { content };
    const timer = setTimeout(() => { all.set(seq, waiting); this.#changed(conversation); }, conversation.ready ? MARK_AFTER_MS : 0);
    try {
      await change;
    } catch (error) {
      this.#trouble(error.message);
    }
    clearTimeout(timer);
    // A later change of the same message has a mark of its own.
    if (all.get(seq) === waiting) all.delete(seq);
    this.#changed(conversation);
  }
}
