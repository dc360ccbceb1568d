// Rooms with rules on the page: making one, who is in it, what moderators do, and how one leaves.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { opener } from './person.js';
import { eventually, unique } from './system.js';

/** @param {{system: import('./system.js').System, browser: import('playwright-core').Browser, screenshots: string}} stage */
export function moderation(stage) {
  const open = opener(stage);
  const entry = (person, room) => person.page.locator(`section[aria-label="Rooms"] a[href="#room/${room}"]`);
  const toast = (person, text) => person.page.locator('.toast', { hasText: text }).waitFor();
  const does = async (person, other, what) => {
    await person.button(`Manage ${other}`).click();
    await person.page.getByRole('dialog').getByRole('button', { name: what, exact: true }).click();
  };

  test('A private room by dialogs: made, joined by whom its owner adds, changed, and moderated', async (t) => {
    const [alice, bob] = [await open(t, 'alice', { viewport: { width: 1440, height: 900 } }), await open(t, 'bob')];
    const room = unique('plans');
    await alice.button('Join or create a room').click();
    await alice.page.getByRole('textbox', { name: 'Join or create a room' }).fill(room);
    await alice.button('New…').click();
    const form = alice.page.getByRole('dialog', { name: 'New room' });
    assert.equal(await form.getByLabel('Id', { exact: true }).inputValue(), room);
    await form.getByLabel('Name', { exact: true }).fill('Secret plans');
    await form.getByLabel('Topic').fill('Nobody knows');
    await form.getByLabel('Who may read').selectOption('private');
    await alice.page.screenshot({ path: `${stage.screenshots}new-room.png` });
    await form.getByRole('button', { name: 'Create' }).click();
    await alice.page.getByRole('heading', { name: '# Secret plans' }).waitFor();
    await alice.page.locator('.titles p', { hasText: 'Nobody knows' }).waitFor();
    await alice.say('only for us');

    await bob.page.goto(`${stage.system.url}/#room/${room}`);
    await toast(bob, `#${room}`);
    await alice.button('Add people').click();
    await alice.page.getByRole('dialog').getByLabel('Users').fill(bob.name);
    await alice.button('Add').click();
    await entry(bob, room).click();
    await bob.sees('only for us');
    await alice.page.locator('.panel h2', { hasText: 'Online: 2' }).waitFor();
    await alice.page.screenshot({ path: `${stage.screenshots}room-owner.png` });

    // What one may not do is not offered.
    assert.equal(await bob.button('Change the room').isVisible(), false);
    assert.equal(await bob.button(`Manage ${alice.name}`).count(), 0);
    await alice.button('Change the room').click();
    await alice.page.getByRole('dialog').getByLabel('Who may write').selectOption('moderators');
    await alice.button('Save').click();
    await eventually('the room is changed', async () => (await stage.system.call(alice.name, `/api/rooms/${room}`)).sending === 'moderators');
    await bob.page.reload();
    await bob.page.getByRole('textbox', { name: 'Only moderators write here.' }).waitFor();
    assert.equal(await bob.page.locator('#composer').isDisabled(), true);
    await does(alice, bob.name, 'Make a moderator');
    await bob.say('now I may');
    await alice.sees('now I may');

    await bob.bubble('only for us').hover();
    bob.page.once('dialog', (dialog) => dialog.accept());
    await bob.button('Delete (Del)').click();
    await alice.page.getByText('This message was deleted.').first().waitFor();
    assert.deepEqual([...alice.troubles, ...bob.troubles], []);
  });

  test('A member is muted, removed and banned, and told so; a ban ends; the last owner is told why they stay', async (t) => {
    const room = unique('strict');
    const alice = await open(t, 'alice', { room, viewport: { width: 1440, height: 900 } });
    const bob = await open(t, 'bob', { room });
    await bob.say('spam');
    await alice.sees('spam');
    await does(alice, bob.name, 'Mute');
    await bob.page.getByRole('textbox', { name: 'You are muted here.' }).waitFor();
    await does(alice, bob.name, 'Unmute');
    await bob.say('sorry');
    await alice.sees('sorry');
    await does(alice, bob.name, 'Ban');
    await alice.page.getByLabel('Why').fill('spam');
    await alice.page.getByRole('dialog').getByRole('button', { name: 'Ban' }).click();
    await toast(bob, 'you were banned');
    assert.equal(await entry(bob, room).count(), 0);
    await alice.page.locator('ul[aria-labelledby="members-banned"]', { hasText: bob.name }).getByText('spam').waitFor();
    await alice.page.screenshot({ path: `${stage.screenshots}room-banned.png` });
    await alice.button(`End the ban of ${bob.name}`).click();
    await alice.page.locator('#members-banned').waitFor({ state: 'detached' });
    await bob.page.goto(`${stage.system.url}/#room/${room}`);
    await bob.sees('sorry');

    await alice.button('Leave the room').click();
    await alice.page.screenshot({ path: `${stage.screenshots}leave-room.png` });
    await alice.button('Leave').click();
    await toast(alice, 'its last owner cannot leave');
    assert.deepEqual([...alice.troubles, ...bob.troubles], []);
  });

  test('Leaving asks first, has a sign of its own, and the focus goes on to what is left', async (t) => {
    const room = unique('left');
    const bob = await open(t, 'bob', { room });
    const alice = await open(t, 'alice', { room });
    const sign = (name) => alice.button(name).locator('path').getAttribute('d');
    assert.notEqual(await sign('Leave the room'), await sign('Sign out'));
    await alice.button('Leave the room').click();
    await alice.page.getByRole('dialog', { name: `Leave #${room}?` }).waitFor();
    await alice.page.keyboard.press('Escape');
    await alice.page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.equal(await alice.page.evaluate(() => document.activeElement?.getAttribute('aria-label')), 'Leave the room');
    await alice.page.keyboard.press('Enter');
    await alice.button('Leave').click();
    await entry(alice, room).waitFor({ state: 'detached' });
    await eventually('something has the focus', () => alice.page.evaluate(() => document.activeElement?.tagName === 'BUTTON'));
    assert.deepEqual([...alice.troubles, ...bob.troubles], []);
  });
}
