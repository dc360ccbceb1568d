import { h } from './dom.js';

/** Signs such as © and ✔ are text unless a variation selector makes them emoji. */
const EMOJI_ONLY = /^(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|[\u200d\ufe0f\s]){1,12}$/u;
const FENCE = '```';
const SCHEMES = ['http://', 'https://'];
/** Ends a link wherever it stands. */
const ENDS_LINK = new Set(' \t\n\r\v\f\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff<>"`');
/** At the end of a link they belong to the sentence. */
const ENDS_SENTENCE = new Set(".,;:!?'*");
const LANGUAGE = /^[\w+-]$/;

export const isEmojiOnly = (text) => EMOJI_ONLY.test(text);

/** A message's text as nodes: code and links are elements, the rest stays text. @returns {(Node|string)[]} */
export function format(text) {
  const nodes = [];
  let done = 0;
  for (const { kind, start, end, content } of parts(text)) {
    if (kind === 'link' && !URL.canParse(content)) continue;
    nodes.push(text.slice(done, start),
      kind === 'block' ? h('pre', { tabIndex: 0 }, h('code', {}, content))
        : kind === 'code' ? h('code', {}, content)
        : h('a', { href: content, target: '_blank', rel: 'noopener noreferrer' }, content));
    done = end;
  }
  return [...nodes, text.slice(done)].filter((node) => node !== '');
}

/**
 * Finds code and links in the order of the text. It looks at each character a few times at most, whatever the text: regular expressions took
 * a third of a second for a link with 8,000 brackets behind it. (`text` is a string, or something that counts what is asked of it.)
 * @returns {Generator<{kind: 'block'|'code'|'link', start: number, end: number, content: string}>}
 */
export function* parts(text) {
  for (let at = 0; at < text.length; ) {
    const part = partAt(text, at);
    if (part) yield part;
    at = part ? part.end : at + 1;
  }
}

function partAt(text, at) {
  const char = text.charAt(at);
  if (char === '`') return block(text, at) ?? inline(text, at);
  return char === 'h' || char === 'H' ? link(text, at) : null;
}

/** Between two fences, the first of which may name a language. */
function block(text, at) {
  if (text.slice(at, at + 3) !== FENCE) return null;
  // At least one character stands between the fences.
  const close = text.indexOf(FENCE, at + 4);
  if (close < 0) return null;
  let from = at + 3;
  while (from < close && LANGUAGE.test(text.charAt(from))) from++;
  from = text.charAt(from) === '\n' && from + 1 < close ? from + 1 : at + 3;
  const to = text.charAt(close - 1) === '\n' ? close - 1 : close;
  const end = close + 3;
  return { kind: 'block', start: at, end: text.charAt(end) === '\n' ? end + 1 : end, content: text.slice(from, to) };
}

/** Between two backticks of one line. */
function inline(text, at) {
  const close = text.indexOf('`', at + 1);
  if (close <= at + 1) return null;
  const content = text.slice(at + 1, close);
  return content.includes('\n') ? null : { kind: 'code', start: at, end: close + 1, content };
}

function link(text, at) {
  const head = text.slice(at, at + 8).toLowerCase();
  const scheme = SCHEMES.find((s) => head.startsWith(s));
  if (!scheme) return null;
  let end = at + scheme.length;
  let open = 0;
  for (; end < text.length; end++) {
    const char = text.charAt(end);
    if (ENDS_LINK.has(char)) break;
    if (char === '(') open++;
    else if (char === ')') open--;
  }
  // A sentence's end belongs to the sentence, and so does a bracket that was opened before the link.
  for (; end > at; end--) {
    const char = text.charAt(end - 1);
    if (char === ')' && open < 0) open++;
    else if (!ENDS_SENTENCE.has(char)) break;
  }
  return end <= at + scheme.length ? null : { kind: 'link', start: at, end, content: text.slice(at, end) };
}
