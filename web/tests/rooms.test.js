// Rooms with rules: the calls, what frames tell of roles and members, and how a room ends.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joined, message, setup, settle } from './harness.js';

const ROOM = { room: 'tea', visibility: 'private', sending: 'members', members: 2, head: 46, joined: true, role: 'owner' };

/** A client whose API answers from `answers`, by "METHOD path", and keeps what it was asked. */
function withApi(answers) {
  const asked = [];
  const kit = setup({
    fetch: async (url, { method, body }) => {
      const { pathname, searchParams } = new URL(url);
      if (pathname === '/api/conversations' && !answers[`GET ${pathname}`]) return Response.json({ items: [] });
      asked.push({ call: `${method} ${pathname}`, query: Object.fromEntries(searchParams), ...(body && { body: JSON.parse(body) }) });
      const answer = answers[`${method} ${pathname}`];
      if (answer === undefined) return Response.json({ title: 'Not found', detail: 'There is no such call.' }, { status: 404 });
      if (answer === 204) return new Response(null, { status: 204 });
      return typeof answer === 'number' ? Response.json({ title: 'No', detail: 'Why not.' }, { status: answer }) : Response.json(answer);
    },
  });
  return { kit, asked };
}

const member = '/api/rooms/tea/members/auth0%7C1';
const until = '2026-12-31T00:00:00.000Z';
for (const [what, run, call, more, answer, result] of [
  ['list', (c) => c.rooms.list({ query: 'te', limit: 5, after: 'x' }), 'GET /api/rooms', { query: { query: 'te', limit: '5', after: 'x' } }, { items: [ROOM], next: null }, { items: [ROOM], next: null }],
  ['create', (c) => c.rooms.create({ room: 'tea', visibility: 'private', members: ['bob'] }), 'POST /api/rooms', { body: { room: 'tea', visibility: 'private', members: ['bob'] } }, ROOM, ROOM],
  ['create without settings', (c) => c.rooms.create(), 'POST /api/rooms', { body: {} }, ROOM, ROOM],
  ['get', (c) => c.rooms.get('tea'), 'GET /api/rooms/tea', {}, ROOM, ROOM],
  ['update', (c) => c.rooms.update('tea', { topic: null, sending: 'moderators' }), 'PATCH /api/rooms/tea', { body: { topic: null, sending: 'moderators' } }, ROOM, ROOM],
  ['delete', (c) => c.rooms.delete('tea'), 'DELETE /api/rooms/tea', {}, 204, undefined],
  ['members', (c) => c.rooms.members('tea', { limit: 2 }), 'GET /api/rooms/tea/members', { query: { limit: '2' } }, { items: [], next: null }, { items: [], next: null }],
  ['addMember', (c) => c.rooms.addMember('tea', 'auth0|1'), `PUT ${member}`, { body: {} }, { room: 'tea' }, undefined],
  ['setRole', (c) => c.rooms.setRole('tea', 'auth0|1', 'moderator'), `PUT ${member}`, { body: { role: 'moderator' } }, { room: 'tea' }, undefined],
  ['removeMember', (c) => c.rooms.removeMember('tea', 'auth0|1'), `DELETE ${member}`, {}, 204, undefined],
  ['bans', (c) => c.rooms.bans('tea'), 'GET /api/rooms/tea/bans', {}, { items: [{ user: 'eve', by: 'alice' }] }, { items: [{ user: 'eve', by: 'alice' }] }],
  ['ban', (c) => c.rooms.ban('tea', 'eve', { until: new Date(until), reason: 'spam' }), 'PUT /api/rooms/tea/bans/eve', { body: { until, reason: 'spam' } }, {}, undefined],
  ['ban for ever', (c) => c.rooms.ban('tea', 'eve'), 'PUT /api/rooms/tea/bans/eve', { body: {} }, {}, undefined],
  ['unban', (c) => c.rooms.unban('tea', 'eve'), 'DELETE /api/rooms/tea/bans/eve', {}, 204, undefined],
  ['mute', (c) => c.rooms.mute('tea', 'eve', { until }), 'PUT /api/rooms/tea/mutes/eve', { body: { until } }, {}, undefined],
  ['unmute', (c) => c.rooms.unmute('tea', 'eve'), 'DELETE /api/rooms/tea/mutes/eve', {}, 204, undefined],
  ['search', (c) => c.search({ q: 'green tea', room: 'tea', limit: 2 }), 'GET /api/search', { query: { q: 'green tea', room: 'tea', limit: '2' } }, { items: [], next: 'n' }, { items: [], next: 'n' }],
  ['users', (c) => c.users('bo', { limit: 3 }), 'GET /api/users', { query: { query: 'bo', limit: '3' } }, { items: [{ user: 'bob' }] }, { items: [{ user: 'bob' }] }],
  ['conversations', (c) => c.listConversations({ limit: 1, after: 'x' }), 'GET /api/conversations', { query: { limit: '1', after: 'x' } }, { items: [], next: null }, { items: [], next: null }],
]) {
  test(`Calls as the protocol has them: ${what}`, async () => {
    const { kit, asked } = withApi({ [call]: answer });
    assert.deepEqual(await run(kit.client), result);
    assert.deepEqual(asked, [{ call, query: {}, ...more }]);
  });
}

