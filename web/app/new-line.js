/** Where the new messages of an open conversation begin. The mark stays while the conversation is open. */
export class NewLine {
  /** They begin above this seq. Infinity: nothing is new; null: the read cursor is not known yet. @type {number|null} */
  from = null;

  clear() { this.from = null; }

  /** Whether there are new messages. */
  get exists() { return this.from !== null && this.from !== Infinity; }

  /** Finds the place once the server has told the cursor. @param {any} conversation */
  place({ read, readKnown, unread, unreadKnown, messages, atStart }) {
    if (this.from !== null || !readKnown || (unread === 0 && !unreadKnown)) return;
    if (messages.length > 0 || atStart) this.from = unread > 0 ? read : Infinity;
  }

  /** Messages came. @param {any} conversation @param {any[]} messages @param {boolean} seen whether the user sees them come */
  arrived({ read, unread }, messages, seen) {
    const others = messages.filter(({ own }) => !own).length;
    // If no others are unread, all is read above these.
    if (!seen && unread > 0 && unread <= others) this.from = read;
    // Whoever writes has seen what is there.
    if (others < messages.length) this.from = Infinity;
  }

  /** Whether the new messages begin above the loaded ones. @param {readonly any[]} messages */
  isAbove(messages) { return this.exists && (messages.length === 0 || messages[0].seq > /** @type {number} */ (this.from) + 1); }

  /** Whether the line stands above a message. @param {number} seq @param {any} previous @param {boolean} atStart */
  isAt(seq, previous, atStart) { return this.exists && seq > /** @type {number} */ (this.from) && (previous ? previous.seq <= /** @type {number} */ (this.from) : atStart); }

  /** The first new message that is loaded. The user's own ones are nothing new to them. @param {readonly any[]} messages */
  first(messages) {
    const find = () => messages.find(({ seq }) => seq > /** @type {number} */ (this.from));
    let first;
    while ((first = find())?.own) this.from = first.seq;
    return first;
  }
}
