// What connect() says when there will be no connection, how long requests wait, and what the browser's opinion of the network changes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joined, message, range, setup, settle } from './harness.js';

/** Ends the session with this, and is silent then. */
async function ends(kit, code, more = {}) {
  await assert.rejects(kit.client.connect(), (error) => {
    assert.equal(error.name, 'ChatError');
    assert.deepEqual({ code: error.code, ...Object.fromEntries(Object.keys(more).map((k) => [k, error[k]])) }, { code, ...more });
    return true;
  });
  const { length } = kit.sockets;
  await kit.clock.advance(3600_000);
  assert.equal(kit.sockets.length, length, 'no endless retry');
}

for (const [what, options, field] of [
  ['no getToken', { getToken: undefined }, 'getToken'],
  ['no address', { url: undefined }, 'url'],
  ['an address of another kind', { url: 'ftp://chat.test' }, 'url'],
  ['a runtime without WebSocket', { WebSocket: null }, 'WebSocket'],
  ['a runtime without fetch', { fetch: null }, 'fetch'],
  ['a store that is none', { store: {} }, 'store'],
]) {
  test(`connect rejects and names the option: ${what}`, async () => {
    await ends(setup(options), 'bad_option', { field });
  });
}

test('connect rejects when the browser does not allow the address', async () => {
  const kit = setup({ WebSocket: class { constructor() { throw new Error('An insecure WebSocket connection.'); } } });
  await ends(kit, 'bad_option', { field: 'url' });
  assert.equal(kit.client.status.state, 'closed');
});

for (const token of ['', 'a b', 'a\nb', null, undefined, 7, {}, { token: 'ä' }]) {
  test(`connect rejects for a token that is none: ${JSON.stringify(token)}`, async () => {
    await ends(setup({ getToken: async () => token }), 'token', { fatal: true });
  });
}

test('A token provider that throws at once is asked again like one that rejects', async () => {
  let calls = 0;
  const kit = setup({ getToken: () => { if (++calls < 3) throw new Error('away'); return 'token'; } });
  kit.client.connect().catch(() => {});
  await kit.clock.advance(3000);
  assert.equal(kit.sockets.length, 1);
});

test('A token provider that never answers is asked again', async () => {
  let calls = 0;
  const kit = setup({ getToken: () => { calls++; return new Promise(() => {}); } });
  kit.client.connect().catch(() => {});
  await kit.clock.advance(60_000);
  assert.ok(calls >= 3, `${calls} calls`);
});

test('A refused token is told from a network failure by the API, renewed once, and ends the session when refused again', async () => {
  const kit = setup();
  kit.history.fault = 401;
  const ending = ends(kit, 'token', { status: 401 });
  await settle();
  kit.socket.end(1006);
  await ending;
  assert.deepEqual(kit.tokens, [false, true]);
  assert.deepEqual(kit.faults.map((f) => f.code), ['token'], 'told once');
});

test('A network failure is no refused token', async () => {
  const kit = setup({ fetch: async () => { throw new TypeError('Failed to fetch'); } });
  kit.client.connect().catch(() => {});
  for (let i = 0; i < 5; i++) {
    await settle();
    kit.socket.end(1006);
    await kit.clock.advance(20_000);
  }
  assert.ok(kit.sockets.length >= 6);
  assert.notEqual(kit.client.status.state, 'closed');
  assert.deepEqual(kit.tokens, [false]);
});

test('A token that is refused after the client was connected ends the session, and is told once', async () => {
  const kit = setup();
  (await kit.connect()).end(1006);
  kit.history.fault = 401;
  await kit.clock.advance(500);
  kit.socket.end(1006);
  await kit.clock.advance(3600_000);
  assert.equal(kit.client.status.state, 'closed');
  assert.equal(kit.client.status.error.code, 'token');
  assert.equal(kit.faults.filter((f) => f.code === 'token').length, 1);
  assert.equal(kit.sockets.length, 2);
});

test('A token that each server calls expired before it carried anything ends the session', async () => {
  const kit = setup();
  const ending = ends(kit, 'token', { closeCode: 4002 });
  await settle();
  kit.socket.end(4002);
  await kit.clock.advance(500);
  kit.socket.end(4002);
  await ending;
  assert.deepEqual(kit.tokens, [false, true]);
});

