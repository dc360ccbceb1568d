import { h } from './dom.js';

const PARTS = /```(?:[\w+-]*\n)?([^]+?)```\n?|`([^`\n]+)`|https?:\/\/[^\s<>"`]+/gi;
const EMOJI_ONLY = /^[\p{Extended_Pictographic}\u200d\ufe0f\u{1f3fb}-\u{1f3ff}\s]{1,12}$/u;

export const isEmojiOnly = (text) => EMOJI_ONLY.test(text);

/** A message's text as nodes: code and links are elements, the rest stays text. @returns {(Node|string)[]} */
export function format(text) {
  const nodes = [];
  let done = 0;
  for (const match of text.matchAll(PARTS)) {
    const [whole, block, inline] = match;
    let node, { length } = whole;
    if (block !== undefined) node = h('pre', { tabIndex: 0 }, h('code', {}, block.replace(/\n$/, '')));
    else if (inline !== undefined) node = h('code', {}, inline);
    else {
      // A link does not include the end of its sentence, nor a bracket that was opened before it.
      let url = whole.replace(/[.,;:!?'*]+$/, '');
      while (url.endsWith(')') && url.split(')').length > url.split('(').length) url = url.slice(0, -1);
      if (!URL.canParse(url)) continue;
      length = url.length;
      node = h('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, url);
    }
    nodes.push(text.slice(done, match.index), node);
    done = match.index + length;
  }
  return [...nodes, text.slice(done)].filter((node) => node !== '');
}
