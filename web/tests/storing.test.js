// What survives the page: a second client on the same store is the page after a reload.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ack, joined, message, setup, settle } from './harness.js';

class MemoryStore {
  items = [];
  /** Refuses everything, as a browser that forbids storage does. */
  broken = false;
  #act = async (act) => {
    if (this.broken) throw new Error('no storage');
    return act();
  };
  load = (owner) => this.#act(() => this.items.filter((i) => i.owner === owner));
  put = (stored) => this.#act(() => void this.items.push(structuredClone(stored)));
  remove = (nonce) => this.#act(() => { this.items = this.items.filter((i) => i.nonce !== nonce); });
  get contents() { return this.items.map((i) => i.frame.content); }
}

const start = async (store, more) => {
  const kit = setup({ store, user: 'alice', ...more });
  await kit.connect();
  return kit;
};

/** The store of a page that was closed while it had no connection, with one message to bob in it. */
async function leftBehind(content) {
  const store = new MemoryStore();
  const page = await start(store);
  page.socket.end(1006);
  page.client.direct('bob').send(content).catch(() => {});
  await settle();
  page.client.close();
  return store;
}

test('What was not acknowledged is sent by the next page, in order, with its first nonces', async () => {
  const store = new MemoryStore();
  const before = await start(store);
  const room = await before.join(0);
  before.socket.end(1006);
  for (const content of ['a', 'b', 'c']) room.send(content).catch(() => {});
  await settle();
  const nonces = store.items.map((i) => i.nonce);
  before.client.close();
  assert.deepEqual(store.contents, ['a', 'b', 'c']);

  const { client, socket } = await start(store);
  const again = client.conversations.get('room:lobby');
  assert.deepEqual(again.pending.map((p) => [p.content, p.state]), [['a', 'sending'], ['b', 'sending'], ['c', 'sending']]);
  socket.say(joined(0, { ref: socket.last('join').ref }));
  for (let seq = 1; seq <= 3; seq++) {
    const frame = socket.last('room');
    socket.say(ack(frame, seq));
    socket.say(message(seq, 'alice', { nonce: frame.nonce, content: frame.content }));
  }
  await settle();
  assert.deepEqual(socket.of('room').map((f) => [f.content, f.nonce]), ['a', 'b', 'c'].map((content, i) => [content, nonces[i]]));
  assert.deepEqual(again.pending, []);
  assert.deepEqual(again.messages.map((m) => m.content), ['a', 'b', 'c']);
  assert.deepEqual(store.items, []);
});

test('A message whose acknowledgement was lost with the page is not doubled', async () => {
  const store = new MemoryStore();
  const before = await start(store);
  (await before.join(0)).send('a').catch(() => {});
  await settle();
  before.client.close();

  const kit = await start(store);
  kit.socket.say(joined(1, { ref: kit.socket.last('join').ref }));
  kit.history.log('room:lobby').items = [message(1, 'alice', { content: 'a' })];
  const room = kit.client.conversations.get('room:lobby');
  await room.older();
  kit.socket.say(ack(kit.socket.last('room'), 1, { duplicate: true }));
  await settle();
  assert.deepEqual(room.pending, []);
  assert.deepEqual(room.messages.map((m) => m.content), ['a']);
  assert.deepEqual(store.items, []);
});

test('Edits, deletes and reactions are kept too, and are no pending messages', async () => {
  const store = new MemoryStore();
  const before = await start(store);
  const bob = before.client.direct('bob');
  before.socket.end(1006);
  bob.edit(3, 'x').catch(() => {});
  bob.react(4, '👍').catch(() => {});
  await settle();
  before.client.close();
  const { client, socket } = await start(store);
  assert.deepEqual(socket.of('edit').map((f) => [f.target, f.content]), [[3, 'x']]);
  assert.deepEqual(client.conversations.get('to:bob').pending, []);
  assert.equal(client.unacknowledged, 2);
});

test('What is written while the store is still being read comes after what it holds, and is kept', async () => {
  const store = new MemoryStore();
  const before = setup({ store, user: 'alice' });
  before.client.connect().catch(() => {});
  await settle();
  before.client.direct('bob').send('old').catch(() => {});
  await settle();
  before.client.close();
  const kit = setup({ store, user: 'alice' });
  kit.client.connect().catch(() => {});
  kit.client.direct('bob').send('new').catch(() => {});
  await kit.accept();
  await settle();
  assert.deepEqual(store.contents, ['old', 'new']);
  kit.socket.say(ack(kit.socket.last('dm'), 1));
  await settle();
  assert.deepEqual(kit.socket.of('dm').map((f) => f.content), ['old', 'new']);
});

test('A store that does not answer holds nothing up for long', async () => {
  const store = new MemoryStore();
  store.load = () => new Promise(() => {});
  const kit = await start(store);
  kit.client.direct('bob').send('new').catch(() => {});
  await kit.clock.advance(4000);
  assert.equal(kit.socket.of('dm').length, 0);
  await kit.clock.advance(1001);
  assert.equal(kit.socket.of('dm').length, 1);
});

test('Another user of the same browser sends nothing of this one', async () => {
  const store = await leftBehind('mine');
  const kit = setup({ store, user: 'carol' });
  await kit.connect({ user: 'carol' });
  assert.equal(kit.client.unacknowledged, 0);
  assert.deepEqual(store.contents, ['mine']);
});

test('A user known from the first connection only gets theirs too', async () => {
  const store = await leftBehind('mine');
  const kit = setup({ store });
  await kit.connect();
  await settle();
  assert.deepEqual(kit.socket.of('dm').map((f) => f.content), ['mine']);
});

test('A message refused for good, and those of a room that was left, are forgotten', async () => {
  const store = new MemoryStore();
  const kit = await start(store);
  const room = await kit.join(0);
  const refused = room.send('a');
  await settle();
  kit.socket.say({ type: 'error', code: 'forbidden', message: 'no', nonce: kit.socket.last('room').nonce });
  await assert.rejects(refused, { code: 'forbidden' });
  room.send('b').catch(() => {});
  await settle();
  kit.client.leave('lobby');
  await settle();
  assert.deepEqual(store.items, []);
});

test('A message kept for more than a day fails instead of becoming a second one', async () => {
  const store = await leftBehind('old');
  store.items[0].created -= 24 * 3600_000;
  const { client, socket } = await start(store);
  assert.equal(socket.of('dm').length, 0);
  assert.deepEqual(client.conversations.get('to:bob').pending.map((p) => [p.state, p.error.code]), [['failed', 'expired']]);
  await settle();
  assert.deepEqual(store.items, []);
});

test('A browser that forbids storage sends all the same, and the application hears of it', async () => {
  const store = new MemoryStore();
  store.broken = true;
  const kit = await start(store);
  const sending = kit.client.direct('bob').send('a');
  await settle();
  kit.socket.say(ack(kit.socket.last('dm'), 1));
  assert.equal((await sending).seq, 1);
  await settle();
  assert.ok(kit.faults.some((f) => f.code === 'store'));
});
