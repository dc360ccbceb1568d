// The React package in a page of another origin, against the real system: React's strict mode, which mounts everything twice.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bundle } from '../build.mjs';
import { eventually, unique } from './system.js';

const WEB = fileURLToPath(new URL('..', import.meta.url));

/** The page's script: a chat window, and what the tests do with it. */
const PAGE = `
  import { StrictMode, createElement as h, memo, useState } from 'react';
  import { createRoot } from 'react-dom/client';
  import { ChatClient } from 'aspirechat';
  import { ChatProvider, useChat, useConversation, usePresence, useTyping } from 'aspirechat-react';

  const { gateway, user, other, room } = globalThis.settings;
  const client = globalThis.client = new ChatClient({
    url: gateway, user, store: null, getToken: async ({ signal }) => (await fetch(gateway + '/dev/token?user=' + user, { signal })).json(),
  });
  const drawn = globalThis.drawn = {};
  const Row = memo(({ message: { seq, from, content, deleted } }) => {
    drawn[seq] = (drawn[seq] ?? 0) + 1;
    return h('li', {}, deleted ? 'deleted' : from + ': ' + content);
  });
  function Room({ leaveOnUnmount }) {
    const view = globalThis.view = useConversation({ room, leaveOnUnmount });
    const { typingUsers, typing } = useTyping({ room });
    const online = usePresence([other]);
    globalThis.typing = typing;
    return h('main', {},
      h('ul', { id: 'messages' }, view.messages.map((message) => h(Row, { key: message.seq, message }))),
      h('p', { id: 'state' }, view.error?.code ?? view.leftReason ?? (view.ready ? 'ready' : 'waiting')),
      h('p', { id: 'typing' }, typingUsers.join()), h('p', { id: 'online' }, String(online[other])), h('p', { id: 'unread' }, view.unread));
  }
  function App() {
    const { status, user, conversations } = useChat();
    const [shown, show] = useState('stay');
    globalThis.show = show;
    return h('div', {}, h('p', { id: 'status' }, status.state + ' ' + user + ' ' + conversations.length),
      shown && h(Room, { leaveOnUnmount: shown === 'leave' }));
  }
  const root = createRoot(document.body.appendChild(document.createElement('div')));
  root.render(h(StrictMode, {}, h(ChatProvider, { client }, h(App))));
`;

/** @param {{system: import('./system.js').System, browser: import('playwright-core').Browser, listed: {url: string}}} stage */
export function react(stage) {
  async function open(t, settings) {
    const [{ text }] = await bundle(undefined, {
      entryPoints: undefined, stdin: { contents: PAGE, resolveDir: WEB }, minify: false, format: 'iife', platform: 'browser',
      nodePaths: [`${WEB}/e2e/node_modules`], define: { 'process.env.NODE_ENV': '"development"' },
      alias: { 'aspirechat-react': `${WEB}/react/index.js`, aspirechat: `${WEB}/aspirechat.js` },
    });
    const context = await stage.browser.newContext();
    t.after(() => context.close());
    const page = await context.newPage();
    const troubles = [];
    page.on('pageerror', (error) => troubles.push(error.message));
    page.on('console', (message) => { if (message.type() === 'error' && !/404/.test(message.text())) troubles.push(message.text()); });
    await page.goto(stage.listed.url);
    await page.evaluate((settings) => { globalThis.settings = settings; }, { gateway: stage.system.url, ...settings });
    await page.addScriptTag({ content: text });
    const says = (id, what) => eventually(`#${id} says ${what}`, async () => (await page.locator(`#${id}`).textContent()) === what, 20_000);
    return { page, troubles, says };
  }

  test('React hooks show a room as it is, in strict mode: messages, edits, typing, presence, unread', async (t) => {
    const [user, other, room] = [unique('ann'), unique('ben'), unique('react')];
    const { page, troubles, says } = await open(t, { user, other, room });
    await says('status', `connected ${user} 1`);
    await says('state', 'ready');
    await page.evaluate(async ({ other, room }) => {
      const { ChatClient } = await import(`${settings.gateway}/aspirechat.js`);
      const two = globalThis.two = new ChatClient({
        url: settings.gateway, user: other, store: null, getToken: async () => (await fetch(`${settings.gateway}/dev/token?user=${other}`)).json(),
      });
      await two.connect();
      globalThis.theirs = await two.join(room);
      await theirs.send('first');
      await view.conversation.send('second');
    }, { other, room });
    await eventually('both messages are drawn', async () => (await page.locator('#messages li').allTextContents()).join() === `${other}: first,${user}: second`);
    await says('unread', '1');
    await says('online', 'true');
    const before = await page.evaluate(() => ({ ...drawn }));
    await page.evaluate(async () => { await theirs.edit(1, 'first, changed'); });
    await eventually('the edit is drawn', async () => (await page.locator('#messages li').first().textContent()) === `${other}: first, changed`);
    const after = await page.evaluate(() => ({ ...drawn }));
    assert.ok(after[1] > before[1] && after[2] === before[2], 'only the row that changed is drawn again');
    await page.evaluate(() => theirs.typing());
    await says('typing', other);
    await page.evaluate(() => { theirs.stopTyping(); });
    await says('typing', '');
    await page.evaluate(() => view.conversation.markRead());
    await says('unread', '0');
    assert.deepEqual(troubles, []);
  });

  test('A component that leaves on unmount is joined after the double mount of strict mode, and has left when it goes', async (t) => {
    const [user, other, room] = [unique('cyd'), unique('dan'), unique('react')];
    const { page, troubles, says } = await open(t, { user, other, room });
    await says('state', 'ready');
    const isMember = async () => (await stage.system.call(user, '/api/conversations')).items.some((item) => item.room === room);
    await page.evaluate(() => show(null));
    await says('status', `connected ${user} 1`);
    assert.equal(await isMember(), true, 'to unmount ends no membership');
    await page.evaluate(() => show('leave'));
    await says('state', 'ready');
    await page.evaluate(() => view.conversation.send('alive'));
    await eventually('it is drawn', async () => (await page.locator('#messages li').allTextContents()).includes(`${user}: alive`));
    await page.evaluate(() => show(null));
    await says('status', `connected ${user} 0`);
    await eventually('the membership has ended', async () => !(await isMember()));
    assert.deepEqual(troubles, []);
  });
}
