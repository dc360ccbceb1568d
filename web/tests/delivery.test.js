import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ack, direct, joined, message, range, setup, settle } from './harness.js';

const seqs = (room) => room.messages.map((m) => m.seq);
const upTo = (n) => Array.from({ length: n }, (_, i) => i + 1);

test('Events come in order and once, whatever the socket repeats or swaps', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const room = await kit.join(0);
  for (const seq of [1, 1, 3, 2, 2, 5, 4, 1, 6]) socket.say(message(seq));
  assert.deepEqual(room.seen, upTo(6));
  assert.deepEqual(seqs(room), upTo(6));
});

test('Any order and any repeats give each event once (200 seeded shuffles)', async () => {
  let seed = 42;
  const random = () => ((seed = (seed * 1103515245 + 12345) % 2 ** 31) / 2 ** 31);
  for (let round = 0; round < 200; round++) {
    const kit = setup();
    kit.history.log('room:lobby').items = range(1, 30);
    const socket = await kit.connect();
    const room = await kit.join(0);
    const stream = [...upTo(30), ...upTo(30)].filter(() => random() > 0.3).sort(() => random() - 0.5);
    for (const seq of stream) socket.say(message(seq));
    await kit.clock.advance(3000);
    socket.say(message(30));
    await kit.clock.advance(3000);
    assert.deepEqual(room.seen, upTo(30), `round ${round}`);
    kit.client.close();
  }
});

test('A gap is repaired through history, and nothing is given out before it is closed', async () => {
  const kit = setup();
  kit.history.log('room:lobby').items = range(1, 8);
  const socket = await kit.connect();
  const room = await kit.join(3);
  socket.say(message(4));
  socket.say(message(8));
  assert.deepEqual(room.seen, [4]);
  await settle();
  assert.deepEqual(room.seen, [4, 5, 6, 7, 8]);
  assert.deepEqual(kit.history.calls.at(-1).query, { after: '4', limit: '200' });
});

test('A gap longer than a page is repaired page by page', async () => {
  const kit = setup();
  kit.history.log('room:lobby').items = range(1, 700);
  const socket = await kit.connect();
  const room = await kit.join(0);
  socket.say(message(700));
  await kit.clock.advance(100);
  assert.deepEqual(room.seen, upTo(700));
});

test('History that is away is asked again until it answers', async () => {
  const kit = setup();
  kit.history.log('room:lobby').items = range(1, 5);
  kit.history.fault = 503;
  const socket = await kit.connect();
  const room = await kit.join(0);
  socket.say(message(5));
  await kit.clock.advance(30_000);
  assert.deepEqual(room.seen, []);
  kit.history.fault = null;
  await kit.clock.advance(20_000);
  assert.deepEqual(room.seen, upTo(5));
});

test('Events that history does not have either are told as lost, and the rest goes on', async () => {
  const kit = setup();
  kit.history.log('room:lobby').items = [message(1), message(4), message(5)];
  const socket = await kit.connect();
  const room = await kit.join(1);
  const lost = [];
  room.on('lost', (range) => lost.push(range));
  socket.say(message(4));
  socket.say(message(5));
  await kit.clock.advance(60_000);
  assert.deepEqual(lost, [{ from: 2, to: 3 }]);
  assert.deepEqual(room.seen, [4, 5]);
});

test('After a reconnect rooms are joined again with since and epoch, and the replay fills in', async () => {
  const kit = setup();
  const first = await kit.connect();
  const room = await kit.join(10);
  first.say(message(11));
  const socket = await kit.reconnect();
  const { ref, ...join } = socket.last('join');
  assert.deepEqual(join, { type: 'join', room: 'lobby', since: 11, epoch: 'e1' });
  socket.say(joined(13, { ref }));
  socket.say(message(12));
  socket.say(message(13));
  socket.say({ type: 'resumed', room: 'lobby', seq: 13, head: 13, complete: true, epoch: 'e1', ref });
  socket.say(message(14));
  await kit.clock.advance(10_000);
  assert.deepEqual(room.seen, [11, 12, 13, 14]);
  assert.equal(kit.history.calls.filter((c) => c.path.startsWith('/api/rooms')).length, 0, 'no need of history');
});

