// What docs/embed.md has for a product's page, in a page of another origin. Tests/Documents/EmbedPageTests.cs runs the rest of its code.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { unique } from './system.js';

const guide = readFileSync(new URL('../../docs/embed.md', import.meta.url), 'utf8');
const [, code] = /\n## Your page on its own origin\n[\s\S]*?```js\n([\s\S]*?)```/.exec(guide);

/** @param {{system: import('./system.js').System, browser: import('playwright-core').Browser, listed: {url: string}}} stage */
export function guidePage(stage) {
  /** The page, whose own server answers the question for a token like this. */
  async function open(t, answer) {
    const context = await stage.browser.newContext();
    t.after(() => context.close());
    const page = await context.newPage();
    await page.route('**/chat/token', (route) => route.fulfill(answer));
    await page.goto(stage.listed.url);
    return {
      page,
      run: (more = '') => page.evaluate(`(async () => {
        globalThis.draw = (messages, pending) => { globalThis.drawn = [...messages, ...pending].map(({ content }) => content); };
        ${code.replaceAll('https://chat.example.org', stage.system.url)}
        ${more}
      })()`),
    };
  }

  test('the guide’s code for a page joins a room and draws what is said there', async (t) => {
    const { page, run } = await open(t, { body: await stage.system.token(unique('ada')) });
    await run("await room.send('from the page');");
    await page.waitForFunction(() => globalThis.drawn?.includes('from the page'));
  });

  test('the guide’s page whose user is signed out is told so, and asks no more', async (t) => {
    const { run } = await open(t, { status: 401 });
    await assert.rejects(run(), /Signed out/);
  });
}
