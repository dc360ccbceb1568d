// Tickets lead to a node past the gateway. Whatever is wrong with them, the gateway is there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeSocket, settle, setup } from './harness.js';

const NODE = 'wss://node-3.chat.test/ws';

/** A client whose gateway offers tickets, or answers a question for one with this status; `asked` counts. */
function withTickets({ answer = { url: NODE, ticket: 'a+b' }, ...options } = {}) {
  const kit = setup({
    tickets: true, ...options,
    fetch: async (url, { method, body }) => {
      if (!url.includes('/api/socket-tickets')) return Response.json({ items: [] });
      kit.asked.push({ method, body });
      if (kit.answer instanceof Promise) return kit.answer;
      return typeof kit.answer === 'number' ? Response.json({ title: 'no' }, { status: kit.answer }) : Response.json(kit.answer);
    },
  });
  return Object.assign(kit, { asked: [], answer });
}
const urls = (kit) => kit.sockets.map(({ url }) => url);
const GATEWAY = 'ws://chat.test/ws';

test('With a ticket the socket leads to the node, and the token stays out of it', async () => {
  const kit = withTickets();
  const connecting = kit.client.connect();
  await kit.accept();
  await connecting;
  assert.deepEqual(kit.asked, [{ method: 'POST', body: undefined }]);
  assert.deepEqual(urls(kit), [`${NODE}?ticket=a%2Bb`]);
  assert.deepEqual(kit.socket.protocols, ['aspirechat.v1']);
  assert.equal(kit.client.info.ticket, true);
  await kit.clock.advance(20_000);
  await kit.reconnect();
  assert.equal(kit.asked.length, 2, 'a ticket opens one socket');
  assert.match(urls(kit)[1], /^wss:\/\/node-3/);
});

test('A system without tickets is asked once in a session', async () => {
  const kit = withTickets({ answer: 404 });
  await kit.connect();
  assert.equal(kit.client.info.ticket, false);
  for (let i = 0; i < 3; i++) { await kit.clock.advance(20_000); await kit.reconnect(); }
  assert.equal(kit.asked.length, 1);
  assert.deepEqual([...new Set(urls(kit))], [GATEWAY]);
  assert.deepEqual(kit.faults, []);
});

test('With tickets: false nobody asks', async () => {
  const kit = withTickets({ tickets: false });
  await kit.connect();
  assert.deepEqual([kit.asked.length, urls(kit)], [0, [GATEWAY]]);
});

for (const answer of [503, 401, 429, { url: 'ftp://x', ticket: 't' }, {}]) {
  test(`A question for a ticket that is answered ${JSON.stringify(answer)} leads to the gateway, and is asked again on the next connection`, async () => {
    const kit = withTickets({ answer });
    await kit.connect();
    assert.deepEqual(urls(kit), [GATEWAY]);
    kit.answer = { url: NODE, ticket: 't' };
    await kit.clock.advance(20_000);
    await kit.reconnect();
    assert.equal(kit.client.info.ticket, true);
  });
}

test('A question for a ticket without an answer delays the connection by 5 s at most', async () => {
  const kit = withTickets({ answer: new Promise(() => {}) });
  kit.client.connect().catch(() => {});
  await kit.clock.advance(5001);
  assert.deepEqual(urls(kit), [GATEWAY]);
});

for (const [what, fail] of [
  ['cannot be reached', (kit) => kit.socket.end(1006)],
  ['does not answer', (kit) => kit.clock.advance(4001)],
  ['refuses the ticket', (kit) => kit.socket.end(4001)],
]) {
  test(`A node that ${what} makes the client use the gateway at once, and for a minute`, async () => {
    const kit = withTickets();
    const connecting = kit.client.connect();
    await settle();
    await fail(kit);
    await settle();
    assert.deepEqual(urls(kit).slice(1), [GATEWAY]);
    await kit.accept();
    await connecting;
    assert.deepEqual([kit.client.info.ticket, kit.faults.length, kit.client.info.reconnects], [false, 0, 0]);
    await kit.clock.advance(20_000);
    await kit.reconnect();
    assert.deepEqual([urls(kit).at(-1), kit.asked.length], [GATEWAY, 1]);
    await kit.clock.advance(60_000);
    await kit.reconnect();
    assert.deepEqual([kit.client.info.ticket, kit.asked.length], [true, 2]);
  });
}

test('A page whose policy forbids the node uses the gateway', async () => {
  class Policed extends FakeSocket {
    constructor(url, protocols) {
      if (url.startsWith(NODE)) throw new DOMException('Refused to connect', 'SecurityError');
      super(url, protocols);
    }
  }
  const kit = withTickets({ WebSocket: Policed });
  await kit.connect();
  assert.deepEqual([urls(kit), kit.client.status.state], [[GATEWAY], 'connected']);
});

test('A node that fails again and again is avoided for longer', async () => {
  const kit = withTickets();
  kit.client.connect().catch(() => {});
  const questions = [];
  for (let minutes = 0; minutes < 30; minutes++) {
    for (let i = 0; i < 6; i++) {
      await settle();
      if (kit.socket.url !== GATEWAY) kit.socket.end(1006);
      await settle();
      if (kit.socket.readyState === 0) await kit.accept();
      await kit.clock.advance(9_500);
      kit.socket.end(1006);
      await kit.clock.advance(500);
    }
    questions.push(kit.asked.length);
  }
  assert.ok(kit.asked.length >= 4 && kit.asked.length <= 6, `asked ${kit.asked.length} times in half an hour: ${questions}`);
});

test('A user who was sent away by the node is not let in by the gateway', async () => {
  const kit = withTickets();
  const connecting = kit.client.connect();
  await settle();
  kit.socket.end(4003);
  await assert.rejects(connecting, { code: 'closed', closeCode: 4003 });
  assert.equal(kit.sockets.length, 1);
});

test('A token that is refused with tickets on ends the session as without', async () => {
  const kit = setup({ tickets: true, fetch: async () => Response.json({ title: 'no' }, { status: 401 }) });
  const connecting = kit.client.connect();
  await settle();
  await settle();
  kit.socket.end(1006);
  await assert.rejects(connecting, { code: 'token', status: 401 });
});
