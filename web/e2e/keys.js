// By keyboard alone, and by touch: what a pointer does not need.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Person, opener } from './person.js';
import { eventually, unique } from './system.js';

const MANY = 20;

/** @param {{system: import('./system.js').System, browser: import('playwright-core').Browser}} stage */
export function keys(stage) {
  const open = opener(stage);
  const focused = (person) => person.page.evaluate(() => document.activeElement.ariaLabel ?? document.activeElement.textContent);

  test('The message toolbar and the emoji are one stop of the Tab key each, and the arrow keys move in them', async (t) => {
    const alice = await open(t, 'alice', { room: unique('keys') });
    await alice.say('hello');
    await alice.acknowledged();
    await alice.page.locator('.scroller').focus();
    const press = async (...all) => { for (const key of all) await alice.page.keyboard.press(key); };
    await press('ArrowUp', 'Tab');
    assert.equal(await focused(alice), 'React with 👍');
    await press('ArrowRight', 'ArrowRight', 'ArrowRight');
    assert.equal(await focused(alice), 'React with another emoji');
    await press('End');
    assert.equal(await focused(alice), 'Delete (Del)');
    await press('ArrowRight', 'ArrowLeft');
    assert.equal(await focused(alice), 'Edit (E)');
    await press('Home', 'ArrowLeft', 'End', 'ArrowLeft', 'ArrowLeft', 'ArrowLeft', 'Enter');
    await alice.page.locator('dialog[open]').waitFor();
    assert.equal(await focused(alice), '😀');
    await press('ArrowRight', 'ArrowDown', 'ArrowRight');
    assert.equal(await focused(alice), '🥳');
    await press('ArrowUp', 'Enter');
    await alice.page.locator('.reaction', { hasText: '😂 1' }).waitFor({ state: 'detached' });
    await alice.page.locator('.reaction', { hasText: '😊 1' }).waitFor();
    assert.deepEqual(alice.troubles, []);
  });

  test('Alt with an arrow key brings the chosen conversation into view, 2 stands before 10, and a wrong address says so', async (t) => {
    const name = unique('alice');
    const alice = await Person.open(stage.browser, stage.system.url, name, {
      viewport: { width: 1280, height: 400 },
      stored: { [`aspirechat.open.${name}`]: JSON.stringify(Array.from({ length: MANY }, (_, i) => `to:team-${i + 1}`)) },
    });
    t.after(() => alice.close());
    const names = await alice.page.locator('section[aria-label="Direct messages"] .name').allTextContents();
    assert.deepEqual(names, Array.from({ length: MANY }, (_, i) => `team-${i + 1}`));
    for (let i = 0; i < MANY; i++) await alice.page.keyboard.press('Alt+ArrowDown');
    await alice.page.getByRole('heading', { name: `team-${MANY}`, exact: true }).waitFor();
    await eventually('the chosen one is in view', () => alice.page.evaluate(() => {
      const [item, list] = ['[aria-current]', 'nav'].map((selector) => document.querySelector(`chat-sidebar ${selector}`).getBoundingClientRect());
      return item.top >= list.top - 1 && item.bottom <= list.bottom + 1;
    }));
    await alice.page.evaluate(() => { location.hash = '#room/bad%20room'; });
    await alice.page.getByRole('alert').filter({ hasText: '“bad room” cannot be the name of a room' }).waitFor();
    assert.deepEqual(alice.troubles, []);
  });

  test('On a phone: targets of 40 px, a toolbar that is not cut off, a list of people that a tap closes, a hint at what is unread elsewhere', async (t) => {
    const room = unique('phone');
    const bob = await open(t, 'bob', { room });
    const alice = await open(t, 'alice', { room, viewport: { width: 360, height: 640 }, touch: true });
    for (let i = 1; i <= 12; i++) await bob.say(`line ${i}`);
    await alice.sees('line 12');
    const cut = async (text) => {
      await alice.bubble(text).locator('.bubble').tap();
      const tools = alice.page.locator('.tools');
      await tools.waitFor();
      return tools.evaluate((bar) => {
        const [box, view] = [bar.getBoundingClientRect(), bar.closest('.scroller').getBoundingClientRect()];
        const sizes = [...bar.querySelectorAll('button')].map((button) => button.getBoundingClientRect());
        return [box.top < view.top, box.left < view.left, box.right > view.right, sizes.some(({ width, height }) => width < 40 || height < 40)];
      });
    };
    const first = await alice.page.evaluate(() => {
      const top = document.querySelector('.scroller').getBoundingClientRect().top;
      return [...document.querySelectorAll('li.message')].find((li) => li.getBoundingClientRect().bottom > top + 20).querySelector('.bubble').textContent;
    });
    assert.deepEqual(await cut(first), [false, false, false, false]);
    assert.deepEqual(await cut('line 12'), [false, false, false, false]);

    await alice.button('Show people').tap();
    await alice.page.locator('.panel').waitFor();
    await alice.page.locator('.scroller').tap({ position: { x: 20, y: 300 } });
    await alice.page.locator('.panel').waitFor({ state: 'hidden' });

    await bob.page.goto(`${stage.system.url}/#direct/${alice.name}`);
    await bob.say('psst');
    await alice.page.getByRole('link', { name: 'Back to the conversations, 1 unread' }).waitFor();
    await alice.page.locator('.back .badge', { hasText: '1' }).waitFor();
    assert.equal(await alice.page.title(), '(1) AspireChat');
    assert.deepEqual([...alice.troubles, ...bob.troubles], []);
  });
}
