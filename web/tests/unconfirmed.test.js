// What the user did stays the client's business until the server has confirmed it, and what the server said later wins over what it said earlier.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReadCursors } from '../lib/reading.js';
import { ack, direct, joined, message, range, setup, settle } from './harness.js';

const left = (socket, more) => socket.say({ type: 'left', room: 'lobby', ref: socket.last('leave').ref, ...more });

test('A cursor moved while disconnected is sent once the room is joined again', async () => {
  const kit = setup();
  await kit.connect();
  const room = await kit.join(5);
  kit.socket.say(message(6));
  kit.socket.end(1006);
  room.markRead();
  await kit.clock.advance(1500);
  const socket = await kit.accept();
  assert.equal(socket.of('read').length, 0, 'not before joined');
  socket.say(joined(6, { read: 5, ref: socket.last('join').ref }));
  assert.deepEqual(socket.of('read'), [{ type: 'read', room: 'lobby', seq: 6 }]);
});

test('A cursor handed to a socket that died is sent again, and one that the server confirmed is not', async () => {
  const kit = setup();
  const first = await kit.connect();
  const room = await kit.join(5);
  first.say(message(6));
  room.markRead();
  await kit.clock.advance(1000);
  assert.equal(first.of('read').length, 1);
  const second = await kit.reconnect();
  second.say(joined(6, { read: 5 }));
  assert.equal(second.of('read').length, 1);
  second.say({ type: 'read', room: 'lobby', from: 'alice', seq: 6 });
  await kit.clock.advance(11_000);
  const third = await kit.reconnect();
  third.say(joined(6, { read: 6 }));
  await kit.clock.advance(2000);
  assert.equal(third.of('read').length, 0);
});

test('A cursor moved right before close is sent first', async () => {
  const kit = setup();
  await kit.connect();
  const room = await kit.join(5);
  kit.socket.say(message(6));
  room.markRead();
  kit.client.close();
  assert.equal(kit.socket.last('read')?.seq, 6);
});

test('A cursor that is no seq moves nothing', async () => {
  const kit = setup();
  await kit.connect();
  const room = await kit.join(5);
  for (const seq of [NaN, 7.5, '8', null]) room.markRead(seq);
  await kit.clock.advance(2000);
  assert.deepEqual([room.read, kit.socket.of('read').length], [5, 0]);
});

test('A leave handed to a socket that died is sent again until the server confirms it', async () => {
  const kit = setup();
  await kit.connect();
  await kit.join(0);
  kit.client.leave('lobby');
  const second = await kit.reconnect();
  assert.equal(second.of('leave').length, 1);
  left(second);
  await kit.clock.advance(11_000);
  assert.equal((await kit.reconnect()).of('leave').length, 0);
});

test('A leave without an answer, or refused for a moment, is sent again on the same connection', async () => {
  const kit = setup();
  const socket = await kit.connect({ heartbeat: 3600 });
  await kit.join(0);
  kit.client.leave('lobby');
  await kit.clock.advance(15_001);
  assert.equal(socket.of('leave').length, 2);
  socket.say({ type: 'error', code: 'unavailable', message: 'later', ref: socket.last('leave').ref, retryAfter: 1000 });
  await kit.clock.advance(1300);
  assert.equal(socket.of('leave').length, 3);
  left(socket);
  await kit.clock.advance(20_000);
  assert.equal(socket.of('leave').length, 3);
  assert.deepEqual(kit.faults, []);
});

test('A leave that is refused for good is told', async () => {
  const kit = setup();
  const socket = await kit.connect();
  await kit.join(0);
  kit.client.leave('lobby');
  socket.say({ type: 'error', code: 'forbidden', message: 'the last owner', ref: socket.last('leave').ref });
  assert.deepEqual(kit.faults.map((f) => f.code), ['forbidden']);
  // The user is still a member: the room is alive here too.
  await settle();
  socket.say(joined(4, { ref: socket.last('join').ref }));
  const room = kit.client.conversations.get('room:lobby');
  assert.equal(room.joined, true);
  socket.say(message(5));
  assert.equal(room.head, 5);
  const second = await kit.reconnect();
  assert.deepEqual([second.of('leave').length, second.of('join').length], [0, 1]);
});

