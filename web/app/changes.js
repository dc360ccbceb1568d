/** A change that is acknowledged at once shows no mark. */
const MARK_AFTER_MS = 400;

/** Edits, deletions and reactions that are on their way to the log. */
export class Changes {
  /** By conversation and seq. @type {WeakMap<object, Map<number, {content?: string}>>} */
  #waiting = new WeakMap();
  #changed;

  /** @param {(conversation: any) => void} changed */
  constructor(changed) { this.#changed = changed; }

  /** What a message waits for. @param {object} conversation @param {number} seq @returns {{content?: string}|undefined} */
  of(conversation, seq) { return this.#waiting.get(conversation)?.get(seq); }

  /** @param {any} conversation @param {number} seq @param {Promise<any>} change @param {string} [content] the text from then on */
  async follow(conversation, seq, change, content) {
    const all = this.#waiting.get(conversation) ?? new Map();
    this.#waiting.set(conversation, all);
    const waiting = { content };
    const show = () => { all.set(seq, waiting); this.#changed(conversation); };
    const timer = setTimeout(show, conversation.ready ? MARK_AFTER_MS : 0);
    try {
      await change;
    } finally {
      clearTimeout(timer);
      // A later change of the same message has a mark of its own.
      if (all.get(seq) === waiting) all.delete(seq);
      this.#changed(conversation);
    }
  }
}