for (const code of [4000, 4001, 4003, 4009, 4099]) {
  test(`connect rejects for close code ${code}, and a later connect tries again`, async () => {
    const kit = setup();
    const ending = ends(kit, 'closed', { closeCode: code });
    await settle();
    kit.socket.end(code);
    await ending;
    assert.equal(kit.faults.length, 1);
    const again = kit.client.connect();
    await kit.accept();
    await again;
  });
}

test('connect rejects for a token of another user', async () => {
  const kit = setup({ user: 'alice' });
  const ending = ends(kit, 'forbidden');
  await kit.accept({ user: 'mallory' });
  await ending;
});

test('A token that is malformed when it is renewed is told once; the connection lives until its token expires', async () => {
  let token = 'good';
  const kit = setup({ getToken: async () => token });
  const socket = await kit.connect({ expires: '2026-03-01T12:10:00Z', heartbeat: 36000 });
  token = 'not good';
  await kit.clock.advance(590_000);
  assert.deepEqual(kit.faults.map((f) => f.code), ['token']);
  socket.end(4002);
  await kit.clock.advance(3600_000);
  assert.equal(kit.client.status.state, 'closed');
  assert.equal(kit.sockets.length, 1);
});

test('An aborted wait leaves no rejection that nobody handles', async () => {
  const unhandled = [];
  const note = (error) => unhandled.push(error);
  process.on('unhandledRejection', note);
  const kit = setup();
  kit.history.fault = 503;
  await kit.connect();
  const room = await kit.join(5);
  await assert.rejects(kit.client.connect({ signal: AbortSignal.abort(new Error('no')) }), /no/);
  await assert.rejects(room.older({ signal: AbortSignal.abort(new Error('no')) }), /no/);
  await settle();
  await settle();
  process.off('unhandledRejection', note);
  assert.deepEqual(unhandled, []);
});

test('A client that is made with an aborted signal is closed', async () => {
  const kit = setup({ signal: AbortSignal.abort() });
  await assert.rejects(kit.client.connect(), { code: 'closed' });
});

test('A page of history that never comes fails in 15 s, and the next call asks again', async () => {
  let hang = true;
  let signal;
  const kit = setup({ fetch: (url, options) => (hang && String(url).includes('/messages') ? new Promise(() => { ({ signal } = options); })
    : kit.history.fetch(url, options)) });
  kit.history.log('room:lobby').items = range(1, 5);
  await kit.connect();
  const room = await kit.join(5);
  const failed = assert.rejects(room.older(), { code: 'http', status: 0 });
  await kit.clock.advance(15_001);
  await failed;
  assert.equal(signal.aborted, true, 'the request itself is ended');
  hang = false;
  assert.equal(await room.older(), 5);
});

test('An answer whose body never ends fails like none', async () => {
  const kit = setup({ fetch: async () => new Response(new ReadableStream({ start() {} })) });
  await kit.connect();
  const room = await kit.join(5);
  const failed = assert.rejects(room.older(), { code: 'http', status: 0 });
  await kit.clock.advance(15_001);
  await failed;
});

test('An answer that is no JSON is a ChatError', async () => {
  const kit = setup({ fetch: async () => new Response('<html>') });
  await kit.connect();
  const room = await kit.join(5);
  await assert.rejects(room.older(), { name: 'ChatError', code: 'http', status: 0 });
});

test('A repair whose request is swallowed goes on with a smaller page, and its waits grow while history is away', async () => {
  const asked = [];
  let mode = 'hang';
  const kit = setup({ fetch: (url, options) => {
    if (!String(url).includes('/messages')) return kit.history.fetch(url, options);
    asked.push({ at: kit.clock.now(), limit: new URL(url).searchParams.get('limit') });
    if (mode === 'hang') return new Promise(() => {});
    return mode === 'down' ? Promise.reject(new TypeError('away')) : kit.history.fetch(url, options);
  } });
  kit.history.log('room:lobby').items = range(1, 8);
  const socket = await kit.connect({ heartbeat: 3600 });
  socket.say({ type: 'pong', ref: socket.last('ping').ref });
  const room = await kit.join(3);
  socket.say(message(8));
  await kit.clock.advance(1000);
  mode = 'down';
  await kit.clock.advance(44_000);
  const waits = asked.slice(2).map(({ at }, i) => at - asked[i + 1].at);
  assert.ok(waits.length <= 7 && waits.at(-1) > 5000, String(waits));
  assert.equal(asked.at(-1).limit, '20');
  mode = '';
  await kit.clock.advance(10_001);
  assert.deepEqual(room.seen, [4, 5, 6, 7, 8]);
});

