// A user with a page of their own, and what they can see and do there.
import { eventually, unique } from './system.js';

/** Opens pages for users of their own, which are closed with the test. @param {{system: import('./system.js').System, browser: import('playwright-core').Browser}} stage */
export const opener = (stage) => async (t, name, options) => {
  const person = await Person.open(stage.browser, stage.system.url, unique(name), options);
  t.after(() => person.close());
  return person;
};

export class Person {
  /** What the page should never do: errors, violations of the content policy, dialogs nobody asked for. */
  troubles = [];

  constructor(name, context, page) {
    Object.assign(this, { name, context, page });
    page.setDefaultTimeout(60_000);
    page.on('pageerror', (error) => this.troubles.push(`error: ${error.stack ?? error.message}`));
    page.on('console', (message) => { if (/Content Security Policy/i.test(message.text())) this.troubles.push(message.text()); });
  }

  /** @param {import('playwright-core').Browser} browser */
  static async open(browser, url, name, { room = 'lobby', viewport = { width: 1280, height: 800 }, scheme = 'light', touch = false, stored = {}, before = null } = {}) {
    const options = { viewport, colorScheme: scheme, reducedMotion: 'reduce', locale: 'en-GB', timezoneId: 'UTC', serviceWorkers: 'block', hasTouch: touch, isMobile: touch };
    const context = await browser.newContext(options);
    await context.addInitScript(({ user, items }) => {
      sessionStorage.setItem('aspirechat.user', user);
      for (const [key, value] of Object.entries(items)) if (localStorage.getItem(key) === null) localStorage.setItem(key, value);
    }, { user: name, items: stored });
    if (before) await context.addInitScript(before);
    const person = new Person(name, context, await context.newPage());
    await person.page.goto(`${url}/#room/${room}`);
    await person.connected();
    return person;
  }

  get box() { return this.page.getByRole('textbox', { name: /^Message / }); }
  get messages() { return this.page.locator('li.message[data-seq]'); }
  get bubbles() { return this.page.locator('li.message .bubble'); }
  get banner() { return this.page.locator('chat-banner'); }
  /** That the page says its connection is away. Ask before you take it away: it may be back soon. */
  lost() { return this.banner.filter({ hasText: /Connection lost|Reconnecting/ }).waitFor(); }
  get typing() { return this.page.locator('.typing'); }
  bubble(text) { return this.page.locator('li.message', { has: this.page.locator('.bubble').getByText(text, { exact: true }) }); }
  button(name) { return this.page.getByRole('button', { name, exact: true }); }

  /** The conversation that is shown is subscribed. */
  async connected() {
    await this.page.locator('.connection.connected').waitFor({ state: 'attached' });
    const subtitle = this.page.locator('chat-conversation .titles p', { hasText: /online|Online|Offline|Direct|Notes/ });
    await subtitle.waitFor({ state: 'attached' });
  }

  async say(text) {
    await this.box.fill(text);
    await this.box.press('Enter');
  }

  /** Everything this page sent is in the log, and shown from there. */
  async acknowledged() {
    await eventually(`all of ${this.name}'s messages are acknowledged`, async () => (
      (await this.page.locator('.pending').count()) === 0 && (await this.diagnostics()).Unacknowledged === '0'));
  }

  async sees(text) { await this.bubble(text).first().waitFor(); }

  /** The texts of the messages that are elements now, in the order shown. */
  async texts() { return this.bubbles.evaluateAll((all) => all.map((e) => e.textContent)); }

  /** Sends many messages to a room over a socket of its own, a hundred at a time. */
  async flood(room, texts) {
    await this.page.evaluate(async ({ room, texts }) => {
      const { token } = await (await fetch(`/dev/token?user=${sessionStorage.getItem('aspirechat.user')}`)).json();
      const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/ws`, ['aspirechat.v1', `bearer.${token}`]);
      const flood = Math.random().toString(36).slice(2);
      const send = (frame) => socket.send(JSON.stringify({ room, ...frame }));
      let [sent, acked] = [0, 0];
      await new Promise((resolve, reject) => {
        socket.onclose = () => reject(new Error('The socket was closed.'));
        socket.onmessage = ({ data }) => {
          const { type, code } = JSON.parse(data);
          if (code) reject(new Error(code));
          if (type === 'welcome') send({ type: 'join' });
          if (type === 'ack') acked++;
          if (type === 'ack' || type === 'joined') {
            for (; sent < texts.length && sent < acked + 100; sent++) send({ type: 'room', nonce: `${flood}-${sent}`, content: texts[sent] });
          }
          if (acked === texts.length) resolve();
        };
      });
      socket.close();
    }, { room, texts });
  }

  /**
   * Scrolls up by so many pixels, and tells by how many the rows moved that were elements before and after, by how many they had to, and
   * which rows are elements now. Loading, drawing and measuring above must not show.
   */
  scrollUp(pixels) {
    return this.page.evaluate(async (by) => {
      const scroller = document.querySelector('.scroller');
      const all = () => [...document.querySelectorAll('li.message[data-seq]')];
      const tops = () => new Map(all().map((li) => [li.dataset.seq, li.getBoundingClientRect().top]));
      const before = tops();
      const expected = Math.min(by, scroller.scrollTop);
      scroller.scrollBy(0, -by);
      for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
      const moved = [...tops()].filter(([seq]) => before.has(seq)).map(([seq, top]) => Math.round(top - before.get(seq)));
      const rows = all().map((li) => [Number(li.dataset.seq), li.querySelector('.bubble').textContent]);
      return { moved: [...new Set(moved)], expected, rows };
    }, pixels);
  }

  /** What the diagnostics drawer says. */
  async diagnostics() {
    const drawer = this.page.locator('chat-diagnostics details');
    if ((await drawer.getAttribute('open')) === null) await drawer.locator('summary').click();
    return drawer.locator('dl').evaluate((dl) => Object.fromEntries([...dl.children].reduce((pairs, e) => (
      e.tagName === 'DT' ? [...pairs, [e.textContent]] : [...pairs.slice(0, -1), [...pairs.at(-1), e.textContent]]), [])));
  }

  async node() { return eventually('the page says its node', async () => (await this.diagnostics()).Node); }

  /** Loses the connection until the gateway gives another node than this one. */
  async leaveNode(node) {
    await eventually(`${this.name} is on another node than ${node}`, async () => {
      if ((await this.node()) !== node) return true;
      // The gateway prefers the node with fewer sockets: one more where we are makes the other one the better choice.
      await this.page.evaluate(async (user) => {
        const { token } = await (await fetch(`/dev/token?user=${user}`)).json();
        await new Promise((resolve) => {
          const ballast = new WebSocket(`${location.origin.replace('http', 'ws')}/ws`, ['aspirechat.v1', `bearer.${token}`]);
          ballast.onmessage = ballast.onclose = resolve;
          (globalThis.ballast ??= []).push(ballast);
        });
      }, `ballast-${this.name}`);
      const { Connection: before } = await this.diagnostics();
      await this.button('Drop my connection').click();
      await eventually('it connects again', async () => (await this.diagnostics()).Connection !== before);
      return false;
    });
    await this.connected();
  }

  async close() { await this.context.close(); }
}
