// The samples: a shop on an origin of its own, which signs its users in, mints their tokens and hears of messages; and its like on Node.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually, freeAddress, unique } from './system.js';

const ROOT = new URL('../../', import.meta.url);
const FOLDER = fileURLToPath(new URL('samples/Shop/', ROOT));
const PROGRAM = fileURLToPath(new URL('artifacts/bin/Shop/debug/AspireChat.Shop.dll', ROOT));
const NODE_SAMPLE = fileURLToPath(new URL('samples/node/shop.mjs', ROOT));

/** The shop as its README starts it, on a free port. */
export class Shop {
  #process;
  #settings;
  url = '';

  /** Before the system, which is told where the shop will be. */
  static async plan() {
    const shop = new Shop();
    shop.url = await freeAddress();
    return shop;
  }

  /** What samples/Shop/development.env says, with the port of this run. */
  get settings() {
    if (this.#settings) return this.#settings;
    const read = execFileSync('bash', ['-c', 'set -a; . ./development.env; env -0'], { cwd: FOLDER, env: { PATH: process.env.PATH }, encoding: 'utf8' });
    const variables = read.split('\0').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
    this.#settings = Object.fromEntries(
      variables.filter(([name]) => name.includes('__')).map(([name, value]) => [name, value.replace('http://localhost:5080', this.url)]));
    return this.#settings;
  }

  async open(gateway) {
    if (!existsSync(PROGRAM)) throw new Error('The shop is not built: dotnet build samples/Shop');
    this.#process = spawn('dotnet', ['exec', PROGRAM, '--urls', this.url], {
      cwd: FOLDER, env: { ...process.env, ...this.settings, Chat__Gateway: gateway }, stdio: ['ignore', 'ignore', 'inherit'],
    });
    process.once('exit', () => this.close());
    await eventually('the shop answers', () => fetch(`${this.url}/items`).then((answer) => answer.ok, () => false));
  }

  close() { this.#process?.kill('SIGKILL'); }

  /** Tells the shop of an event, as the system does, under an id of its own. @returns {Promise<number>} */
  async tell(data, { id, secret = this.settings.Webhooks__0__Secret } = {}) {
    const body = JSON.stringify({ events: [{ type: 'message.created', timestamp: data.timestamp, data }] });
    const time = Math.floor(Date.now() / 1000);
    const signature = createHmac('sha256', Buffer.from(secret.slice('whsec_'.length), 'base64')).update(`${id}.${time}.${body}`).digest('base64');
    const headers = { 'Content-Type': 'application/json', 'webhook-id': id, 'webhook-timestamp': `${time}`, 'webhook-signature': `v1,${signature}` };
    return (await fetch(`${this.url}/chat/webhooks`, { method: 'POST', headers, body })).status;
  }
}

