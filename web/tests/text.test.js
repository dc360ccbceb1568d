import assert from 'node:assert/strict';
import { test } from 'node:test';
import { looksOf, reactionList } from '../app/reactions.js';
import { format, isEmojiOnly, parts } from '../app/text.js';

/** A text that counts how many characters are looked at. */
class Counted {
  steps = 0;
  #text;
  constructor(text) { this.#text = text; }
  get length() { return this.#text.length; }
  charAt(at) { this.steps++; return this.#text.charAt(at); }
  slice(from, to) { this.steps += Math.max(0, Math.min(to, this.length) - from); return this.#text.slice(from, to); }
  indexOf(what, from) {
    const found = this.#text.indexOf(what, from);
    this.steps += (found < 0 ? this.length : found + what.length) - Math.min(from, this.length);
    return found;
  }
}

const LENGTH = 8_000;
const fill = (text, length = LENGTH) => text.repeat(Math.ceil(length / text.length)).slice(0, length);
const HOSTILE = [
  'a', '`', '``', '```', '``x', '`\n', '```a\n', '```\n', '``` ', '`a', 'h', 'ht', 'http', 'http:/', 'http://', 'https://', 'http://a', 'http://a ', 'http://)',
  'http://(', 'http://a)`', 'http://!', '!', ')', '(', '()', ')(', 'http://a`', '`http://a', '```http://a', 'http://a```', '\n',
  '*', '**', '_', '~~', '*a', '**a', '*a ', ' *a', '_a', '*a*', '**a *b ', '> ', '>', '>> a\n', '- ', '- a\n', '1. ', '1. a\n', '* *a',
];
/** A small generator with a seed, so that a failure can be repeated. */
function* numbers(seed) {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}
const stepsOf = (text) => {
  const counted = new Counted(text);
  for (const part of parts(counted)) assert.ok(part.end > part.start);
  return counted.steps;
};

test('no text makes the finder look at a character more than some twenty times', () => {
  const random = numbers(7);
  const pick = (list) => list[Math.floor(random.next().value * list.length)];
  const texts = HOSTILE.flatMap((a) => [fill(a), `http://a${fill(a)}`, `${fill(a, LENGTH / 2)}a${fill(a, LENGTH / 2)}`, `\`\`\`${fill(a)}`, `${fill(a)}\`\`\``]);
  for (let i = 0; i < 500; i++) {
    let text = '';
    while (text.length < LENGTH) text += fill(pick(HOSTILE), 1 + Math.floor(random.next().value ** 4 * LENGTH));
    texts.push(text.slice(0, LENGTH));
  }
  for (const text of texts) {
    const steps = stepsOf(text);
    assert.ok(steps <= 20 * text.length, `${steps} steps for ${JSON.stringify(text.slice(0, 60))}…`);
  }
});

test('code and links are found where they were always found', () => {
  globalThis.document = { createElement: (tag) => ({ tag, children: [], append(...children) { this.children.push(...children); } }) };
  const shown = (text) => format(text).map((node) => (typeof node === 'string' ? node
    : node.tag === 'a' ? [node.href] : node.tag === 'pre' ? { pre: node.children[0].children.join('') } : { code: node.children.join('') }));
  for (const [text, ...nodes] of [
    ['', ...[]],
    ['plain', 'plain'],
    ['see http://a.b/c.', 'see ', ['http://a.b/c'], '.'],
    ['HTTPS://A.B/(c)', ['HTTPS://A.B/(c)']],
    ['(http://a.b/c(d))', '(', ['http://a.b/c(d)'], ')'],
    ['(http://a.b.)', '(', ['http://a.b'], '.)'],
    ['http://a)))))', ['http://a'], ')))))'],
    ['http://a/?!?!x', ['http://a/?!?!x']],
    ['http://', 'http://'],
    ['http://x/"onmouseover=alert(1)', ['http://x/'], '"onmouseover=alert(1)'],
    ['javascript:alert(1)', 'javascript:alert(1)'],
    ['http://[nohost', 'http://[nohost'],
    ['a `b` c', 'a ', { code: 'b' }, ' c'],
    ['a `b\nc` d', 'a `b\nc` d'],
    ['`` a', '`` a'],
    ['```js\nlet a;\n```\nb', { pre: 'let a;' }, 'b'],
    ['```a```', { pre: 'a' }],
    ['```\nhttp://a\n```', { pre: 'http://a' }],
    ['```a', '```a'],
    ['`http://a`', { code: 'http://a' }],
    ['http://a`b`', ['http://a'], { code: 'b' }],
  ]) assert.deepEqual(shown(text), nodes, text);
});

test('thousands of reactions by thousands of people make a row of twenty', () => {
  let made = 0;
  globalThis.document = { createElement: () => ({ append() { made++; }, addEventListener() {}, setAttribute() {} }) };
  const users = Array.from({ length: 5_000 }, (_, i) => `user-${i}`);
  const reactions = Array.from({ length: 2_000 }, (_, i) => ({ emoji: `e${i}`, count: users.length, users }));
  assert.ok(JSON.stringify(looksOf(reactions, 'me')).length < 10_000);
  assert.ok(reactionList(reactions, { user: 'me', profiles: new Map() }, () => {}));
  assert.equal(made, 1 + 20 * 2 + 1);
  assert.notDeepEqual(looksOf(reactions, 'me'), looksOf(reactions, 'user-4000'));
});

test('a message of emoji is told from a long run of them', () => {
  assert.ok(isEmojiOnly('👩‍💻 👍'));
  assert.ok(!isEmojiOnly('👍 a'));
  assert.ok(!isEmojiOnly('👩‍'.repeat(4000)));
});

test('emoji alone are shown large, and signs that are text stay text', () => {
  for (const text of ['©', '✔', '™', '®', '↔', '1', '#', 'a', '☎', '👍a']) assert.equal(isEmojiOnly(text), false, text);
  for (const text of ['🎉', '❤️', '👍🏽', '👍🏽 ❤️', '🇩🇪', '👩‍👩‍👧', '✔️', '☕']) assert.equal(isEmojiOnly(text), true, text);
});

test('A mention is the whole id of somebody who is mentioned, and nobody else', () => {
  const found = (text, mentions) => [...parts(text, mentions)].filter(({ kind }) => kind === 'mention').map(({ content }) => content);
  assert.deepEqual(found('@bob, @bo and @bobby. (@a.b@example.com)', ['bo', 'bob', 'a.b@example.com']), ['bob', 'bo', 'a.b@example.com']);
  assert.deepEqual(found('`@bob` and @alice', ['bob']), []);
  const counted = new Counted(fill('@user-1', LENGTH));
  assert.equal([...parts(counted, Array.from({ length: 50 }, (_, i) => `user-${i}`))].length, Math.floor(LENGTH / 7));
  assert.ok(counted.steps < 400 * LENGTH);
});

test('a subset of Markdown is marked up, and what only looks like it stays text', () => {
  const marks = (text) => [...parts(text)].map(({ kind, content, items }) => [kind, items ?? content]);
  assert.deepEqual(marks('**bold** *slanted*, _slanted_ and ~~gone~~.'), [['bold', 'bold'], ['italic', 'slanted'], ['italic', 'slanted'], ['struck', 'gone']]);
  assert.deepEqual(marks('> he said\n> this\nand I'), [['quotation', ['he said', 'this']]]);
  assert.deepEqual(marks('to do:\n- tea\n- milk\n\n1. first\n2. second'), [['list', ['tea', 'milk']], ['numbered', ['first', 'second']]]);
  for (const text of ['snake_case_name', '2 * 3 * 4', '** no **', '*a\nb*', '* ', '-5 - 4', 'a > b', '1.5', '2026. A year', '**', '____', '*a*b']) {
    assert.deepEqual(marks(text).filter(([, content]) => String(content) !== ''), [], text);
  }
});