test('A replay that ends early is completed through history while live events wait', async () => {
  const kit = setup();
  kit.history.log('room:lobby').items = range(1, 30);
  await kit.connect();
  const room = await kit.join(10);
  const socket = await kit.reconnect();
  socket.say(joined(30));
  for (const event of range(11, 15)) socket.say(event);
  socket.say({ type: 'resumed', room: 'lobby', seq: 15, head: 30, complete: false, epoch: 'e1' });
  socket.say(message(31));
  await kit.clock.advance(100);
  assert.deepEqual(room.seen, Array.from({ length: 21 }, (_, i) => i + 11));
});

test('A replay that never comes is replaced by history', async () => {
  const kit = setup();
  kit.history.log('room:lobby').items = range(1, 12);
  await kit.connect();
  const room = await kit.join(10);
  const socket = await kit.reconnect();
  socket.say(joined(12));
  await kit.clock.advance(5001);
  assert.deepEqual(room.seen, [11, 12]);
});

test('A new epoch reloads: the old messages go, the new newest page comes', async () => {
  const kit = setup();
  kit.history.log('room:lobby').items = range(1, 5);
  await kit.connect();
  const room = await kit.join(5);
  await room.older();
  assert.deepEqual(seqs(room), upTo(5));
  Object.assign(kit.history.log('room:lobby'), { epoch: 'e2', items: range(1, 3, (s) => message(s, 'bob', { epoch: 'e2' })) });
  const changes = [];
  room.on('change', ({ kind }) => changes.push(kind));
  const socket = await kit.reconnect();
  socket.say(joined(3, { epoch: 'e2' }));
  socket.say({ type: 'resumed', room: 'lobby', seq: 0, head: 3, complete: false, epoch: 'e2' });
  await settle();
  assert.ok(changes.includes('reset'));
  assert.equal(room.epoch, 'e2');
  assert.deepEqual(room.messages.map((m) => m.id), ['id-e2-1', 'id-e2-2', 'id-e2-3']);
});

test('An ack with another epoch reloads too', async () => {
  const kit = setup();
  kit.history.log('room:lobby').items = range(1, 5);
  const socket = await kit.connect();
  const room = await kit.join(5);
  await room.older();
  Object.assign(kit.history.log('room:lobby'), { epoch: 'e2', items: range(1, 6, (s) => message(s, 'bob', { epoch: 'e2' })) });
  const sending = room.send('x');
  socket.say(ack(socket.last('room'), 6, { epoch: 'e2' }));
  assert.equal((await sending).epoch, 'e2');
  await settle();
  assert.deepEqual(room.messages.map((m) => m.id), upTo(6).map((s) => `id-e2-${s}`));
  assert.deepEqual(room.pending, []);
});

test('A seq that comes back as another event reloads', async () => {
  const kit = setup();
  kit.history.log('room:lobby').items = range(1, 3);
  const socket = await kit.connect();
  const room = await kit.join(3);
  await room.older();
  Object.assign(kit.history.log('room:lobby'), { epoch: 'e2', items: range(1, 3, (s) => message(s, 'bob', { epoch: 'e2' })) });
  socket.say(message(3, 'bob', { epoch: 'e2' }));
  await settle();
  assert.equal(room.epoch, 'e2');
  assert.deepEqual(room.messages.map((m) => m.id), ['id-e2-1', 'id-e2-2', 'id-e2-3']);
});

test('An acknowledged event that does not come is fetched', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const room = await kit.join(0);
  const sending = room.send('x');
  kit.history.log('room:lobby').items = [message(1, 'alice', { content: 'x' })];
  socket.say(ack(socket.last('room'), 1));
  await sending;
  assert.equal(room.pending[0].state, 'accepted');
  await kit.clock.advance(2001);
  assert.deepEqual(seqs(room), [1]);
  assert.deepEqual(room.pending, []);
});

