import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ack, joined, message, setup, settle } from './harness.js';

const refusal = (frame, code, more = {}) => ({ type: 'error', code, message: code, nonce: frame.nonce, ...more });

test('A message is sending, then accepted, then in the timeline, then durable', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const room = await kit.join(0);
  const sending = room.send('hello');
  assert.deepEqual(room.pending.map((p) => p.state), ['sending']);
  const frame = socket.last('room');
  assert.equal(frame.content, 'hello');
  socket.say(ack(frame, 1));
  assert.equal((await sending).seq, 1);
  assert.deepEqual(room.pending.map((p) => p.state), ['accepted']);
  socket.say(message(1, 'alice', { nonce: frame.nonce }));
  assert.deepEqual(room.pending, []);
  assert.equal(room.messages[0].state, 'accepted');
  socket.say({ type: 'durable', room: 'lobby', seq: 1 });
  assert.equal(room.messages[0].state, 'durable');
});

test('The own copy may come before its ack', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const room = await kit.join(0);
  const sending = room.send('hello');
  const frame = socket.last('room');
  socket.say(message(1, 'alice', { nonce: frame.nonce }));
  assert.deepEqual(room.pending, []);
  assert.equal(room.messages.length, 1);
  socket.say(ack(frame, 1));
  assert.equal((await sending).seq, 1);
  assert.equal(kit.client.unacknowledged, 0);
});

test('One event per conversation is under way, so that a refusal cannot swap two', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const room = await kit.join(0);
  room.send('a');
  room.send('b');
  kit.client.direct('bob').send('c');
  assert.deepEqual(socket.of('room').map((f) => f.content), ['a']);
  assert.deepEqual(socket.of('dm').map((f) => f.content), ['c']);
  socket.say(refusal(socket.last('room'), 'unavailable', { retryAfter: 1000 }));
  await kit.clock.advance(2000);
  assert.deepEqual(socket.of('room').map((f) => f.content), ['a', 'a']);
  socket.say(ack(socket.last('room'), 1));
  assert.deepEqual(socket.of('room').map((f) => f.content), ['a', 'a', 'b']);
});

test('unavailable waits for retryAfter and sends again with the same nonce', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const room = await kit.join(0);
  room.send('a');
  const { nonce } = socket.last('room');
  socket.say(refusal({ nonce }, 'unavailable', { retryAfter: 3000 }));
  await kit.clock.advance(2999);
  assert.equal(socket.of('room').length, 1);
  await kit.clock.advance(700);
  assert.deepEqual(socket.of('room').map((f) => f.nonce), [nonce, nonce]);
});

test('rate_limited holds back all conversations', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const room = await kit.join(0);
  room.send('a');
  socket.say(refusal(socket.last('room'), 'rate_limited', { retryAfter: 1000 }));
  kit.client.direct('bob').send('c');
  await kit.clock.advance(999);
  assert.equal(socket.of('dm').length, 0);
  await kit.clock.advance(300);
  assert.equal(socket.of('dm').length, 1);
  assert.equal(socket.of('room').length, 2);
});

test('What is not acknowledged goes again on the next connection, after its room is joined, with the same nonce', async () => {
  const kit = setup();
  const first = await kit.connect();
  const room = await kit.join(0);
  const sending = room.send('a');
  const { nonce } = first.last('room');
  const socket = await kit.reconnect();
  assert.equal(socket.of('room').length, 0, 'not before joined');
  socket.say(joined(1));
  assert.deepEqual(socket.of('room').map((f) => f.nonce), [nonce]);
  socket.say(message(1, 'alice', { nonce, content: 'a' }));
  socket.say(ack({ nonce, room: 'lobby' }, 1, { duplicate: true }));
  await sending;
  assert.deepEqual(room.messages.map((m) => m.seq), [1]);
  assert.deepEqual(room.pending, []);
});

