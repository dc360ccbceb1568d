import { h } from './dom.js';
import { pendingRow } from './row.js';

const SHOWN = 50;

/** The user's messages on their way, below those of the log. */
export class PendingList {
  element = h('ol', { class: 'list' });

  /** @param {any} conversation @param {string} user @returns {boolean} whether there are more than before */
  draw(conversation, user) {
    const { pending, messages } = conversation;
    const more = pending.length > this.element.childElementCount;
    let previous = messages.at(-1);
    this.element.replaceChildren(...pending.slice(-SHOWN).map((each) => {
      const above = previous;
      previous = { own: true, from: user, timestamp: new Date(each.created).toISOString() };
      return pendingRow(each, above, {
        again: () => conversation.retry(each.nonce)?.catch(() => {}), remove: () => conversation.discard(each.nonce),
      });
    }));
    return more;
  }
}
