import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setup, settle } from './harness.js';

test('The token travels as a subprotocol, never in the address', async () => {
  const { accept, client } = setup();
  client.connect();
  const socket = await accept();
  assert.deepEqual(socket.protocols, ['aspirechat.v1', 'bearer.token-1']);
  assert.equal(socket.url, 'ws://chat.test/ws');
});

test('connect resolves at the welcome and tells node and connection', async () => {
  const { accept, client, statuses } = setup();
  const connecting = client.connect();
  await accept({ node: 'n-7', connection: 'c-9' });
  await connecting;
  assert.equal(client.info.node, 'n-7');
  assert.equal(client.info.connection, 'c-9');
  assert.deepEqual(statuses.map((s) => s.state), ['connecting', 'connected']);
});

test('A lost connection comes back with waits that double up to 20 s', async () => {
  const { clock, connect, sockets, statuses } = setup();
  (await connect()).end(1006);
  const waits = [];
  for (let i = 0; i < 8; i++) {
    const { retryAt } = statuses.at(-1);
    waits.push(Math.round(retryAt - clock.date()));
    const before = sockets.length;
    await clock.advance(retryAt - clock.date() - 1);
    assert.equal(sockets.length, before, 'no try before its time');
    await clock.advance(2);
    assert.equal(sockets.length, before + 1);
    sockets.at(-1).end(1006);
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16000, 20000, 20000]);
});

test('Waits are spread: half of each is chance', async () => {
  const { clock, connect, statuses } = setup();
  clock.random = () => 0;
  (await connect()).end(1006);
  assert.equal(statuses.at(-1).retryAt - clock.date(), 250);
});

test('A connection that was stable starts with a short wait again', async () => {
  const kit = setup();
  (await kit.connect()).end(1006);
  await kit.clock.advance(500);
  kit.socket.end(1006);
  await kit.clock.advance(1000);
  await kit.accept();
  await kit.clock.advance(10_000);
  kit.socket.end(1006);
  assert.equal(Math.round(kit.statuses.at(-1).retryAt - kit.clock.date()), 500);
  assert.equal(kit.client.info.reconnects, 1);
});

for (const code of [4000, 4001, 4003, 4009, 4050]) {
  test(`Close code ${code} ends the session: no reconnect by itself`, async () => {
    const { clock, connect, sockets, statuses } = setup();
    (await connect()).end(code);
    await clock.advance(3600_000);
    assert.equal(sockets.length, 1);
    assert.equal(statuses.at(-1).state, 'closed');
    assert.equal(statuses.at(-1).code, code);
  });
}

for (const code of [1000, 1001, 1006, 1011, 1012, 1013, 4002, 4008]) {
  test(`Close code ${code} reconnects`, async () => {
    const { clock, connect, sockets, client } = setup();
    (await connect()).end(code);
    assert.equal(client.status.state, 'reconnecting');
    await clock.advance(10_000);
    assert.equal(sockets.length, 2);
  });
}

test('An overloaded server is left alone for longer', async () => {
  const { clock, connect, statuses } = setup();
  (await connect()).end(1013);
  assert.ok(statuses.at(-1).retryAt - clock.date() >= 2500);
});

test('An expired token is renewed before the reconnect, other losses keep it', async () => {
  const kit = setup();
  await kit.connect();
  await kit.reconnect(1006);
  assert.deepEqual(kit.socket.protocols[1], 'bearer.token-1');
  await kit.clock.advance(11_000);
  await kit.reconnect(4002);
  assert.deepEqual(kit.socket.protocols[1], 'bearer.token-2');
  assert.deepEqual(kit.tokens, [false, true]);
});

test('A handshake that fails for its token is tried again with a new one', async () => {
  const kit = setup();
  (await kit.connect()).end(1006);
  await kit.clock.advance(500);
  const known = kit.history.calls.length;
  kit.history.fault = () => (kit.history.calls.length === known + 1 ? 401 : null);
  kit.socket.end(1006);
  await kit.clock.advance(20_000);
  assert.equal(kit.socket.protocols[1], 'bearer.token-2');
});

test('reconnect is honoured: the client leaves after the given time, and comes back at once', async () => {
  const { clock, connect, sockets } = setup();
  const socket = await connect();
  socket.say({ type: 'reconnect', after: 1234 });
  await clock.advance(1233);
  assert.equal(sockets.length, 1);
  assert.equal(socket.closedWith, null);
  await clock.advance(2);
  assert.equal(sockets.length, 2);
  assert.equal(socket.closedWith, 1000);
});