test('A leave of a room that is not there is told, and joins nothing', async () => {
  const kit = setup();
  const socket = await kit.connect();
  await kit.join(0);
  kit.client.leave('lobby');
  socket.say({ type: 'error', code: 'not_found', message: 'no such room', ref: socket.last('leave').ref });
  await settle();
  assert.deepEqual([kit.faults.map((f) => f.code), socket.of('join').length, kit.client.conversations.size], [['not_found'], 1, 0]);
});

test('A room joined again right after its leave waits for the answer, and is alive then', async () => {
  const kit = setup();
  const socket = await kit.connect();
  await kit.join(0);
  kit.client.leave('lobby');
  const again = kit.client.join('lobby');
  assert.equal(socket.of('join').length, 1, 'the leave is answered first');
  left(socket);
  assert.equal(socket.of('join').length, 2);
  socket.say(joined(0, { ref: socket.last('join').ref }));
  const room = await again;
  assert.equal(room.joined, true);
  assert.equal(kit.client.conversations.get('room:lobby'), room);
  socket.say(message(1));
  assert.equal(room.messages.length, 1);
});

test('join, leave, join at once ends joined, however the server orders its answers', async () => {
  for (const order of ['joined first', 'left first']) {
    const kit = setup();
    const socket = await kit.connect();
    kit.client.join('lobby').catch(() => {});
    const { ref: early } = socket.last('join');
    kit.client.leave('lobby');
    const again = kit.client.join('lobby');
    // The first call has failed by then.
    await settle();
    if (order === 'joined first') socket.say(joined(0, { ref: early }));
    assert.equal(kit.client.conversations.get('room:lobby').joined, false, 'that was the join before the leave');
    left(socket);
    if (order === 'left first') socket.say(joined(0, { ref: early }));
    const { ref } = socket.last('join');
    assert.notEqual(ref, early);
    socket.say(joined(0, { ref }));
    assert.equal((await again).joined, true, order);
    assert.equal(socket.of('leave').length, 1);
  }
});

test('A room left before its join was answered is left again when the join came out on top', async () => {
  const kit = setup();
  const socket = await kit.connect();
  kit.client.join('lobby').catch(() => {});
  const { ref } = socket.last('join');
  kit.client.leave('lobby');
  left(socket);
  socket.say(joined(0, { ref }));
  assert.equal(socket.of('leave').length, 2);
  left(socket);
  assert.equal(kit.client.conversations.size, 0);
});

test('A leave on another device does not end a join that is under way', async () => {
  const kit = setup();
  await kit.connect();
  await kit.join(0);
  const socket = await kit.reconnect();
  socket.say({ type: 'left', room: 'lobby' });
  socket.say(joined(0, { ref: socket.last('join').ref }));
  assert.equal(kit.client.conversations.get('room:lobby').joined, true);
});

test('A room that was left and joined offline is only joined', async () => {
  const kit = setup();
  await kit.connect();
  await kit.join(0);
  kit.socket.end(1006);
  kit.client.leave('lobby');
  kit.client.join('lobby').catch(() => {});
  await kit.clock.advance(500);
  const socket = await kit.accept();
  assert.deepEqual([socket.of('leave').length, socket.of('join').length], [0, 1]);
});

test('A room left here and joined again on another device is in the next overview', async () => {
  const kit = setup();
  const socket = await kit.connect();
  await kit.join(0);
  kit.client.leave('lobby');
  left(socket);
  kit.history.overview = [{ room: 'lobby', head: 0, read: 0, unread: 0, last: null }];
  const overviews = [];
  kit.client.on('overview', (items) => overviews.push(items.length));
  await kit.reconnect();
  await settle();
  assert.deepEqual(overviews, [1]);
});

