// What is answered by the server is a promise: it resolves when the server has it, over any number of connections.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joined, message, setup, settle } from './harness.js';

/** How a promise stands now: 'open', 'done' or the code of its error. */
const stateOf = (promise) => Promise.race([
  promise.then(() => 'done', (error) => error.code ?? error.name), settle().then(settle).then(() => 'open')]);
const left = (socket) => socket.say({ type: 'left', room: 'lobby', ref: socket.last('leave').ref });

test('leave resolves when the server has ended the membership, over a lost connection too', async () => {
  const kit = setup();
  await kit.connect();
  await kit.join(0);
  const leaving = kit.client.leave('lobby');
  const second = await kit.reconnect();
  assert.equal(await stateOf(leaving), 'open');
  left(second);
  assert.equal(await stateOf(leaving), 'done');
});

test('leave rejects when it is refused for good, and nobody has to wait for it', async (t) => {
  const kit = setup();
  const socket = await kit.connect();
  await kit.join(0);
  const unhandled = t.mock.fn();
  process.on('unhandledRejection', unhandled);
  t.after(() => process.off('unhandledRejection', unhandled));
  kit.client.leave('lobby');
  const leaving = kit.client.leave('lobby');
  socket.say({ type: 'error', code: 'forbidden', message: 'the last owner', ref: socket.last('leave').ref });
  assert.equal(await stateOf(leaving), 'forbidden');
  assert.equal(unhandled.mock.callCount(), 0);
});

test('leave ends a membership that this client did not use, and refuses what is no room', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const leaving = kit.client.leave('other');
  assert.equal(socket.last('leave').room, 'other');
  socket.say({ type: 'left', room: 'other', ref: socket.last('leave').ref });
  assert.equal(await stateOf(leaving), 'done');
  assert.equal(await stateOf(kit.client.leave('a b')), 'bad_request');
});

test('A leave that a join takes back, or that close ends, says so', async () => {
  const kit = setup();
  await kit.connect();
  await kit.join(0);
  kit.socket.end(1006);
  const taken = kit.client.leave('lobby');
  kit.client.join('lobby').catch(() => {});
  assert.equal(await stateOf(taken), 'closed');
  const open = kit.client.leave('lobby');
  kit.client.close();
  assert.equal(await stateOf(open), 'closed');
  assert.equal(await stateOf(kit.client.leave('lobby')), 'closed');
});

test('A wait for leave or markRead ends with its signal', async () => {
  const kit = setup();
  await kit.connect();
  const room = await kit.join(0);
  kit.socket.say(message(1));
  const abort = new AbortController();
  const waits = [room.markRead(1, abort), kit.client.leave('lobby', abort)];
  abort.abort();
  for (const wait of waits) await assert.rejects(wait, { name: 'AbortError' });
});

test('markRead resolves when the server confirms the cursor, over a lost connection too', async () => {
  const kit = setup();
  await kit.connect();
  const room = await kit.join(0);
  for (const seq of [1, 2, 3]) kit.socket.say(message(seq));
  const [two, three] = [room.markRead(2), room.markRead()];
  await kit.clock.advance(1000);
  assert.equal(kit.socket.last('read').seq, 3);
  kit.socket.say({ type: 'read', room: 'lobby', from: 'alice', seq: 2 });
  assert.deepEqual([await stateOf(two), await stateOf(three)], ['done', 'open']);
  const second = await kit.reconnect();
  second.say(joined(3, { ref: second.last('join').ref, read: 2 }));
  assert.equal(second.last('read').seq, 3);
  second.say({ type: 'read', room: 'lobby', from: 'alice', seq: 3 });
  assert.equal(await stateOf(three), 'done');
  assert.equal(await stateOf(room.markRead(1)), 'done', 'the server has it already');
});

test('A confirmation that was lost is asked for, and a cursor that was lost goes again', async () => {
  for (const read of [1, 0]) {
    const kit = setup();
    kit.history.overview = [{ room: 'lobby', head: 1, read: 0, unread: 1, mentions: 0, last: null }];
    await kit.connect({ heartbeat: 3600 });
    const room = await kit.join(0);
    kit.socket.say(message(1));
    const reading = room.markRead();
    await kit.clock.advance(1000);
    kit.history.overview[0].read = read;
    await kit.clock.advance(17_000);
    assert.equal(kit.history.calls.filter(({ path }) => path === '/api/conversations').length, 2);
    assert.equal(await stateOf(reading), read === 1 ? 'done' : 'open');
    assert.equal(kit.socket.of('read').length, read === 1 ? 1 : 2);
    kit.socket.say({ type: 'read', room: 'lobby', from: 'alice', seq: 1 });
    assert.equal(await stateOf(reading), 'done');
    await kit.clock.advance(60_000);
    assert.equal(kit.history.calls.filter(({ path }) => path === '/api/conversations').length, 2, 'no more questions');
  }
});

test('A cursor beyond the newest message is one at it', async () => {
  const kit = setup();
  await kit.connect();
  const room = await kit.join(4);
  kit.socket.say(message(5));
  const reading = room.markRead(99);
  await kit.clock.advance(1000);
  assert.deepEqual([room.read, kit.socket.last('read').seq], [5, 5]);
  kit.socket.say({ type: 'read', room: 'lobby', from: 'alice', seq: 5 });
  assert.equal(await stateOf(reading), 'done');
});

test('Who waits for a cursor is told when the conversation ends', async () => {
  const kit = setup();
  await kit.connect();
  const room = await kit.join(0);
  kit.socket.say(message(1));
  const reading = room.markRead();
  kit.client.leave('lobby');
  assert.equal(await stateOf(reading), 'closed');
});
