import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Person } from './person.js';
import { unique } from './system.js';

const KB = 1000;
/** A guard against growth; the goal of 100 KB is not reached (docs/client.md). */
const WEIGHT_KB = 200;

/** @param {{system: import('./system.js').System, browser: import('playwright-core').Browser, screenshots: string}} stage */
export function looks(stage) {
  test(`The whole page weighs less than ${WEIGHT_KB} KB, and shows its first message soon`, async (t) => {
    const writer = await Person.open(stage.browser, stage.system.url, unique('writer'));
    await writer.say('waiting for you');
    await writer.acknowledged();
    await writer.close();
    const context = await stage.browser.newContext();
    t.after(() => context.close());
    await context.addInitScript((user) => {
      sessionStorage.setItem('aspirechat.user', user);
      new MutationObserver((_, observer) => {
        if (!document.querySelector('li.message')) return;
        globalThis.firstMessage = performance.now();
        observer.disconnect();
      }).observe(document, { childList: true, subtree: true });
    }, unique('alice'));
    const page = await context.newPage();
    const loaded = [];
    page.on('response', (response) => { if (!/\/(api|dev)\//.test(response.url())) loaded.push(response); });
    await page.goto(stage.system.url);
    await page.locator('li.message').first().waitFor();
    const sizes = await Promise.all(loaded.map(async (response) => (await response.body()).length));
    const weight = sizes.reduce((sum, size) => sum + size, 0);
    const first = Math.round(await page.evaluate(() => globalThis.firstMessage));
    t.diagnostic(`weight: ${(weight / KB).toFixed(1)} KB in ${sizes.length} files; first message after ${first} ms`);
    assert.ok(weight < WEIGHT_KB * KB, `${weight} bytes`);
  });

  test('Screenshots at 360, 768 and 1440 px, light and dark', async (t) => {
    const room = unique('design');
    const [alice, bob] = ['Alice.Liddell', 'bob'];
    const writer = await Person.open(stage.browser, stage.system.url, unique(bob), { room });
    t.after(() => writer.close());
    const other = await Person.open(stage.browser, stage.system.url, unique(alice), { room });
    t.after(() => other.close());
    const talk = [
      [writer, 'Morning! The deploy went through at 07:40.'],
      [writer, 'Numbers are on https://status.example.org/deploys/118 if you want to look.'],
      [other, 'Nice. Did the drain behave?'],
      [writer, 'It did:\n```\nnode-1  drained   412 sockets  9.8 s\nnode-2  drained   398 sockets  9.6 s\n```\nNobody lost a message.'],
      [other, '🎉'],
      [other, 'I will set `Sockets:DrainTime` to 12 s then, so that the slowest clients on a train get their reconnect in time.'],
    ];
    for (const [person, text] of talk) {
      await person.say(text);
      await person.acknowledged();
    }
    await writer.page.locator('li.message').last().hover();
    await writer.page.locator('li.message').last().getByRole('button', { name: 'React with ❤️' }).click();
    await writer.page.locator('.reaction').waitFor();
    for (const scheme of ['light', 'dark']) {
      for (const width of [360, 768, 1440]) {
        const person = await Person.open(stage.browser, stage.system.url, other.name, { room, scheme, viewport: { width, height: 800 } });
        await person.page.locator('.reaction').waitFor();
        const hidden = await person.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.equal(hidden, 0, `${width} px: nothing is cut off`);
        await person.page.screenshot({ path: `${stage.screenshots}${width}-${scheme}.png` });
        await person.close();
      }
    }
    const list = await Person.open(stage.browser, stage.system.url, other.name, { room, viewport: { width: 360, height: 800 } });
    t.after(() => list.close());
    await list.page.goto(`${stage.system.url}/#`);
    await list.page.locator('chat-sidebar').waitFor();
    await list.page.screenshot({ path: `${stage.screenshots}360-list.png` });
  });
}