test('History pages back to the start, and joins what is live without a seam', async () => {
  const kit = setup();
  kit.history.log('room:lobby').items = range(1, 120);
  const socket = await kit.connect();
  const room = await kit.join(120);
  socket.say(message(121));
  const added = [await room.older(), await room.older(), await room.older(), await room.older()];
  assert.deepEqual(added, [50, 50, 20, 0]);
  assert.deepEqual(seqs(room), upTo(121));
  assert.equal(room.atStart, true);
  assert.deepEqual(room.seen, [121], 'history is no news');
});

test('Concurrent scroll events load one page', async () => {
  const kit = setup();
  kit.history.log('room:lobby').items = range(1, 120);
  await kit.connect();
  const room = await kit.join(120);
  await Promise.all([room.older(), room.older(), room.older()]);
  assert.equal(room.messages.length, 50);
});

test('A page of edits only is passed over to the messages before it', async () => {
  const kit = setup();
  kit.history.log('room:lobby').items = [...range(1, 10), ...range(11, 90, (s) => message(s, 'bob', { type: 'edit', target: 10 }))];
  await kit.connect();
  const room = await kit.join(90);
  assert.equal(await room.older(), 10);
});

test('Edits, deletions and reactions change the message they aim at', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const room = await kit.join(0);
  socket.say(message(1));
  socket.say(message(2));
  socket.say(message(3, 'bob', { type: 'edit', target: 1, content: 'better' }));
  socket.say(message(4, 'carol', { type: 'react', target: 1, emoji: '👍', content: undefined }));
  socket.say(message(5, 'dave', { type: 'react', target: 1, emoji: '👍', content: undefined }));
  socket.say(message(6, 'carol', { type: 'react', target: 1, emoji: '👍', remove: true, content: undefined }));
  socket.say(message(7, 'bob', { type: 'delete', target: 2, content: undefined }));
  const [first, second] = room.messages;
  assert.equal(first.content, 'better');
  assert.equal(first.edited, 3);
  assert.deepEqual(first.reactions, [{ emoji: '👍', count: 1, users: ['dave'] }]);
  assert.equal(second.deleted, true);
  assert.equal(second.content, '');
});

test('Direct messages are sorted to the other user, whoever sent them', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const found = [];
  kit.client.on('conversation', (c) => found.push(c.key));
  socket.say(direct(1, 'bob', 'alice'));
  socket.say(direct(2, 'alice', 'bob'));
  assert.deepEqual(found, ['to:bob']);
  assert.deepEqual(kit.client.direct('bob').messages.map((m) => [m.seq, m.own]), [[1, false], [2, true]]);
});

test('Direct conversations are resumed; live ones that come ahead of the replay wait and are given once', async () => {
  const kit = setup();
  const first = await kit.connect();
  first.say(direct(1));
  assert.deepEqual(first.last('resume').conversations, [{ to: 'bob', since: 1 }], 'to hear the name of the log');
  first.say({ type: 'resumed', to: 'bob', seq: 1, head: 1, complete: true, epoch: 'e1', ref: first.last('resume').ref });
  const bob = kit.client.direct('bob');
  const seen = [];
  bob.on('event', (e) => seen.push(e.seq));
  const socket = await kit.reconnect();
  const { ref, conversations } = socket.last('resume');
  assert.deepEqual(conversations, [{ to: 'bob', since: 1, epoch: 'e1' }]);
  socket.say(direct(4));
  for (const event of range(2, 4, (s) => direct(s))) socket.say(event);
  socket.say({ type: 'resumed', to: 'bob', seq: 4, head: 4, complete: true, epoch: 'e1', ref });
  await kit.clock.advance(6000);
  assert.deepEqual(seen, [2, 3, 4]);
  assert.equal(kit.history.calls.filter((c) => c.path.startsWith('/api/dms')).length, 0);
});