test('Messages composed while offline go out in order afterwards', async () => {
  const kit = setup();
  (await kit.connect());
  const room = await kit.join(0);
  kit.socket.end(1006);
  for (const content of ['a', 'b', 'c']) room.send(content);
  await kit.clock.advance(500);
  const socket = await kit.accept();
  socket.say(joined(0));
  for (let seq = 1; seq <= 3; seq++) socket.say(ack(socket.last('room'), seq));
  assert.deepEqual(socket.of('room').map((f) => f.content), ['a', 'b', 'c']);
});

test('A missing answer makes it send again', async () => {
  const kit = setup();
  const socket = await kit.connect({ heartbeat: 3600 });
  socket.say({ type: 'pong', ref: socket.last('ping').ref });
  const room = await kit.join(0);
  room.send('a');
  await kit.clock.advance(15_001);
  assert.equal(new Set(socket.of('room').map((f) => f.nonce)).size, 1);
  assert.equal(socket.of('room').length, 2);
});

test('A refusal for good fails the message, and the next one goes', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const room = await kit.join(0);
  const refused = room.send('a');
  room.send('b');
  socket.say(refusal(socket.last('room'), 'forbidden'));
  await assert.rejects(refused, { code: 'forbidden' });
  assert.deepEqual(room.pending.map((p) => [p.content, p.state]), [['a', 'failed'], ['b', 'sending']]);
  assert.equal(socket.last('room').content, 'b');
});

test('A failed message can be sent again or thrown away', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const room = await kit.join(0);
  const refused = room.send('a');
  socket.say(refusal(socket.last('room'), 'forbidden'));
  await assert.rejects(refused);
  const again = room.retry(room.pending[0].nonce);
  socket.say(ack(socket.last('room'), 1));
  assert.equal((await again).seq, 1);
  assert.equal(room.pending.length, 1);
});

test('What the server would refuse is refused before it is sent', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const room = await kit.join(0);
  await assert.rejects(room.send('x'.repeat(8001)), { code: 'too_large' });
  await assert.rejects(room.send('\ud800'), { code: 'bad_request' });
  assert.equal(socket.of('room').length, 0);
  assert.equal(kit.client.unacknowledged, 0);
});

test('not_joined joins the room again and then sends', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const room = await kit.join(0);
  const sending = room.send('a');
  socket.say(refusal(socket.last('room'), 'not_joined'));
  assert.equal(socket.of('join').length, 2);
  socket.say(joined(0));
  await kit.clock.advance(2000);
  assert.equal(socket.of('room').length, 2);
  socket.say(ack(socket.last('room'), 1));
  await sending;
});

test('A message is taken back by its signal while it has not been sent, and not after', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const room = await kit.join(0);
  const [sent, waiting] = [new AbortController(), new AbortController()];
  const first = room.send('a', sent);
  const second = room.send('b', waiting);
  waiting.abort();
  await assert.rejects(second, { name: 'AbortError' });
  sent.abort();
  socket.say(ack(socket.last('room'), 1));
  assert.equal((await first).seq, 1);
  assert.equal(socket.of('room').length, 1);
});

test('The outbox is bounded', async () => {
  const kit = setup();
  const room = kit.client.direct('bob');
  for (let i = 0; i < 1000; i++) room.send('x').catch(() => {});
  await assert.rejects(room.send('one more'), { code: 'limit' });
});

test('A message that waited a day fails: its nonce is no longer known', async () => {
  const kit = setup();
  const sending = kit.client.direct('bob').send('x');
  await kit.clock.advance(24 * 3600_000);
  const refused = assert.rejects(sending, { code: 'expired' });
  await kit.connect();
  await refused;
});

