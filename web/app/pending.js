import { h } from './dom.js';
import { asMessage, pendingRow } from './row.js';

const SHOWN = 50;

/** What stands below the newest message of the log, as far as that looks otherwise for it. @param {any} conversation @param {string} user */
export const firstPending = ({ pending: [first] }, user) => first && asMessage(first.created, user);

/** The user's messages on their way, below those of the log. */
export class PendingList {
  element = h('ol', { class: 'list' });

  /** @param {any} client @param {any} conversation @param {(seq: number) => void} reveal @returns {boolean} whether there are more than before */
  draw(client, conversation, reveal) {
    const { pending, messages } = conversation;
    const more = pending.length > this.element.childElementCount;
    let previous = messages.at(-1);
    this.element.replaceChildren(...pending.slice(-SHOWN).map((each) => {
      const above = previous;
      previous = asMessage(each.created, client.user);
      return pendingRow(client, conversation, each, above, {
        again: () => conversation.retry(each.nonce)?.catch(() => {}), remove: () => conversation.discard(each.nonce), reveal,
      });
    }));
    return more;
  }
}
