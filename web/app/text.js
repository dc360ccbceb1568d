import { h } from './dom.js';

/** Signs such as © and ✔ are text unless a variation selector makes them emoji. */
const EMOJI_ONLY = /^(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|[\u200d\ufe0f\s]){1,12}$/u;
const FENCE = '```';
const SCHEMES = ['http://', 'https://'];
/** Ends a link wherever it stands. */
const ENDS_LINK = new Set(' \t\n\r\v\f\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff<>"`');
/** At the end of a link they belong to the sentence. */
const ENDS_SENTENCE = new Set(".,;:!?'*");
const IN_WORD = /[\p{L}\p{N}_-]/u;
const SPACE = /\s|^$/;
/** Marks in marks beyond this stay as they are. */
const DEEPEST = 3;
const MARKS = [['**', 'bold'], ['~~', 'struck'], ['*', 'italic'], ['_', 'italic']];
const LISTS = { list: 'ul', numbered: 'ol' };
const TAGS = { bold: 'strong', italic: 'em', struck: 's', quotation: 'blockquote' };
const isDigit = (char) => char >= '0' && char <= '9';
/** What begins a line, and how long it is there; 0: it does not. @type {[string, (text: any, at: number) => number][]} */
const LINES = [
  ['quotation', (text, at) => (text.charAt(at) !== '>' ? 0 : text.charAt(at + 1) === ' ' ? 2 : 1)],
  ['list', (text, at) => ((text.charAt(at) === '-' || text.charAt(at) === '*') && text.charAt(at + 1) === ' ' ? 2 : 0)],
  ['numbered', (text, at) => {
    const digits = !isDigit(text.charAt(at)) ? 0 : isDigit(text.charAt(at + 1)) ? 2 : 1;
    return digits > 0 && text.slice(at + digits, at + digits + 2) === '. ' ? digits + 2 : 0;
  }],
];
const LANGUAGE = /^[\w+-]$/;

export const isEmojiOnly = (text) => EMOJI_ONLY.test(text);

/**
 * A message's text as nodes: code, links, mentions and what is marked up (a subset of Markdown) are elements, the rest stays text.
 * @param {string} text @param {readonly string[]} [mentions] users @param {(user: string) => string} [nameOf] @param {number} [depth] of marks in marks
 * @returns {(Node|string)[]}
 */
export function format(text, mentions = [], nameOf = (user) => user, depth = 0) {
  if (depth > DEEPEST) return [text];
  const inner = (/** @type {string} */ content) => format(content, mentions, nameOf, depth + 1);
  const nodes = [];
  let done = 0;
  for (const { kind, start, end, content, items } of parts(text, mentions)) {
    if (kind === 'link' && !URL.canParse(content)) continue;
    nodes.push(text.slice(done, start),
      kind === 'block' ? h('pre', { tabIndex: 0 }, h('code', {}, content))
        : kind === 'code' ? h('code', {}, content)
        : kind in LISTS ? h(LISTS[kind], {}, ...items.map((item) => h('li', {}, ...inner(item))))
        : kind in TAGS ? h(TAGS[kind], {}, ...inner(content))
        : kind === 'mention' ? h('span', { class: 'mentioned', title: content }, `@${nameOf(content)}`)
        : h('a', { href: content, target: '_blank', rel: 'noopener noreferrer' }, content));
    done = end;
  }
  return [...nodes, text.slice(done)].filter((node) => node !== '');
}

/**
 * Finds code, links, mentions and marked-up text in the order of the text. It looks at each character a few times at most, whatever the text: regular expressions took
 * a third of a second for a link with 8,000 brackets behind it. (`text` is a string, or something that counts what is asked of it.)
 * @param {readonly string[]} [mentions] users
 * @returns {Generator<{kind: string, start: number, end: number, content: string, items?: string[]}>} `items` of a list
 */
export function* parts(text, mentions = []) {
  for (let at = 0; at < text.length; ) {
    const part = partAt(text, at, mentions);
    if (part) yield part;
    at = part ? part.end : at + 1;
  }
}

function partAt(text, at, mentions) {
  const char = text.charAt(at);
  if (char === '@') return mention(text, at, mentions);
  if (at === 0 || text.charAt(at - 1) === '\n') {
    const found = lines(text, at);
    if (found) return found;
  }
  if (char === '*' || char === '_' || char === '~') return emphasis(text, at);
  if (char === '`') return block(text, at) ?? inline(text, at);
  return char === 'h' || char === 'H' ? link(text, at) : null;
}

/** An @ and a mentioned user's id that ends there: `@bob` is no mention of `bo`. */
function mention(text, at, mentions) {
  let longest = '';
  for (const user of mentions) {
    if (user.length > longest.length && text.slice(at + 1, at + 1 + user.length) === user && !IN_WORD.test(text.charAt(at + 1 + user.length))) longest = user;
  }
  return longest === '' ? null : { kind: 'mention', start: at, end: at + 1 + longest.length, content: longest };
}

/** Between two marks of one line, at the edges of words: `snake_case` and `2 * 3` are none. Only the next mark can end it, so no text is searched twice. */
function emphasis(text, at) {
  if (at > 0 && IN_WORD.test(text.charAt(at - 1))) return null;
  const [mark, kind] = MARKS.find(([m]) => text.slice(at, at + m.length) === m) ?? [];
  if (mark === undefined) return null;
  const from = at + mark.length;
  if (SPACE.test(text.charAt(from))) return null;
  const to = text.indexOf(mark, from);
  if (to <= from || SPACE.test(text.charAt(to - 1)) || IN_WORD.test(text.charAt(to + mark.length))) return null;
  const content = text.slice(from, to);
  return content.includes('\n') ? null : { kind, start: at, end: to + mark.length, content };
}

/** Lines that follow each other and begin alike: a quotation or a list. */
function lines(text, at) {
  const [kind, lengthOf] = LINES.find(([, length]) => length(text, at) > 0) ?? [];
  if (kind === undefined) return null;
  const items = [];
  let end = at;
  for (let length = lengthOf(text, end); length > 0; length = lengthOf(text, end)) {
    const line = text.indexOf('\n', end);
    const to = line < 0 ? text.length : line;
    items.push(text.slice(end + length, to));
    end = line < 0 ? to : to + 1;
  }
  return { kind, start: at, end, content: items.join('\n'), items };
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