test('A join that is refused rejects; one that is unavailable is tried again', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const refused = kit.client.join('secret');
  socket.say({ type: 'error', code: 'forbidden', message: 'no', ref: socket.last('join').ref });
  await assert.rejects(refused, { code: 'forbidden' });
  assert.equal(kit.client.conversations.has('room:secret'), false);
  const later = kit.client.join('lobby');
  socket.say({ type: 'error', code: 'unavailable', message: 'later', ref: socket.last('join').ref, retryAfter: 1000 });
  await kit.clock.advance(1500);
  socket.say(joined(0));
  assert.equal((await later).joined, true);
});

test('A room left on another device goes here too', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const room = await kit.join(0);
  const sending = room.send('a');
  socket.say({ type: 'left', room: 'lobby' });
  await assert.rejects(sending, { code: 'closed' });
  assert.equal(kit.client.conversations.size, 0);
  const next = await kit.reconnect();
  assert.equal(next.of('join').length, 0);
});

test('A room left while offline is left at the next connection, and does not come back', async () => {
  const kit = setup();
  await kit.connect();
  await kit.join(0);
  kit.history.overview = [{ room: 'lobby', head: 0, read: 0, unread: 0, last: null }];
  const overviews = [];
  kit.client.on('overview', (items) => overviews.push(items));
  kit.socket.end(1006);
  kit.client.leave('lobby');
  await kit.clock.advance(500);
  const socket = await kit.accept();
  assert.deepEqual(socket.of('leave').map((f) => f.room), ['lobby']);
  assert.equal(socket.of('join').length, 0);
  assert.deepEqual(overviews.at(-1), []);
});

test('Joining a room that is being joined again sends one join', async () => {
  const kit = setup();
  await kit.connect();
  await kit.join(0);
  const socket = await kit.reconnect();
  const joining = kit.client.join('lobby');
  assert.equal(socket.of('join').length, 1);
  socket.say(joined(0));
  assert.equal((await joining).joined, true);
});

test('Nonces do not repeat', async () => {
  const kit = setup();
  const socket = await kit.connect();
  for (let i = 0; i < 100; i++) kit.client.direct(`u${i}`).send('x');
  await settle();
  assert.equal(new Set(socket.of('dm').map((f) => f.nonce)).size, 100);
});

test('A message carries what it replies to, mentions and meta, and an edit changes those that it names', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const room = await kit.join(0);
  room.send('hello', { replyTo: 7, mentions: ['bob'], meta: { a: 1 } });
  const { nonce, ...frame } = socket.last('room');
  assert.deepEqual(frame, { type: 'room', room: 'lobby', content: 'hello', replyTo: 7, mentions: ['bob'], meta: { a: 1 } });
  socket.say(message(1, 'alice', { nonce, replyTo: 7, mentions: ['bob'], meta: { a: 1 } }));
  socket.say(ack({ nonce, room: 'lobby' }, 1));
  room.edit(1, 'hello!', { mentions: [] });
  assert.deepEqual(socket.last('edit').mentions, []);
  socket.say(message(2, 'alice', { type: 'edit', target: 1, content: 'hello!', mentions: [] }));
  const { content, replyTo, mentions, meta } = room.messages[0];
  assert.deepEqual({ content, replyTo, mentions, meta }, { content: 'hello!', replyTo: 7, mentions: [], meta: { a: 1 } });
  socket.say(message(3, 'alice', { type: 'delete', target: 1, content: undefined }));
  assert.deepEqual([room.messages[0].meta, room.messages[0].mentions], [undefined, []]);
});

test('A signal goes to the others at once or not at all, and theirs are given out', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const room = await kit.join(0);
  const heard = [];
  room.on('signal', (signal) => heard.push(signal));
  assert.equal(room.signal('cursor', { x: 1 }), true);
  assert.deepEqual(socket.last('signal'), { type: 'signal', room: 'lobby', name: 'cursor', data: { x: 1 } });
  socket.say({ type: 'signal', from: 'bob', room: 'lobby', name: 'wave' });
  assert.deepEqual(heard, [{ from: 'bob', name: 'wave', data: undefined }]);
  socket.end(1006);
  assert.equal(room.signal('cursor'), false);
});
