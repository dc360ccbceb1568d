import { h, icon } from './dom.js';
import { nameOf } from './people.js';

const TEXT_MOST = 120;

/** What a reply answers, as far as it is loaded. @param {any} client @param {any} conversation @param {number|undefined} seq */
const quoted = (client, conversation, seq) => {
  const message = conversation.messages.find((m) => m.seq === seq);
  return !message ? ['', 'An earlier message'] : [nameOf(client, message.from), message.deleted ? 'A deleted message' : message.content.slice(0, TEXT_MOST)];
};

/** Says whether a quote would look otherwise than before. @param {any} client @param {any} conversation @param {number|undefined} seq of the answered message */
export const looksOfQuote = (client, conversation, seq) => (seq === undefined ? '' : quoted(client, conversation, seq).join('\n'));

/**
 * What a reply answers, in short; it leads there.
 * @param {any} client @param {any} conversation @param {number|undefined} seq of the answered message @param {(seq: number) => void} reveal
 */
export function quote(client, conversation, seq, reveal) {
  if (seq === undefined) return null;
  const [name, text] = quoted(client, conversation, seq);
  return h('button', { type: 'button', class: 'quote small', title: 'Go to the message', onclick: () => reveal(seq) },
    icon('reply'), h('span', { class: 'sr-only' }, 'In reply to '), name && h('strong', {}, name), h('span', {}, text));
}