test('A first direct message whose log was never named is not kept for one of a new log', async () => {
  const kit = setup();
  const first = await kit.connect();
  first.say(direct(1, 'bob', 'alice', { id: 'lost' }));
  assert.deepEqual(kit.client.direct('bob').messages.map((m) => m.id), ['lost']);
  Object.assign(kit.history.log('to:bob'), { epoch: 'e2', items: [direct(1, 'bob', 'alice', { id: 'new' })] });
  const socket = await kit.reconnect();
  assert.deepEqual(socket.last('resume').conversations, [{ to: 'bob', since: 0 }], 'from before it, to compare');
  socket.say(direct(1, 'bob', 'alice', { id: 'new' }));
  socket.say({ type: 'resumed', to: 'bob', seq: 1, head: 1, complete: true, epoch: 'e2', ref: socket.last('resume').ref });
  await settle();
  assert.deepEqual(kit.client.direct('bob').messages.map((m) => m.id), ['new']);
  assert.equal(kit.client.direct('bob').epoch, 'e2');
});

test('Where resume is refused, missed direct messages come through history', async () => {
  const kit = setup();
  const first = await kit.connect();
  first.say(direct(1));
  kit.history.log('to:bob').items = range(1, 3, (s) => direct(s));
  const socket = await kit.reconnect();
  socket.say({ type: 'error', code: 'unknown_type', message: 'no', ref: socket.last('resume').ref });
  await settle();
  assert.deepEqual(kit.client.direct('bob').messages.map((m) => m.seq), [1, 2, 3]);
});

test('A first direct message that came while away is found through the conversations', async () => {
  const kit = setup();
  await kit.connect();
  kit.history.overview = [{ to: 'carol', head: 1, read: 0, unread: 1, last: direct(1, 'carol') }];
  await kit.reconnect();
  await settle();
  assert.equal(kit.client.conversations.get('to:carol').unread, 1);
});

test('Unread counts others\' messages above the cursor; reading sends it once a second', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const room = await kit.join(5);
  socket.say(message(6));
  socket.say(message(7, 'alice'));
  socket.say(message(8));
  assert.equal(room.unread, 2);
  room.markRead(6);
  room.markRead();
  room.markRead();
  assert.equal(room.unread, 0);
  await kit.clock.advance(1000);
  assert.deepEqual(socket.of('read'), [{ type: 'read', room: 'lobby', seq: 8 }]);
});

test('Members follow joined, online, offline and presence', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const room = await kit.join(0);
  socket.say({ type: 'online', room: 'lobby', users: ['carol'], count: 3 });
  socket.say({ type: 'offline', room: 'lobby', users: ['bob'], count: 2 });
  assert.deepEqual([...room.members].sort(), ['alice', 'carol']);
  assert.equal(kit.client.presence.isOnline('carol'), true);
  assert.equal(kit.client.presence.isOnline('bob'), undefined, 'he may be in a room that this user has not joined');
  socket.say({ type: 'online', room: 'lobby', users: ['alice', 'dora'], count: 2 });
  assert.deepEqual([...room.members].sort(), ['alice', 'dora'], 'as many names as are online: all of them');
  socket.say({ type: 'presence', room: 'lobby', count: 500 });
  assert.equal(room.count, 500);
});

test('An HTTP call that is refused for its token is made again with a new one', async () => {
  const kit = setup();
  kit.history.log('room:lobby').items = range(1, 2);
  await kit.connect();
  const room = await kit.join(2);
  let refuse = true;
  kit.history.fault = () => (refuse ? ((refuse = false), 401) : null);
  await room.older();
  assert.deepEqual(kit.history.calls.slice(-2).map((c) => c.token), ['Bearer token-1', 'Bearer token-2']);
  assert.equal(room.messages.length, 2);
});
