// Talking: replies and mentions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { opener } from './person.js';
import { eventually, unique } from './system.js';

/** @param {{system: import('./system.js').System, browser: import('playwright-core').Browser}} stage */
export function talk(stage) {
  const open = opener(stage);

  test('A reply shows what it answers, leads there, and says so while it is written and on its way', async (t) => {
    const room = unique('replies');
    const [alice, bob] = [await open(t, 'alice', { room }), await open(t, 'bob', { room })];
    await alice.say('shall we meet?');
    await bob.flood(room, Array.from({ length: 120 }, (_, i) => `filler ${i + 1}`));
    await bob.sees('filler 120');
    await bob.page.locator('.scroller').press('Home');
    await bob.bubble('shall we meet?').hover();
    await bob.button('Reply (R)').click();
    await bob.page.getByText(`Replying to ${alice.name}.`).waitFor();
    await bob.say('yes, at eight');
    const quote = alice.bubble('yes, at eight').locator('.quote');
    assert.equal((await quote.textContent()).trim(), `In reply to ${alice.name}shall we meet?`);
    assert.equal(await bob.page.getByText('Replying to').isVisible(), false);
    await quote.click();
    await eventually('the answered message is in view', () => alice.bubble('shall we meet?').first().isVisible());
    await alice.page.locator('li.message.found', { hasText: 'shall we meet?' }).waitFor();

    // By keys, and given up by Escape.
    await alice.page.locator('li.message.found').focus();
    await alice.page.keyboard.press('r');
    await alice.page.getByText('Replying to yourself.').waitFor();
    await alice.page.keyboard.press('Escape');
    await alice.say('no answer to anything');
    await bob.sees('no answer to anything');
    assert.equal(await bob.bubble('no answer to anything').locator('.quote').count(), 0);
    assert.deepEqual([...alice.troubles, ...bob.troubles], []);
  });

  test('A mention is completed by keys, marked for its user, and shown by name', async (t) => {
    const room = unique('mentions');
    const [alice, bob] = [await open(t, 'alice', { room }), await open(t, 'bob', { room })];
    await stage.system.setProfile(bob.name, { name: 'Bob Stone' });
    await alice.page.locator('.panel', { hasText: 'Bob Stone' }).waitFor({ state: 'attached' });
    await bob.page.goto(`${stage.system.url}/#direct/${alice.name}`);
    await bob.page.getByRole('heading', { name: alice.name }).waitFor();
    await alice.box.pressSequentially('well, @sto');
    await alice.page.getByRole('option', { name: 'Bob Stone' }).waitFor();
    await alice.page.keyboard.press('Enter');
    assert.equal(await alice.box.inputValue(), `well, @${bob.name} `);
    await alice.box.pressSequentially('look!');
    await alice.page.keyboard.press('Enter');
    await alice.page.locator('.bubble .mentioned', { hasText: '@Bob Stone' }).waitFor();
    await bob.page.locator(`a[href="#room/${room}"] .mention`).waitFor();
    assert.deepEqual([...alice.troubles, ...bob.troubles], []);
  });

  test('A text that is too long is refused, not cut, and marks are shown as they are meant', async (t) => {
    const room = unique('texts');
    const [alice, bob] = [await open(t, 'alice', { room }), await open(t, 'bob', { room })];
    await alice.box.fill('x'.repeat(8_100));
    await alice.page.locator('chat-composer .left', { hasText: '100 too many' }).waitFor();
    assert.equal(await alice.button('Send').isDisabled(), true);
    await alice.box.press('Enter');
    assert.equal((await alice.box.inputValue()).length, 8_100);
    await alice.say('**bold** and *slanted* and ~~gone~~ <b>no tag</b>\n> said before\n- one\n- two');
    const bubble = bob.page.locator('.bubble', { hasText: 'no tag' });
    await bubble.waitFor();
    assert.deepEqual(
      await bubble.evaluate((e) => ['strong', 'em', 's', 'blockquote', 'li', 'b'].map((tag) => [...e.querySelectorAll(tag)].map((x) => x.textContent))),
      [['bold'], ['slanted'], ['gone'], ['said before'], ['one', 'two'], []]);
    assert.deepEqual([...alice.troubles, ...bob.troubles], []);
  });
}