test('A call that is refused is a ChatError with its status and the server\'s words, and one that is cancelled ends', async () => {
  const { kit } = withApi({ 'PATCH /api/rooms/tea': 403 });
  await assert.rejects(kit.client.rooms.update('tea', {}), { name: 'ChatError', code: 'http', status: 403, message: 'Why not.' });
  await assert.rejects(kit.client.rooms.get('gone'), { status: 404 });
  await assert.rejects(kit.client.rooms.ban('tea', 'eve', { signal: AbortSignal.abort() }), { name: 'AbortError' });
});

test('A joined room says what it is and what the user may do; member frames change the role', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const room = await kit.join(0, { role: 'member', visibility: 'private', sending: 'moderators', name: 'Tea room', topic: 'All about tea' });
  assert.deepEqual([room.role, room.visibility, room.sending, room.title, room.topic], ['member', 'private', 'moderators', 'Tea room', 'All about tea']);
  const [here, anywhere, changes] = [[], [], []];
  room.on('member', ({ user, change }) => here.push(`${user} ${change}`));
  kit.client.on('member', ({ room: name, user, change }) => anywhere.push(`${name} ${user} ${change}`));
  room.on('change', ({ kind }) => changes.push(kind));
  socket.say({ type: 'member', room: 'lobby', user: 'bob', change: 'role', role: 'owner', by: 'carol' });
  assert.equal(room.role, 'member');
  socket.say({ type: 'member', room: 'lobby', user: 'alice', change: 'role', role: 'moderator', by: 'carol' });
  assert.equal(room.role, 'moderator');
  socket.say({ type: 'member', room: 'lobby', user: 'eve', change: 'muted', until, by: 'alice' });
  socket.say({ type: 'member', room: 'elsewhere', user: 'alice', change: 'added', role: 'member', by: 'bob' });
  assert.deepEqual(here, ['bob role', 'alice role', 'eve muted']);
  assert.deepEqual(anywhere, ['lobby bob role', 'lobby alice role', 'lobby eve muted', 'elsewhere alice added']);
  assert.deepEqual(changes, ['room']);
});

for (const reason of ['removed', 'banned', 'deleted', 'forbidden', undefined]) {
  test(`A room that was left (${reason ?? 'on another device'}) says why, fails what waits, and is not joined again`, async () => {
    const kit = setup();
    const socket = await kit.connect();
    const room = await kit.join(0);
    const gone = [];
    kit.client.on('left', (conversation) => gone.push(conversation));
    const sending = room.send('late');
    socket.say({ type: 'left', room: 'lobby', reason });
    await assert.rejects(sending, { code: 'closed', ...(reason && { message: `The conversation was left (${reason}).` }) });
    assert.deepEqual([gone, room.leftReason, room.disposed], [[room], reason, true]);
    assert.equal(kit.client.conversations.size, 0);
    const next = await kit.reconnect();
    assert.deepEqual([next.of('join').length, next.of('leave').length], [0, 0]);
  });
}