test('A draining server that closes early is not asked again before the given time', async () => {
  const { clock, connect, sockets } = setup();
  const socket = await connect();
  socket.say({ type: 'reconnect', after: 3000 });
  await clock.advance(1000);
  socket.end(1012);
  await clock.advance(1999);
  assert.equal(sockets.length, 1);
  await clock.advance(2);
  assert.equal(sockets.length, 2);
});

test('A connection that falls silent is asked, and given up when it does not answer', async () => {
  const { clock, connect, sockets, client } = setup({ pongs: false });
  const socket = await connect();
  socket.say({ type: 'pong', ref: socket.last('ping').ref });
  await clock.advance(15_000);
  assert.equal(socket.of('ping').length, 2);
  await clock.advance(10_000);
  assert.equal(client.status.state, 'reconnecting');
  await clock.advance(1000);
  assert.equal(sockets.length, 2);
});

test('A busy connection is not asked, and an answered ping tells the round trip', async () => {
  const { clock, connect, client } = setup({ pongs: false });
  const socket = await connect();
  await clock.advance(40);
  socket.say({ type: 'pong', ref: socket.last('ping').ref });
  assert.equal(client.info.roundTrip, 40);
  for (let i = 0; i < 10; i++) {
    await clock.advance(10_000);
    socket.say({ type: 'durable', room: 'lobby', seq: 1 });
  }
  assert.equal(socket.of('ping').length, 1);
  assert.equal(client.status.state, 'connected');
});

test('The token is renewed through auth before it expires, again and again', async () => {
  const { clock, connect, tokens, sockets } = setup();
  const socket = await connect({ expires: new Date(Date.parse('2026-03-01T12:10:00Z')).toISOString(), heartbeat: 36000 });
  await clock.advance(539_000);
  assert.equal(socket.of('auth').length, 0);
  await clock.advance(2000);
  assert.deepEqual(socket.of('auth'), [{ type: 'auth', token: 'token-2' }]);
  socket.say({ type: 'authenticated', expires: new Date(clock.date() + 100_000).toISOString() });
  await clock.advance(81_000);
  assert.equal(socket.of('auth').length, 2);
  assert.deepEqual(tokens, [false, true, true]);
  assert.equal(sockets.length, 1);
});

test('A clock that runs ahead does not make the client renew in a loop', async () => {
  const { clock, connect, tokens } = setup();
  const socket = await connect({ expires: '2026-03-01T11:00:00Z', heartbeat: 36000 });
  for (let i = 0; i < 10; i++) {
    await clock.advance(6000);
    if (socket.of('auth').length > i) socket.say({ type: 'authenticated', expires: '2026-03-01T11:30:00Z' });
  }
  assert.ok(tokens.length <= 3, `${tokens.length} tokens in a minute`);
});

test('A fatal error of the token provider ends the session, another one is retried', async () => {
  let calls = 0;
  const failing = setup({ getToken: async () => { calls++; throw new Error('away'); } });
  failing.client.connect().catch(() => {});
  await settle();
  await failing.clock.advance(2000);
  assert.ok(calls >= 2);
  const fatal = setup({ getToken: async () => { throw Object.assign(new Error('no such user'), { fatal: true }); } });
  await assert.rejects(fatal.client.connect(), /no such user/);
  assert.equal(fatal.client.status.state, 'closed');
});

test('wake tries at once while waiting, and probes while connected', async () => {
  const kit = setup({ pongs: false });
  const socket = await kit.connect();
  socket.say({ type: 'pong', ref: socket.last('ping').ref });
  kit.client.wake();
  assert.equal(socket.of('ping').length, 2);
  socket.end(1006);
  kit.client.wake();
  await settle();
  assert.equal(kit.sockets.length, 2);
});

test('A token of another user closes the session instead of mixing two', async () => {
  const kit = setup();
  (await kit.connect()).end(1006);
  await kit.clock.advance(500);
  await kit.accept({ user: 'mallory' });
  assert.equal(kit.client.status.state, 'closed');
  assert.equal(kit.client.user, 'alice');
});

test('A frame that is no frame, or of an unknown type, does no harm', async () => {
  const { connect, client, faults } = setup();
  const socket = await connect();
  socket.onmessage({ data: 'garbage' });
  socket.say({ type: 'dance' });
  socket.say({ type: 'ack' });
  assert.equal(client.status.state, 'connected');
  assert.deepEqual(faults.map((f) => f.code), ['bad_request', 'bad_request']);
});

test('close leaves no timer behind', async () => {
  const kit = setup();
  await kit.connect();
  const room = await kit.join(0);
  room.typing();
  room.send('x').catch(() => {});
  kit.client.close();
  await settle();
  assert.equal(kit.clock.timers, 0);
  assert.equal(kit.socket.closedWith, 1000);
});
