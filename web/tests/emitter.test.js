import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Emitter } from '../lib/emitter.js';

test('on hears each event until it is taken back, by its result, by off or by its signal', () => {
  const emitter = new Emitter();
  const heard = [];
  const abort = new AbortController();
  const [one, two, three] = ['one', 'two', 'three'].map((name) => (value) => heard.push(`${name} ${value}`));
  const offOne = emitter.on('x', one);
  emitter.on('x', two);
  emitter.on('x', three, abort);
  emitter.emit('x', 1);
  offOne();
  emitter.off('x', two);
  abort.abort();
  emitter.off('x', two);
  emitter.off('unknown', two);
  emitter.emit('x', 2);
  assert.deepEqual(heard, ['one 1', 'two 1', 'three 1']);
  emitter.on('x', one, { signal: AbortSignal.abort() });
  emitter.emit('x', 3);
  assert.equal(heard.length, 3);
});

test('once hears one event, or none when it is taken back before', () => {
  const emitter = new Emitter();
  const heard = [];
  const listener = (value) => { heard.push(value); emitter.emit('x', value + 1); };
  emitter.once('x', listener);
  emitter.emit('x', 1);
  assert.deepEqual(heard, [1], 'not even the event that it causes itself');
  emitter.once('x', listener);
  emitter.off('x', listener);
  emitter.once('x', listener)();
  emitter.emit('x', 5);
  assert.deepEqual(heard, [1]);
});

test('A listener that another one removed does not hear the event that is being told', () => {
  const emitter = new Emitter();
  const heard = [];
  const second = () => heard.push('second');
  emitter.on('x', () => emitter.off('x', second));
  emitter.on('x', second);
  emitter.emit('x', 1);
  assert.deepEqual(heard, []);
});
