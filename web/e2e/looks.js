import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Person } from './person.js';
import { unique } from './system.js';

/** @param {{system: import('./system.js').System, browser: import('playwright-core').Browser, screenshots: string}} stage */
export function looks(stage) {
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
