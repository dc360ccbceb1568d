// A server that keeps the protocol's promises over a network that keeps none: sockets die at any moment, answers are lost, live events are
// skipped and repeated, history fails. Whatever the seed, nothing may be lost, doubled or out of order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeSocket, ack, joined, message, setup, welcome } from './harness.js';

/** How many seeds, in parts of at most 50: FAULT_SEEDS=500 node --test web/tests/faults.test.js */
const SEEDS = Number(process.env.FAULT_SEEDS ?? 150);
const PART = 50;

function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

class FaultServer {
  faulty = true;
  cursor = 0;
  #nonces = new Map();
  #subscribed = new Set();

  constructor(kit, random) {
    Object.assign(this, { kit, random, log: kit.history.log('room:lobby') });
    kit.history.fault = () => (this.happens(0.3) ? 503 : null);
    this.log.items.push(message(1));
  }

  happens(chance) { return this.faulty && this.random() < chance; }

  /** Takes what the client sent, answers, and lets the network be the network. */
  step() {
    for (const socket of FakeSocket.all) {
      if (socket.readyState === 0) this.#open(socket);
      for (const frame of socket.sent.splice(0)) if (socket.readyState === 1) this.#answer(socket, frame);
      if (socket.readyState === 1 && this.happens(0.04)) this.#end(socket, [1006, 1012, 4002, 4008][Math.floor(this.random() * 4)]);
    }
  }

  append(from, content, nonce) {
    const event = message(this.log.items.length + 1, from, { content });
    this.log.items.push(event);
    for (const socket of this.#subscribed) {
      if (this.happens(0.1)) continue;
      socket.say(from === 'alice' ? { ...event, nonce } : event);
      if (this.happens(0.1)) socket.say(event);
    }
    return event.seq;
  }

  #open(socket) {
    if (this.happens(0.2)) return this.#end(socket, 1006);
    socket.readyState = 1;
    socket.say(welcome(this.kit.clock));
  }

  #end(socket, code) {
    this.#subscribed.delete(socket);
    socket.end(code);
  }

  #answer(socket, frame) {
    if (frame.type === 'join') return this.#join(socket, frame);
    if (frame.type === 'read') return this.#read(socket, frame);
    if (frame.type !== 'room') return;
    const refuse = (code, retryAfter) => socket.say({ type: 'error', code, message: code, nonce: frame.nonce, ...(retryAfter ? { retryAfter } : {}) });
    if (!this.#subscribed.has(socket)) return refuse('not_joined');
    if (this.happens(0.15)) return refuse('unavailable', 300);
    if (this.happens(0.1)) return refuse('rate_limited', 200);
    if (this.happens(0.05)) return this.#end(socket, 1006);
    const known = this.#nonces.get(frame.nonce);
    const seq = known ?? this.append('alice', frame.content, frame.nonce);
    this.#nonces.set(frame.nonce, seq);
    if (this.happens(0.15)) return this.#end(socket, 1006);
    if (!this.happens(0.05)) socket.say(ack(frame, seq, known ? { duplicate: true } : {}));
  }

  #read(socket, { seq }) {
    if (this.happens(0.1)) return;
    this.cursor = Math.max(this.cursor, seq);
    this.kit.history.overview = [{ room: 'lobby', head: this.log.items.length, read: this.cursor, unread: 0, mentions: 0, last: null }];
    if (!this.happens(0.2)) socket.say({ type: 'read', room: 'lobby', from: 'alice', seq: this.cursor });
  }

  #join(socket, { since, ref }) {
    if (this.happens(0.1)) return socket.say({ type: 'error', code: 'unavailable', message: 'later', ref, retryAfter: 200 });
    const head = this.log.items.length;
    socket.say(joined(head, { ref, read: this.cursor }));
    this.#subscribed.add(socket);
    if (since === undefined) return;
    const missed = this.log.items.slice(since);
    const replay = this.happens(0.3) ? missed.slice(0, Math.floor(this.random() * missed.length)) : missed;
    for (const event of replay) socket.say(event);
    socket.say({ type: 'resumed', room: 'lobby', seq: replay.at(-1)?.seq ?? since, head, complete: replay.length === missed.length, epoch: 'e1', ref });
  }
}

for (let from = 0; from < SEEDS; from += PART) {
  const to = Math.min(from + PART, SEEDS);
  test(`Nothing is lost, doubled or out of order, whatever fails (seeds ${from} to ${to - 1})`, async () => {
    for (let seed = from; seed < to; seed++) await run(seed);
  });
}

async function run(seed) {
  const random = generator(seed);
  // Half of the systems offer tickets.
  const kit = setup({ tickets: true });
  if (seed % 2) kit.history.ticket = { url: 'wss://node.test/ws', ticket: 't' };
  kit.clock.random = random;
  const server = new FaultServer(kit, random);
  kit.client.connect().catch(() => {});
  kit.client.join('lobby').catch((error) => assert.fail(`seed ${seed}: join: ${error.message}`));
  const room = kit.client.conversations.get('room:lobby');
  const seen = [];
  room.on('event', (event) => seen.push(event.seq));
  room.on('lost', (range) => assert.fail(`seed ${seed}: lost ${range.from}-${range.to}`));
  const sends = [];
  const reads = [];
  const work = async (steps, act) => {
    for (let i = 0; i < steps; i++) {
      act?.();
      server.step();
      await kit.clock.advance(50);
    }
  };
  await work(100, () => {
    if (random() < 0.3) server.append('bob', 'x');
    if (random() < 0.2) sends.push(room.send(`own ${sends.length}`));
    if (random() < 0.1) reads.push(room.markRead());
  });
  server.faulty = false;
  await work(1500);
  const context = `seed ${seed}`;
  const hung = setTimeout(() => assert.fail(`${context}: a promise is open for ever`), 10_000);
  const receipts = await Promise.all(sends);
  await Promise.all(reads);
  clearTimeout(hung);
  assert.deepEqual(server.log.items.filter((e) => e.from === 'alice').map((e) => e.content), sends.map((_, i) => `own ${i}`), `${context}: sent once, in order`);
  assert.deepEqual(receipts.map((r) => r.seq), server.log.items.filter((e) => e.from === 'alice').map((e) => e.seq), `${context}: receipts`);
  const head = server.log.items.length;
  assert.equal(seen.at(-1) ?? head, head, `${context}: the last event`);
  assert.deepEqual(seen, Array.from({ length: seen.length }, (_, i) => head - seen.length + 1 + i), `${context}: in order, without gaps`);
  assert.deepEqual(room.messages.map((m) => m.seq), seen, `${context}: the timeline`);
  assert.deepEqual(room.pending, [], `${context}: pending`);
  kit.client.close();
}