test('The newest page after a new epoch is asked for until it comes', async () => {
  const kit = setup();
  await kit.connect();
  const room = await kit.join(5);
  Object.assign(kit.history.log('room:lobby'), { epoch: 'e2', items: range(1, 3, (s) => message(s, 'bob', { epoch: 'e2' })) });
  kit.history.fault = 503;
  const socket = await kit.reconnect();
  socket.say(joined(3, { epoch: 'e2' }));
  await kit.clock.advance(5000);
  kit.history.fault = null;
  await kit.clock.advance(5000);
  assert.equal(room.messages.length, 3);
});

test('An overview that fails is asked for again on the same connection', async () => {
  const kit = setup();
  kit.history.fault = 503;
  await kit.connect();
  kit.history.overview = [{ to: 'carol', head: 1, read: 0, unread: 1, last: null }];
  kit.history.fault = null;
  await kit.clock.advance(3000);
  assert.equal(kit.client.conversations.get('to:carol')?.unread, 1);
});

test('Waits start again after a connection that lived, whatever timers did meanwhile', async () => {
  const kit = setup();
  await kit.connect();
  for (let i = 0; i < 4; i++) {
    kit.socket.end(1006);
    await kit.clock.advance(20_000);
  }
  await kit.accept();
  await kit.clock.advance(10_000);
  kit.socket.end(1006);
  assert.equal(Math.round(kit.statuses.at(-1).retryAt - kit.clock.date()), 500);
});

test('Offline the client waits, and online it tries at once with short waits', async () => {
  const network = new EventTarget();
  const kit = setup({ network });
  (await kit.connect()).end(1006);
  network.dispatchEvent(new Event('offline'));
  await kit.clock.advance(59_000);
  assert.equal(kit.sockets.length, 1);
  assert.ok(kit.client.status.retryAt > kit.clock.date());
  network.dispatchEvent(new Event('online'));
  await settle();
  assert.equal(kit.sockets.length, 2);
  kit.socket.end(1006);
  assert.equal(Math.round(kit.client.status.retryAt - kit.clock.date()), 500);
});

test('A browser that is wrong about being offline connects all the same', async () => {
  const network = new EventTarget();
  const kit = setup({ network });
  const socket = await kit.connect();
  network.dispatchEvent(new Event('offline'));
  assert.equal(kit.client.status.state, 'connected');
  socket.end(1006);
  await kit.clock.advance(60_001);
  assert.equal(kit.sockets.length, 2);
});

test('A client that is told it is offline waits 3 s for a sign of the server, and says so then', async () => {
  const network = new EventTarget();
  const kit = setup({ network, pongs: false });
  const socket = await kit.connect();
  const pings = () => socket.sent.filter(({ type }) => type === 'ping').length;
  const before = pings();
  for (let i = 0; i < 10; i++) network.dispatchEvent(new Event('offline'));
  assert.equal(pings() - before <= 1, true);
  await kit.clock.advance(2900);
  assert.equal(kit.client.status.state, 'connected');
  await kit.clock.advance(200);
  assert.equal(kit.client.status.state, 'reconnecting');
});

test('A network that comes and goes makes at most one try in a second', async () => {
  const network = new EventTarget();
  const kit = setup({ network });
  (await kit.connect()).end(1006);
  for (let i = 0; i < 100; i++) {
    network.dispatchEvent(new Event('offline'));
    network.dispatchEvent(new Event('online'));
    await settle();
    if (kit.socket.readyState === 0) kit.socket.end(1006);
    kit.client.wake();
    await kit.clock.advance(100);
    if (kit.socket.readyState === 0) kit.socket.end(1006);
  }
  assert.ok(kit.sockets.length <= 1 + 11, `${kit.sockets.length} sockets in 10 s`);
  assert.ok(kit.sockets.length >= 1 + 8, `${kit.sockets.length} sockets in 10 s`);
});

test('online does not open a session that was ended or closed, and a closed client listens no more', async () => {
  const network = new EventTarget();
  const kit = setup({ network });
  (await kit.connect()).end(4003);
  network.dispatchEvent(new Event('online'));
  await kit.clock.advance(60_000);
  assert.equal(kit.sockets.length, 1);
  kit.client.close();
  network.dispatchEvent(new Event('offline'));
  network.dispatchEvent(new Event('online'));
  await kit.clock.advance(60_000);
  assert.deepEqual([kit.sockets.length, kit.clock.timers], [1, 0]);
});
