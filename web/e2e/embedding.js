// A product's own page, on an origin of its own, that embeds the client.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { unique } from './system.js';

/** A web server that serves an empty page. */
export class OtherOrigin {
  #server = createServer((request, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>A shop</title>'));
  url = '';

  static async open() {
    const other = new OtherOrigin();
    other.#server.listen(0, '127.0.0.1');
    await once(other.#server, 'listening');
    other.url = `http://127.0.0.1:${other.#server.address().port}`;
    return other;
  }

  close() { this.#server.close(); }
}

export function embedding(stage) {
  async function visit(t, origin) {
    const context = await stage.browser.newContext();
    t.after(() => context.close());
    const page = await context.newPage();
    await page.goto(origin.url);
    return page;
  }

  test('a page of a listed origin does everything: token, socket, history, conversations, presence, members, refusals', async (t) => {
    const page = await visit(t, stage.listed);
    const [user, other, room] = [`auth0|${unique('a')}`, `${unique('b')}+c@example.com`, unique('embedded')];
    const seen = await page.evaluate(async ({ gateway, user, other, room }) => {
      const { ChatClient } = await import(`${gateway}/aspirechat.js`);
      const token = async (body) => (await fetch(`${gateway}/dev/token`, {
        method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
      })).json();
      const start = async (user, name) => {
        const client = new ChatClient({ url: gateway, user, store: null, getToken: () => token({ user, name }) });
        await client.connect();
        return client;
      };
      const [one, two] = [await start(user, 'Alice Ä'), await start(other)];
      const [mine, theirs] = [await one.join(room), await two.join(room)];
      const heard = new Promise((resolve) => theirs.on('event', resolve));
      await mine.send('hello from elsewhere');
      const event = await heard;
      const told = new Promise((resolve) => two.on('conversation', resolve));
      await one.direct(other).send('psst');
      await told;
      const { token: bearer } = await token({ user });
      const call = async (path, options = {}, headers = { Authorization: `Bearer ${bearer}` }) => {
        const answer = await fetch(`${gateway}/api/${path}`, { ...options, headers: { ...headers, ...(options.body && { 'Content-Type': 'application/json' }) } });
        return { status: answer.status, body: await answer.json().catch(() => null) };
      };
      const history = await call(`rooms/${room}/messages`);
      // Presence is known a moment after the connect.
      const online = async (path, options, of) => {
        for (let tries = 0; tries < 100; tries++) {
          if (of((await call(path, options)).body)) return true;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        return false;
      };
      // The direct message is in its log; the list has it a moment later.
      await online('conversations', {}, (body) => body.items.length === 2);
      const result = {
        name: event.name,
        history: history.body.items.map((item) => item.content), profiles: history.body.profiles,
        direct: (await call(`dms/${encodeURIComponent(other)}/messages`)).body.items.map((item) => item.content),
        conversations: (await call('conversations')).body.items.map((item) => item.room ?? item.to).sort(),
        members: (await call(`rooms/${room}/members`)).body.items.map((item) => item.user).sort(),
        presence: await online('presence', { method: 'POST', body: JSON.stringify({ users: [other] }) }, (body) => body.items[0].online),
        own: await online(`users/${encodeURIComponent(user)}/presence`, {}, (body) => body.online),
        sent: (await call(`rooms/${room}/messages`, { method: 'POST', body: JSON.stringify({ content: 'by HTTP', nonce: 'n-1' }) })).status,
        // A page can read why it was refused.
        refused: (await call('conversations', {}, { Authorization: 'Bearer a.b.c' })).body.code,
        unknown: (await call('nothing')).status,
        forbidden: (await call(`admin/users/${encodeURIComponent(other)}`, { method: 'PUT', body: '{}' })).status,
      };
      one.close();
      two.close();
      return result;
    }, { gateway: stage.system.url, user, other, room });

    assert.deepEqual(seen, {
      name: 'Alice Ä', history: ['hello from elsewhere'], profiles: { [user]: { name: 'Alice Ä' } }, direct: ['psst'], conversations: [other, room].sort(),
      members: [user, other].sort(), presence: true, own: true, sent: 201, refused: 'token_invalid', unknown: 404, forbidden: 403,
    });
  });

  test('a worker chats as a page does', async (t) => {
    const page = await visit(t, stage.listed);
    const heard = await page.evaluate(({ gateway, user, room }) => new Promise((resolve, reject) => {
      const script = `
        import { ChatClient } from '${gateway}/aspirechat.js';
        const getToken = async () => (await fetch('${gateway}/dev/token?user=${user}')).json();
        const client = new ChatClient({ url: '${gateway}', store: null, getToken });
        await client.connect();
        const room = await client.join('${room}');
        room.once('event', ({ seq, content }) => postMessage([seq, content, client.user]));
        await room.send('from a worker');`;
      const worker = new Worker(URL.createObjectURL(new Blob([script], { type: 'text/javascript' })), { type: 'module' });
      worker.onmessage = ({ data }) => { worker.terminate(); resolve(data); };
      worker.onerror = ({ message }) => reject(new Error(message));
    }), { gateway: stage.system.url, user: unique('worker'), room: unique('worker') });
    assert.deepEqual(heard.slice(0, 2), [1, 'from a worker']);
  });

  test('a page of an unlisted origin reads nothing, imports nothing and opens no socket', async (t) => {
    const page = await visit(t, stage.unlisted);
    const seen = await page.evaluate(async ({ gateway, token }) => {
      const fails = (promise) => promise.then(() => false, () => true);
      const opens = (socket) => new Promise((resolve) => { socket.onopen = () => resolve(true); socket.onerror = () => resolve(false); });
      return {
        token: await fails(fetch(`${gateway}/dev/token?user=alice`)),
        call: await fails(fetch(`${gateway}/api/conversations`)),
        module: await fails(import(`${gateway}/aspirechat.js`)),
        socket: await opens(new WebSocket(`${gateway.replace('http', 'ws')}/ws?token=${token}`)),
      };
    }, { gateway: stage.system.url, token: (await (await fetch(`${stage.system.url}/dev/token?user=alice`)).json()).token });

    // The token is good: it is the page that is refused.
    assert.deepEqual(seen, { token: true, call: true, module: true, socket: false });
  });
}