test('A room that must not be joined fails for good, whatever it is called', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const joining = kit.client.join('lobby');
  socket.say({ type: 'error', code: 'not_found', message: 'no such room', ref: socket.last('join').ref });
  await assert.rejects(joining, { code: 'not_found' });
  assert.equal(kit.client.conversations.size, 0);
});

test('A muted member\'s message fails with the server\'s words', async () => {
  const kit = setup();
  const socket = await kit.connect();
  const room = await kit.join(0);
  const sending = room.send('hello');
  await settle();
  socket.say({ type: 'error', code: 'forbidden', message: 'muted', nonce: socket.last('room').nonce });
  await assert.rejects(sending, { code: 'forbidden', message: 'muted' });
  assert.equal(room.pending[0].state, 'failed');
});

test('Unread mentions are counted where messages are loaded, and below by the server', async () => {
  const kit = setup();
  kit.history.overview = [{ room: 'lobby', head: 10, read: 4, unread: 5, mentions: 2, last: null }];
  const socket = await kit.connect();
  const room = await kit.join(10, { read: 4 });
  await settle();
  assert.deepEqual([room.unread, room.mentions], [5, 2]);
  socket.say(message(11, 'bob', { mentions: ['alice', 'carol'] }));
  socket.say(message(12, 'bob', { mentions: ['carol'] }));
  socket.say(message(13, 'alice', { mentions: ['alice'] }));
  assert.deepEqual([room.unread, room.mentions], [7, 3]);
  socket.say({ ...message(14), type: 'edit', target: 12, content: 'now you', mentions: ['alice'] });
  assert.equal(room.mentions, 4);
  socket.say({ ...message(15), type: 'delete', target: 11 });
  assert.equal(room.mentions, 3);
  room.trim(1);
  assert.deepEqual([room.unread, room.mentions], [7, 3], 'what is no longer loaded stays counted');
  room.markRead(10);
  room.markRead(12);
  assert.deepEqual([room.unread, room.mentions], [0, 0]);
});

test('The overview is read to its end', async () => {
  const pages = { undefined: ['a', 'b'], b: ['c', 'd'], d: ['e'] };
  const asked = [];
  const kit = setup({ fetch: async (url) => {
    const after = new URL(url).searchParams.get('after') ?? undefined;
    asked.push(after);
    const users = pages[after];
    return Response.json({
      items: users.map((to) => ({ to, head: 3, read: 1, unread: 2, mentions: 1, last: null })), next: users.length === 2 ? users[1] : null });
  } });
  const told = [];
  kit.client.on('overview', (items) => told.push(items.map(({ to }) => to)));
  await kit.connect();
  await settle();
  assert.deepEqual([asked, told], [[undefined, 'b', 'd'], [['a', 'b', 'c', 'd', 'e']]]);
  assert.equal(kit.client.direct('e').mentions, 1);
});

test('Signals go both ways, and only where somebody can get them', async () => {
  const kit = setup();
  const room = kit.client.conversations.get('room:lobby');
  assert.equal(room, undefined);
  const bob = kit.client.direct('bob');
  assert.equal(bob.signal('wave'), false, 'not connected');
  const socket = await kit.connect();
  assert.equal(bob.signal('wave', { hands: 2 }), true);
  assert.deepEqual(socket.last('signal'), { type: 'signal', to: 'bob', name: 'wave', data: { hands: 2 } });
  const heard = [];
  bob.on('signal', (signal) => heard.push(signal));
  socket.say({ type: 'signal', from: 'bob', to: 'bob', name: 'wave', data: 1 });
  assert.deepEqual(heard, [{ from: 'bob', name: 'wave', data: 1 }]);
  assert.throws(() => bob.signal('x'.repeat(65)), { code: 'bad_request', field: 'name' });
  assert.throws(() => bob.signal('big', 'x'.repeat(4096)), { code: 'too_large', field: 'data' });
});
