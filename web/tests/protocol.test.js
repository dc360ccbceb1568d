import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { LIMITS } from '../aspirechat.js';
import { check, decode, encode, isFinalClose } from '../lib/frames.js';

const golden = JSON.parse(readFileSync(new URL('../../Tests/Golden/frames.json', import.meta.url), 'utf8'));
const text = ({ text, parts }) => text ?? parts.map((p) => (typeof p === 'string' ? p : p[0].repeat(p[1]))).join('');
/** What the decoder adds by itself. */
const DEFAULTS = { ack: { duplicate: false }, react: { remove: false }, typing: { active: true } };
const CONTENT_FREE = new Set(['type', 'room', 'to']);

for (const { name, direction, frame, optional } of golden.frames.filter((f) => f.direction !== 'http')) {
  test(`golden ${direction} frame decodes to itself: ${name}`, () => {
    assert.deepEqual(decode(JSON.stringify(frame), direction), { ...DEFAULTS[frame.type], ...frame });
  });

  test(`golden ${direction} frame stands each optional field missing, and no other: ${name}`, () => {
    for (const field of Object.keys(frame).filter((f) => !CONTENT_FREE.has(f))) {
      const { [field]: gone, ...rest } = frame;
      const schemaOptional = optional.includes(field) || canMiss(direction, frame, field);
      if (schemaOptional) assert.equal(check(rest, direction).type, frame.type, field);
      else assert.throws(() => check(rest, direction), { code: 'bad_request', field }, field);
    }
  });
}

/** A field that another golden frame of this type does without. */
const canMiss = (direction, frame, field) => golden.frames.some((g) => g.direction === direction && g.frame.type === frame.type && (g.optional.includes(field) || !(field in g.frame)));

for (const { name, direction, frame, ...source } of golden.same) {
  test(`golden equivalent: ${name}`, () => assert.deepEqual(decode(text(source), direction), check(frame, direction)));
}

for (const { name, error, names, ...source } of golden.invalid) {
  test(`golden invalid frame is refused: ${name}`, () => {
    assert.throws(() => decode(text(source), 'client'), (fault) => {
      assert.equal(fault.code, error.code);
      if (names) assert.match(fault.message, new RegExp(`\\b${names}\\b`));
      return true;
    });
  });
}

test('golden pages hold events that decode as frames', () => {
  const pages = golden.frames.filter((f) => f.direction === 'http' && f.frame.epoch);
  assert.ok(pages.length > 0);
  for (const { frame } of pages) for (const item of frame.items) assert.equal(check(item, 'server').seq, item.seq);
});

test('every frame type of both directions is in the golden set', () => {
  const types = (direction) => [...new Set(golden.frames.filter((f) => f.direction === direction).map((f) => f.frame.type))].sort();
  assert.deepEqual(types('client'), ['auth', 'delete', 'dm', 'edit', 'join', 'leave', 'ping', 'react', 'read', 'resume', 'room', 'signal', 'typing']);
  assert.deepEqual(types('server'), ['ack', 'authenticated', 'delete', 'dm', 'durable', 'edit', 'error', 'joined', 'left', 'member', 'offline', 'online', 'pong',
    'presence', 'profile', 'react', 'read', 'reconnect', 'resumed', 'room', 'signal', 'typing', 'welcome']);
});

test('a frame past the byte limit is refused before it is sent', () => {
  // Each control character takes six bytes as an escape: within the content limit, past the frame limit.
  const frame = { type: 'room', room: 'lobby', nonce: 'n', content: '\u0001'.repeat(LIMITS.content) };
  assert.throws(() => encode(frame), { code: 'too_large' });
  assert.ok(encode({ ...frame, content: '€'.repeat(LIMITS.content) }).length > LIMITS.content);
});

test('close codes 4000 to 4099 are final but for an expired token and a slow reader', () => {
  assert.deepEqual([4000, 4001, 4003, 4009, 4099].map(isFinalClose), [true, true, true, true, true]);
  assert.deepEqual([1000, 1001, 1006, 1011, 1012, 1013, 4002, 4008, 4100].map(isFinalClose), Array(9).fill(false));
});