test('Changes that come while a page of history is on its way are not undone by it', async () => {
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  const kit = setup();
  const { fetch } = kit.history;
  const slow = setup({ fetch: async (url, options) => {
    const answer = await fetch(url, options);
    if (String(url).includes('/messages')) await held;
    return answer;
  } });
  const reacted = [{ emoji: '👍', count: 150, users: ['dave'] }];
  kit.history.log('room:lobby').items = [...range(1, 5), message(6, 'bob', { reactions: reacted })];
  await slow.connect();
  const room = await slow.join(6);
  const page = room.older();
  await settle();
  const change = (seq, type, target, more) => slow.socket.say(message(seq, 'bob', { type, target, content: undefined, ...more }));
  change(7, 'delete', 2);
  change(8, 'edit', 3, { content: 'better' });
  change(9, 'react', 4, { emoji: '👍' });
  release();
  await page;
  const [, second, third, fourth] = room.messages;
  assert.deepEqual([second.deleted, second.content], [true, '']);
  assert.deepEqual([third.content, third.edited], ['better', 8]);
  assert.deepEqual(fourth.reactions, [{ emoji: '👍', count: 1, users: ['bob'] }]);
});

test('A page that has counted a reaction does not count it twice', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const room = await kit.join(1);
  socket.say(message(2, 'zoe', { type: 'react', target: 1, emoji: '👍', content: undefined }));
  kit.history.log('room:lobby').items = [
    message(1, 'bob', { reactions: [{ emoji: '👍', count: 150, users: ['dave'] }] }),
    message(2, 'zoe', { type: 'react', target: 1, emoji: '👍', content: undefined }),
  ];
  await room.older();
  assert.equal(room.messages[0].reactions[0].count, 150);
});

test('An answer about presence does not undo what a room said while it was on its way', async () => {
  let answer;
  const kit = setup({ fetch: (url) => (String(url).includes('/presence') ? new Promise((resolve) => { answer = resolve; })
    : Promise.resolve(Response.json({ items: [] }))) });
  const socket = await kit.connect();
  await kit.join(0);
  const asking = kit.client.presence.fetch(['bob', 'carol']);
  await settle();
  socket.say({ type: 'offline', room: 'lobby', users: ['bob'], count: 1 });
  answer(Response.json({ items: ['bob', 'carol'].map((user) => ({ user, online: true, lastSeen: null })) }));
  await asking;
  assert.deepEqual([kit.client.presence.isOnline('bob'), kit.client.presence.isOnline('carol')], [undefined, true]);
});

const tenUnread = { room: 'lobby', head: 10, read: 0, unread: 10, last: null };

test('Unread is exact after a partial read, here and on another device', async () => {
  const kit = setup();
  kit.history.overview = [tenUnread];
  kit.history.log('room:lobby').items = range(1, 10);
  const socket = await kit.connect();
  const room = await kit.join(10, { read: 0 });
  assert.equal(room.unread, 10);
  await room.older();
  assert.equal(room.unread, 10);
  room.markRead(6);
  assert.equal(room.unread, 4);
  socket.say({ type: 'read', room: 'lobby', from: 'alice', seq: 8 });
  assert.equal(room.unread, 2);
  socket.say(message(11));
  assert.equal(room.unread, 3);
});

test('A room joined after the overview knows what is unread, and asks again when the overview is too old', async () => {
  const kit = setup();
  kit.history.overview = [tenUnread];
  await kit.connect();
  await settle();
  const room = await kit.join(10, { read: 0 });
  assert.equal(room.unread, 10);
  const asked = () => kit.history.calls.filter((c) => c.path === '/api/conversations').length;
  const before = asked();
  kit.history.overview = [{ room: 'den', head: 9, read: 2, unread: 7, last: null }];
  const joining = kit.client.join('den');
  kit.socket.say(joined(9, { room: 'den', read: 2 }));
  const den = await joining;
  await kit.clock.advance(1500);
  assert.deepEqual([den.unread, asked()], [7, before + 1]);
});

