import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRoomId, isUserId } from '../aspirechat.js';
import { hashOf, placeOf } from '../app/session.js';
import { direct, settle, setup } from './harness.js';

const IDS = ['auth0|64f0c2', 'a.b+c@example.com', 'urn:x:y~1=2', ':', 'x'.repeat(128)];

test('ids of users are wide, those of rooms are not', () => {
  for (const id of IDS) assert.deepEqual([isUserId(id), isRoomId(id)], [true, false], id);
  for (const id of ['lobby', 'A-z_0.9']) assert.deepEqual([isUserId(id), isRoomId(id)], [true, true], id);
  for (const id of ['', '.', '..', 'a b', 'a/b', 'a\n', 'ä', 'a%7C', 'a*', 'x'.repeat(129), 'system', 7, null]) assert.equal(isUserId(id), false, String(id));
});

test('the address of a conversation leads back to it, whatever its id', () => {
  for (const name of IDS) assert.deepEqual(placeOf(hashOf({ kind: 'direct', name })), { kind: 'direct', name });
  assert.equal(hashOf({ kind: 'room', name: 'lobby' }), '#room/lobby');
  for (const hash of ['', '#', '#room/', '#other/x', '#direct/%']) assert.deepEqual(placeOf(hash), {});
});

for (const other of IDS) {
  test(`a direct conversation with ${other.slice(0, 20)} is sent, received, paged and kept apart`, async () => {
    const kit = setup();
    await kit.connect();
    const conversation = kit.client.direct(other);
    conversation.send('psst').catch(() => {});
    await settle();
    assert.equal(kit.socket.last('dm').to, other);
    const heard = [];
    conversation.on('event', (event) => heard.push([event.from, event.name]));
    kit.socket.say(direct(1, other, 'alice', { name: 'Other' }));
    kit.socket.say({ type: 'resumed', to: other, seq: 1, head: 1, complete: true, epoch: 'e1' });
    await settle();
    assert.deepEqual(heard, [[other, 'Other']]);
    assert.equal(kit.client.conversations.get(`to:${other}`), conversation);
    kit.socket.say(direct(900, other));
    await kit.clock.advance(10_000);
    assert.equal(kit.history.calls.findLast(({ path }) => path.startsWith('/api/dms/')).path, `/api/dms/${encodeURIComponent(other)}/messages`);
  });
}

test('profiles come with frames and answers, and a change is told', async () => {
  const { client, ...kit } = setup();
  const socket = await kit.connect();
  const told = [];
  client.on('profile', (user) => told.push(user));
  socket.say({ type: 'online', room: 'lobby', users: ['auth0|1'], count: 2, profiles: { 'auth0|1': { name: 'Alice' } } });
  assert.deepEqual(client.profiles.get('auth0|1'), { name: 'Alice', picture: undefined });
  socket.say({ type: 'profile', user: 'auth0|1', name: 'Alice', picture: 'https://example.com/a.png' });
  socket.say({ type: 'profile', user: 'auth0|1', name: 'Alice', picture: 'https://example.com/a.png' });
  assert.equal(client.profiles.get('auth0|1').picture, 'https://example.com/a.png');
  socket.say({ type: 'profile', user: 'auth0|1' });
  assert.equal(client.profiles.has('auth0|1'), false);
  assert.deepEqual(told, ['auth0|1', 'auth0|1', 'auth0|1']);
});
