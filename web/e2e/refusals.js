// When the system will not have a client, connect() says why within seconds, and nothing is tried any more. In Node, where applications
// meet it.
// Tests/Acceptance/NoConnectionTests.cs is the same for the C# library.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import WebSocket from 'ws';
import { ChatClient } from '../aspirechat.js';
import { systemClock } from '../lib/util.js';
import { unique } from './system.js';

const WITHIN_MS = 10_000;

/** @param {{system: import('./system.js').System}} stage */
export function refusals(stage) {
  /** A client, and what it has tried and still means to try. */
  function watched(t, options) {
    const seen = { tokens: 0, sockets: 0, timers: new Set() };
    class Counted extends WebSocket {
      constructor(...address) { super(...address); seen.sockets++; }
    }
    const clock = {
      ...systemClock,
      set(run, ms) {
        const timer = systemClock.set(() => { seen.timers.delete(timer); run(); }, ms);
        seen.timers.add(timer);
        return timer;
      },
      clear(timer) { seen.timers.delete(timer); systemClock.clear(timer); },
    };
    const { getToken } = options;
    const counted = () => { seen.tokens++; return getToken(); };
    const client = new ChatClient({ url: stage.system.url, WebSocket: Counted, clock, ...options, getToken: counted });
    t.after(() => client.close());
    return { client, seen };
  }

  async function ends({ client, seen }, ending, expected) {
    const late = new Promise((_, reject) => {
      setTimeout(reject, WITHIN_MS, new Error(`It did not end within ${WITHIN_MS} ms.`)).unref();
    });
    await assert.rejects(Promise.race([ending, late]), (error) => {
      assert.equal(error.name, 'ChatError', error.stack);
      for (const [name, value] of Object.entries(expected)) assert.equal(error[name], value, name);
      return true;
    });
    assert.notEqual(client.status.state, 'reconnecting');
    assert.equal(seen.timers.size, 0, 'nothing is planned');
    const { tokens, sockets } = seen;
    await stage.system.token(unique('other'));
    assert.deepEqual([seen.tokens, seen.sockets], [tokens, sockets], 'nothing was under way');
    return { tokens, sockets };
  }

  test('Node: a malformed token ends it', async (t) => {
    const kit = watched(t, { getToken: async () => 'two words' });
    assert.deepEqual(await ends(kit, kit.client.connect(), { code: 'token' }), { tokens: 1, sockets: 0 });
  });

  test('Node: a token that the system refuses ends it after a second one', async (t) => {
    const claims = { iss: 'aspirechat', aud: 'aspirechat', sub: 'mallory', exp: Math.floor(Date.now() / 1000) + 600 };
    const text = [{ alg: 'HS256', typ: 'JWT' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const forged = `${text}.${createHmac('sha256', 'another key than that of the system').update(text).digest('base64url')}`;
    const kit = watched(t, { getToken: async () => forged });
    await ends(kit, kit.client.connect(), { code: 'token', status: 401 });
  });

  test('Node: a user whom an operator disconnects stays away', async (t) => {
    const user = unique('alice');
    const kit = watched(t, { getToken: () => stage.system.token(user) });
    await kit.client.connect();
    const ending = new Promise((_, reject) => { kit.client.once('fault', reject); });
    await Promise.all([ends(kit, ending, { code: 'closed', closeCode: 4003 }), stage.system.disconnect(user)]);
    assert.equal(kit.client.status.error.closeCode, 4003);
  });

  test('Node: a runtime without WebSocket is told', async (t) => {
    // Before Node 22 that is what is there without the option.
    const kit = watched(t, { getToken: () => stage.system.token('alice'), WebSocket: globalThis.WebSocket ? null : undefined });
    assert.deepEqual(await ends(kit, kit.client.connect(), { code: 'bad_option', field: 'WebSocket' }), { tokens: 0, sockets: 0 });
  });

  test('Node: an option that cannot work is named', async (t) => {
    const kit = watched(t, { getToken: () => stage.system.token('alice'), url: 'ftp://chat' });
    assert.deepEqual(await ends(kit, kit.client.connect(), { code: 'bad_option', field: 'url' }), { tokens: 0, sockets: 0 });
  });
}