test('A cursor that another device moved below what is loaded makes the client ask how much is unread', async () => {
  const kit = setup();
  kit.history.overview = [tenUnread];
  const socket = await kit.connect();
  const room = await kit.join(10, { read: 0 });
  kit.history.overview = [{ ...tenUnread, read: 6, unread: 3 }];
  socket.say({ type: 'read', room: 'lobby', from: 'alice', seq: 6 });
  assert.ok(room.unread <= 4);
  await kit.clock.advance(1500);
  assert.equal(room.unread, 3);
});

test('Messages dropped from memory stay unread', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const room = await kit.join(0);
  for (let seq = 1; seq <= 20; seq++) socket.say(message(seq));
  room.trim(5);
  assert.equal(room.unread, 20);
  room.markRead(18);
  assert.equal(room.unread, 2);
});

test('A cursor of a log that was replaced hides nothing of the new one', async () => {
  const kit = setup();
  await kit.connect();
  const room = await kit.join(50);
  Object.assign(kit.history.log('room:lobby'), { epoch: 'e2', items: range(1, 3, (s) => message(s, 'bob', { epoch: 'e2' })) });
  kit.history.overview = [{ room: 'lobby', head: 3, read: 1, unread: 2, last: null }];
  const socket = await kit.reconnect();
  socket.say(joined(3, { epoch: 'e2', read: 1 }));
  await settle();
  assert.deepEqual([room.read, room.unread], [1, 2]);
});

test('What is unknown below the loaded messages is guessed no higher than it can be', () => {
  const cursors = new ReadCursors({ now: () => 0, set: () => 1, clear: () => {}, random: () => 0 }, () => true, () => {});
  cursors.overview({ unread: 5, head: 20, read: 10 });
  assert.deepEqual([cursors.unread([], Infinity), cursors.isExact(Infinity)], [5, true]);
  cursors.move(18);
  assert.deepEqual([cursors.unread([], Infinity), cursors.isExact(Infinity)], [2, false]);
  cursors.move(20);
  assert.deepEqual([cursors.unread([], Infinity), cursors.isExact(Infinity)], [0, true]);
});

test('What is sent in a conversation that was left fails at once', async () => {
  const kit = setup();
  await kit.connect();
  const room = await kit.join(0);
  kit.client.leave('lobby');
  await assert.rejects(room.send('x'), { code: 'closed' });
  await assert.rejects(room.delete(1), { code: 'closed' });
  kit.client.close();
  await assert.rejects(kit.client.join('lobby'), { code: 'closed' });
  assert.equal(kit.client.unacknowledged, 0);
});

test('A send expires by either clock, so that a clock set back makes no second message', async () => {
  const kit = setup();
  const sending = kit.client.direct('bob').send('x');
  kit.clock.wall -= 48 * 3600_000;
  await kit.clock.advance(24 * 3600_000);
  const expired = assert.rejects(sending, { code: 'expired' });
  await kit.connect();
  await expired;
  const slept = kit.client.direct('bob');
  kit.socket.end(1006);
  const waiting = assert.rejects(slept.send('y'), { code: 'expired' });
  kit.clock.wall += 24 * 3600_000;
  await kit.clock.advance(500);
  await kit.accept();
  await waiting;
});

test('No wait gets longer or shorter when this machine\'s clock is set', async () => {
  const kit = setup({ pongs: false });
  const socket = await kit.connect();
  socket.say({ type: 'pong', ref: socket.last('ping').ref });
  const room = await kit.join(0);
  room.send('a').catch(() => {});
  socket.say({ type: 'error', code: 'unavailable', message: 'later', nonce: socket.last('room').nonce, retryAfter: 1000 });
  kit.clock.wall -= 3600_000;
  await kit.clock.advance(1300);
  assert.equal(socket.of('room').length, 2);
  socket.say(ack(socket.last('room'), 1));
  await kit.clock.advance(15_000);
  assert.equal(socket.of('ping').length, 2, 'silence is noticed in time');
  kit.clock.wall += 7200_000;
  socket.say({ type: 'pong', ref: socket.last('ping').ref });
  assert.ok(kit.client.info.roundTrip < 15_000);
  socket.say(direct(1));
});
