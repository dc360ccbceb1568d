import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReadCursors } from '../lib/reading.js';
import { direct, message, range, setup, settle } from './harness.js';

test('Who has read a message follows the members list and the read frames, never back', async () => {
  const kit = setup({ fetch: async (url) => Response.json(String(url).includes('/members')
    ? { items: [['bob', 3], ['carol', 1], ['alice', 5]].map(([user, read]) => ({ user, online: user !== 'carol', read })) } : { items: [] }) });
  const socket = await kit.connect();
  const room = await kit.join(5);
  assert.deepEqual((await room.loadMembers()).length, 3);
  assert.deepEqual(room.readBy(1), ['bob', 'carol']);
  assert.deepEqual(room.readBy(3), ['bob']);
  socket.say({ type: 'read', room: 'lobby', from: 'carol', seq: 4 });
  socket.say({ type: 'read', room: 'lobby', from: 'bob', seq: 2 });
  assert.deepEqual(room.readBy(3).sort(), ['bob', 'carol']);
  assert.deepEqual(room.readBy(6), []);
});

test('A direct conversation knows its read cursor from the overview, and one in no overview is unread', async () => {
  const kit = setup();
  kit.history.overview = [{ to: 'bob', head: 9, read: 7, unread: 2, last: null }];
  await kit.connect();
  await settle();
  const bob = kit.client.conversations.get('to:bob');
  assert.deepEqual([bob.readKnown, bob.read, bob.unread], [true, 7, 2]);
  kit.socket.say(direct(1, 'carol'));
  const carol = kit.client.conversations.get('to:carol');
  assert.deepEqual([carol.readKnown, carol.read, carol.unread], [true, 0, 1]);
});

test('Trimmed messages go from memory, and history brings them back without a seam', async () => {
  const kit = setup();
  kit.history.log('room:lobby').items = range(1, 120);
  const socket = await kit.connect();
  const room = await kit.join(120);
  while ((await room.older()) > 0);
  const changes = [];
  room.on('change', (change) => changes.push(change));
  room.trim(30);
  assert.deepEqual(changes, [{ kind: 'trim', count: 90 }]);
  assert.deepEqual([room.messages.length, room.messages[0].seq, room.atStart], [30, 91, false]);
  socket.say(message(121));
  socket.say(message(50));
  assert.equal(room.messages.length, 31, 'a repeat of a trimmed event is no news');
  while ((await room.older()) > 0);
  assert.deepEqual(room.messages.map((m) => m.seq), Array.from({ length: 121 }, (_, i) => i + 1));
});

test('Memory is bounded when nobody trims', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const room = await kit.join(0);
  for (let seq = 1; seq <= 12_000; seq++) socket.say(message(seq));
  assert.ok(room.messages.length <= 11_000, `${room.messages.length} messages`);
  assert.equal(room.messages.at(-1).seq, 12_000);
  assert.equal(room.seen.length, 12_000, 'each was given out all the same');
});

test('Presence is asked in batches, kept for half a minute, and changed by the rooms', async () => {
  const asked = [];
  const kit = setup({ fetch: async (url, { body } = {}) => {
    if (!String(url).includes('/api/presence')) return Response.json({ items: [] });
    const { users } = JSON.parse(body);
    asked.push(users.length);
    return Response.json({ items: users.map((user) => ({ user, online: user !== 'u0', lastSeen: null })) });
  } });
  const socket = await kit.connect();
  const { presence } = kit.client;
  let changes = 0;
  presence.on('change', () => changes++);
  assert.equal(presence.isOnline('u1'), undefined);
  await presence.fetch(Array.from({ length: 700 }, (_, i) => `u${i}`));
  assert.deepEqual(asked, [500, 200]);
  assert.deepEqual([presence.isOnline('u0'), presence.isOnline('u1')], [false, true]);
  await kit.join(0);
  socket.say({ type: 'online', room: 'lobby', users: ['u0'], count: 3 });
  assert.equal(presence.isOnline('u0'), true);
  assert.ok(changes >= 3);
  await kit.clock.advance(30_001);
  assert.equal(presence.isOnline('u1'), undefined, 'too old');
  assert.equal(presence.isOnline('u0'), true, 'rooms tell changes themselves');
});

test('Waiting for older messages ends with its signal, while the page still arrives', async () => {
  const kit = setup();
  kit.history.log('room:lobby').items = range(1, 20);
  await kit.connect();
  const room = await kit.join(20);
  const abort = new AbortController();
  const waiting = room.older(abort);
  abort.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
  await settle();
  assert.equal(room.messages.length, 20);
});

test('Connecting ends with its signal', async () => {
  const kit = setup();
  const abort = new AbortController();
  const connecting = kit.client.connect(abort);
  abort.abort();
  await assert.rejects(connecting, { name: 'AbortError' });
});

test('A read cursor that could not be sent goes with the next flush, and once the server has it not again', () => {
  const sent = [];
  let connected = false;
  const timers = [];
  const clock = { now: () => 0, set: (run) => timers.push(run), clear: () => {}, random: () => 0 };
  const cursors = new ReadCursors(clock, (seq) => connected && !!sent.push(seq), () => {});
  cursors.move(3);
  cursors.move(2);
  timers[0]();
  assert.deepEqual([timers.length, sent], [1, []]);
  connected = true;
  cursors.flush();
  cursors.flush();
  assert.deepEqual([cursors.own, sent], [3, [3]]);
  cursors.overview({ unread: 0, head: 9, read: 9 });
  cursors.flush();
  assert.deepEqual([cursors.own, sent], [9, [3]], 'the overview says that the server has it');
});

test('Unread messages are those of the overview until they are read, and others\' messages since', () => {
  const cursors = new ReadCursors({ now: () => 0, set: () => 1, clear: () => {}, random: () => 0 }, () => true, () => {});
  const messages = [8, 9, 10, 11].map((seq) => ({ seq, own: seq === 11 }));
  cursors.overview({ unread: 2, head: 9, read: 7 });
  assert.equal(cursors.unread(messages), 3);
  cursors.move(9);
  assert.equal(cursors.unread(messages), 1);
});