/** @param {{shop: Shop, system: import('./system.js').System, browser: import('playwright-core').Browser, screenshots: string}} stage */
export function shop(stage) {
  /** The shop's page, with its user signed in. */
  async function visit(t, name, options = {}) {
    const context = await stage.browser.newContext({ reducedMotion: 'reduce', locale: 'en-GB', timezoneId: 'UTC', ...options });
    t.after(() => context.close());
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    page.on('pageerror', (error) => { throw error; });
    await page.goto(stage.shop.url);
    if (!options.storageState) await page.getByRole('button', { name: `Sign in as ${name}` }).click();
    await page.getByText(name).waitFor();
    return page;
  }

  const said = (page, text) => page.getByRole('log').getByText(text).waitFor();
  const say = async (page, text) => {
    await page.getByRole('textbox', { name: 'Message' }).fill(text);
    await page.getByRole('button', { name: 'Send', exact: true }).click();
  };
  const serious = async (page, what) => {
    await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
    assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' | ').slice(0, 400)}`), [], what);
  };
  /** What a user of the shop may read, with the token that the shop gives them. */
  const history = (page, room) => page.evaluate(async ({ gateway, room }) => {
    const { token } = await (await fetch('/chat/token')).json();
    const answer = await fetch(`${gateway}/api/rooms/${room}/messages`, { headers: { Authorization: `Bearer ${token}` } });
    return answer.ok ? (await answer.json()).items : answer.status;
  }, { gateway: stage.system.url, room });

  test('a customer orders in the shop, and has the order’s private chat there with the clerk and a bot', async (t) => {
    const ada = await visit(t, 'Ada Lovelace');
    const placed = ada.waitForResponse((answer) => answer.url().endsWith('/orders') && answer.request().method() === 'POST');
    await ada.getByRole('button', { name: 'Order the Teapot' }).click();
    const room = `order-${(await (await placed).json()).id}`;
    await said(ada, /Thank you for your order/);
    await say(ada, 'What is its status?');
    await said(ada, /is being packed/);

    const clara = await visit(t, 'Clara from the shop');
    await clara.getByRole('button', { name: /^Chat about the Teapot/ }).first().click();
    await said(clara, 'What is its status?');
    await say(clara, 'I have wrapped it myself.');
    await said(ada, 'I have wrapped it myself.');
    await ada.getByRole('log').getByText('Clara from the shop').waitFor();
    await clara.getByRole('button', { name: /^Ship order/ }).first().click();
    await said(ada, 'Your teapot is on its way.');

    const ben = await visit(t, 'Ben Okri');
    await ben.getByText('None yet.').waitFor();
    assert.equal(await history(ben, room), 404, 'another customer does not learn that the room exists');

    const events = await history(ada, room);
    const question = events.find((event) => event.content === 'What is its status?');
    // Told again under the same id, and under another one: the answer follows from the question, so it is the same.
    for (const id of ['msg_again', 'msg_again', 'msg_other']) assert.equal(await stage.shop.tell(question, { id }), 204);
    assert.equal(await stage.shop.tell(question, { id: 'msg_forged', secret: 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }), 401);
    const after = await history(ada, room);
    assert.deepEqual(after.map((event) => event.id), events.map((event) => event.id));
    assert.deepEqual(after.filter((event) => /is being packed/.test(event.content)).map((event) => event.from), ['shop-bot']);

    const storageState = await ada.context().storageState();
    for (const colorScheme of ['light', 'dark']) {
      for (const width of [360, 1440]) {
        const page = await visit(t, 'Ada Lovelace', { storageState, colorScheme, viewport: { width, height: width < 500 ? 1250 : 800 } });
        await page.getByRole('button', { name: /^Chat about the Teapot/ }).first().click();
        await said(page, 'Your teapot is on its way.');
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, `${width} px: nothing is cut off`);
        await serious(page, `${width} px, ${colorScheme}`);
        await page.screenshot({ path: `${stage.screenshots}shop-${width}-${colorScheme}.png` });
      }
    }
  });

  test('the shop’s chat panel shows the order that was chosen last, and says what to do when one cannot be opened', async (t) => {
    const ada = await visit(t, 'Ada Lovelace');
    await Promise.all([ada.waitForEvent('websocket'), ada.reload()]);
    await ada.evaluate(() => document.querySelector('chat-panel').open('no id', 'None').catch(() => {}));
    await ada.getByRole('status').getByText('Choose an order to chat about it.').waitFor();
    const title = await ada.evaluate(async ([slow, fast]) => {
      const panel = document.querySelector('chat-panel');
      await panel.open(fast, 'Fast');
      // The second is joined already, so it is there before the first.
      await Promise.all([panel.open(slow, 'Slow'), panel.open(fast, 'Fast')]);
      return panel.querySelector('h2').textContent;
    }, [unique('slow'), unique('fast')]);
    assert.equal(title, 'Fast');
  });

  test('the sample on Node opens a private room, writes to it, and its token reads it', async () => {
    const env = { PATH: process.env.PATH, CHAT_GATEWAY: stage.system.url, CHAT_KEY: stage.shop.settings.Jwt__Key };
    const { room, seq, token } = JSON.parse(execFileSync(process.execPath, [NODE_SAMPLE, 'customer-eve', 'Thank you!'], { env, encoding: 'utf8' }));
    const read = async (bearer) => fetch(`${stage.system.url}/api/rooms/${room}/messages`, { headers: { Authorization: `Bearer ${bearer}` } });

    const { items } = await (await read(token)).json();
    assert.deepEqual(items.map((item) => [item.seq, item.from, item.content]), [[seq, 'shop-bot', 'Thank you!']]);
    assert.equal((await read(await stage.system.token('somebody-else'))).status, 404);
  });
}
