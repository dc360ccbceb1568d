// Finding: the list with the newest first, and the finder with rooms, people and messages.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { opener } from './person.js';
import { eventually, unique } from './system.js';

/** @param {{system: import('./system.js').System, browser: import('playwright-core').Browser}} stage */
export function find(stage) {
  const open = opener(stage);

  test('The list has the newest first, with a preview, its time, and how much is unread and for the user', async (t) => {
    const [quiet, busy] = [unique('quiet'), unique('busy')];
    const alice = await open(t, 'alice', { room: busy });
    await alice.say('first here');
    await alice.acknowledged();
    await alice.page.goto(`${stage.system.url}/#room/${quiet}`);
    await alice.page.getByRole('heading', { name: `# ${quiet}` }).waitFor();
    await alice.say('then here');
    await alice.acknowledged();
    const first = (room) => eventually(`${room} is first`, async () => (
      (await alice.page.locator('section[aria-label="Rooms"] a').first().getAttribute('href')) === `#room/${room}`));
    await first(quiet);
    const bob = await open(t, 'bob', { room: busy });
    await stage.system.setProfile(bob.name, { name: 'Bob Stone' });
    await stage.system.call(bob.name, `/api/rooms/${busy}/messages`, { content: 'look at this', mentions: [alice.name], nonce: unique('nonce') });
    await first(busy);
    const entry = alice.page.locator(`a[href="#room/${busy}"]`);
    await entry.locator('.preview', { hasText: 'Bob Stone: look at this' }).waitFor();
    assert.equal(await entry.locator('.badge').textContent(), '1 unread');
    assert.equal(await entry.locator('.mention').textContent(), '@ 1 of them mention you,');
    assert.match(await entry.locator('.aside').textContent(), /^\d\d:\d\d/);
    // The same on a page that has loaded no message of it.
    await alice.page.reload();
    await entry.locator('.preview', { hasText: 'Bob Stone: look at this' }).waitFor();
    await first(busy);
    assert.deepEqual([...alice.troubles, ...bob.troubles], []);
  });

  test('Ctrl+K finds own conversations, rooms, people and messages by keys alone, and goes to the message', async (t) => {
    const [room, word] = [unique('finding'), unique('needle').replaceAll('-', '')];
    const bob = await open(t, 'bob', { room });
    await stage.system.setProfile(bob.name, { name: `Robert ${word}` });
    await bob.say(`the ${word} lies here`);
    await bob.acknowledged();
    await bob.flood(room, Array.from({ length: 450 }, (_, i) => `hay ${i + 1}`));
    const alice = await open(t, 'alice');
    const box = alice.page.getByRole('combobox');
    const option = (text) => alice.page.getByRole('option').filter({ hasText: text });
    const chosen = () => alice.page.locator('[role=option][aria-selected=true]').textContent();
    const type = async (text) => {
      await alice.page.keyboard.press('Control+k');
      await box.waitFor();
      await alice.page.keyboard.type(text);
    };

    await type(room);
    await option('2 members').or(option('1 member')).first().waitFor();
    await alice.page.keyboard.press('Enter');
    await alice.page.getByRole('heading', { name: `# ${room}` }).waitFor();
    await alice.sees('hay 450');

    await type(word);
    await option(`the ${word} lies here`).waitFor();
    for (let i = 0; i < 6 && !(await chosen()).includes('lies here'); i++) await alice.page.keyboard.press('ArrowDown');
    await alice.page.keyboard.press('Enter');
    await eventually('the message is in view', async () => (await alice.bubble(`the ${word} lies here`).evaluateAll((all) => all.map((li) => {
      const [box, view] = [li.getBoundingClientRect(), li.closest('.scroller').getBoundingClientRect()];
      return li.matches('.found') && box.top >= view.top && box.bottom <= view.bottom;
    }))).some(Boolean));

    await type(`Robert ${word}`);
    await option(`Robert ${word}`).filter({ hasText: bob.name }).first().waitFor();
    await alice.page.keyboard.press('Enter');
    await alice.page.getByRole('heading', { name: `Robert ${word}` }).waitFor();

    const nothing = unique('nothing');
    await type(nothing);
    await alice.page.locator('.finder [role=status]', { hasText: 'Nothing found.' }).waitFor();
    assert.equal(await option(`Join or create #${nothing}`).count(), 1);
    assert.equal(await option(`Message ${nothing}`).count(), 1);
    await alice.page.keyboard.press('Escape');
    await box.waitFor({ state: 'hidden' });
    assert.equal(await alice.page.evaluate(() => document.activeElement.id), 'composer');
    assert.deepEqual([...alice.troubles, ...bob.troubles], []);
  });
}
