// The client in Node against the real system: what the protocol has beyond messages, and how a session ends.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { ChatClient } from '../aspirechat.js';
import { eventually, unique } from './system.js';

/** @param {{system: import('./system.js').System}} stage */
export function rooms(stage) {
  async function connect(t, name) {
    const user = unique(name);
    const client = new ChatClient({ url: stage.system.url, user, WebSocket, getToken: () => stage.system.token(user) });
    t.after(() => client.close());
    await client.connect();
    return { user, client };
  }
  const next = (emitter, name) => new Promise((resolve) => emitter.once(name, resolve));

  test('A private room from its creation to its end: members, roles, mentions, search, mutes, bans, deletion', async (t) => {
    const [alice, bob] = [await connect(t, 'alice'), await connect(t, 'bob')];
    const [room, word] = [unique('tea'), unique('needle').replaceAll('-', '')];
    await assert.rejects(bob.client.rooms.get(room), { status: 404 });
    const added = next(bob.client, 'member');
    const created = await alice.client.rooms.create({ room, name: 'Tea', topic: 'Leaves', visibility: 'private', meta: { color: 'green' }, members: [bob.user] });
    assert.deepEqual([created.role, created.visibility, created.meta], ['owner', 'private', { color: 'green' }]);
    const { change, by } = await added;
    assert.deepEqual([change, by], ['added', alice.user]);
    const [mine, theirs] = [await alice.client.join(room), await bob.client.join(room)];
    assert.deepEqual([mine.role, theirs.role, theirs.visibility, theirs.title, theirs.topic], ['owner', 'member', 'private', 'Tea', 'Leaves']);

    const first = await theirs.send('first');
    const heard = next(theirs, 'event');
    const sent = await mine.send(`a ${word} for you`, { replyTo: first.seq, mentions: [bob.user], meta: { size: 1 } });
    const event = await heard.then((each) => (each.seq === sent.seq ? each : next(theirs, 'event')));
    assert.deepEqual([event.replyTo, event.mentions, event.meta], [first.seq, [bob.user], { size: 1 }]);
    assert.deepEqual([theirs.unread, theirs.mentions], [1, 1]);
    const overview = (await bob.client.listConversations({ limit: 1 })).items[0];
    assert.deepEqual([overview.room, overview.unread, overview.mentions], [room, 1, 1]);
    await theirs.markRead();
    assert.deepEqual([theirs.unread, theirs.mentions, (await bob.client.listConversations()).items[0].unread], [0, 0, 0]);
    await eventually('the message is found', async () => (await bob.client.search({ q: word })).items.length === 1);
    await eventually('the user is found', async () => (await bob.client.users(alice.user)).items[0]?.user === alice.user);
    const waved = next(mine, 'signal');
    assert.equal(theirs.signal('wave', { hands: 2 }), true);
    assert.deepEqual(await waved, { from: bob.user, name: 'wave', data: { hands: 2 } });

    const promoted = next(theirs, 'member');
    await alice.client.rooms.setRole(room, bob.user, 'moderator');
    await promoted;
    assert.equal(theirs.role, 'moderator');
    await theirs.delete(sent.seq);
    await assert.rejects(bob.client.rooms.update(room, { topic: 'Mine' }), { status: 403 });
    assert.equal((await alice.client.rooms.update(room, { topic: null, sending: 'moderators' })).sending, 'moderators');
    assert.deepEqual((await alice.client.rooms.members(room)).items.map(({ user, role }) => [user, role]).sort(), [[alice.user, 'owner'], [bob.user, 'moderator']].sort());
    assert.equal((await alice.client.rooms.list({ query: 'tea' })).items.some((each) => each.room === room), true);

    await alice.client.rooms.setRole(room, bob.user, 'member');
    await alice.client.rooms.mute(room, bob.user, { until: new Date(Date.now() + 3600_000) });
    await assert.rejects(theirs.send('may I'), { code: 'forbidden' });
    await alice.client.rooms.unmute(room, bob.user);
    const gone = next(bob.client, 'left');
    await alice.client.rooms.ban(room, bob.user, { reason: 'spam' });
    assert.deepEqual([await gone, theirs.leftReason], [theirs, 'banned']);
    assert.deepEqual((await alice.client.rooms.bans(room)).items.map(({ user, reason }) => [user, reason]), [[bob.user, 'spam']]);
    await assert.rejects(bob.client.join(room), { name: 'ChatError' });
    await alice.client.rooms.unban(room, bob.user);
    await alice.client.rooms.addMember(room, bob.user);
    await bob.client.join(room);
    await bob.client.leave(room);

    const ended = next(alice.client, 'left');
    await alice.client.rooms.delete(room);
    assert.deepEqual([await ended, mine.leftReason], [mine, 'deleted']);
  });

  test('What ends a session says why: a token that is none or refused, a runtime that lacks something, an operator', async (t) => {
    const { url } = stage.system;
    const fails = (options, error) => assert.rejects(new ChatClient({ url, WebSocket, getToken: async () => 'a.b.c', ...options }).connect(), { name: 'ChatError', ...error });
    await fails({ getToken: async () => 'no token' }, { code: 'token', fatal: true });
    await fails({}, { code: 'token', status: 401 });
    await fails({ getToken: async () => stage.system.token('somebody'), user: 'somebody-else' }, { code: 'forbidden' });
    await fails({ WebSocket: null }, { code: 'bad_option', field: 'WebSocket' });
    await fails({ url: 'localhost' }, { code: 'bad_option', field: 'url' });
    const { user, client } = await connect(t, 'eve');
    const closed = new Promise((resolve) => client.on('status', (status) => { if (status.state === 'closed') resolve(status); }));
    await stage.system.disconnect(user);
    const { error, code } = await closed;
    assert.deepEqual([error.code, error.closeCode, code], ['closed', 4003, 4003]);
  });

  test('The last owner of a room with members is told that they cannot leave', async (t) => {
    const [alice, bob] = [await connect(t, 'alice'), await connect(t, 'bob')];
    const room = unique('club');
    await alice.client.rooms.create({ room, members: [bob.user] });
    await alice.client.join(room);
    await assert.rejects(alice.client.leave(room), { code: 'forbidden' });
    await eventually('the room is joined again', () => alice.client.conversations.get(`room:${room}`)?.joined);
    await alice.client.conversations.get(`room:${room}`).send('still here');
    await assert.rejects(alice.client.rooms.removeMember(room, alice.user), { status: 409 });
  });
}
