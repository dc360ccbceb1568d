// Where a reader's place is: at the first new message, in a draft, in what they are told of while they are elsewhere.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { opener } from './person.js';
import { eventually, unique } from './system.js';

const LINES = 80;

/** @param {{system: import('./system.js').System, browser: import('playwright-core').Browser}} stage */
export function reading(stage) {
  const open = opener(stage);
  /** How many are unread by the server's count. */
  const unread = async ({ name }, room) => (
    (await stage.system.call(name, '/api/conversations')).items.find((item) => item.room === room)?.unread);
  const isInView = async (locator) => (await locator.evaluateAll((all) => all.map((e) => {
    const [box, view] = [e.getBoundingClientRect(), e.closest('.scroller').getBoundingClientRect()];
    return box.top >= view.top && box.bottom <= view.bottom;
  }))).some(Boolean);
  const become = (person, state) => person.page.evaluate((visibility) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => visibility });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);
  const lines = (word) => Array.from({ length: LINES }, (_, i) => `${word} ${i + 1}`);

  test('A conversation opens at its first new message; what was in view is read, and nothing else', async (t) => {
    const room = unique('unread');
    const [alice, bob] = [await open(t, 'alice', { room }), await open(t, 'bob', { room })];
    await bob.flood(room, lines('old'));
    await alice.sees(`old ${LINES}`);
    await eventually('alice has read them', async () => (await unread(alice, room)) === 0);
    await alice.page.goto(`${stage.system.url}/#room/lobby`);
    await alice.page.getByRole('heading', { name: '# lobby' }).waitFor();
    await bob.flood(room, lines('new'));
    const entry = alice.page.locator(`a[href="#room/${room}"]`);
    await entry.locator('.badge', { hasText: String(LINES) }).waitFor();
    // Also on a page that has nothing loaded yet.
    await alice.page.reload();
    await entry.locator('.badge', { hasText: String(LINES) }).waitFor();
    await entry.click();
    await eventually('the line is in view', () => isInView(alice.page.locator('.line.new')));
    assert.ok(await isInView(alice.bubble('new 1')));
    assert.ok(!(await isInView(alice.bubble(`new ${LINES}`))));
    await alice.button('Latest').waitFor();
    const inView = await alice.page.evaluate(() => {
      const { bottom } = document.querySelector('.scroller').getBoundingClientRect();
      return [...document.querySelectorAll('li.message')].filter((li) => li.getBoundingClientRect().bottom <= bottom + 8)
        .map((li) => li.querySelector('.bubble').textContent).filter((text) => text.startsWith('new ')).length;
    });
    assert.ok(inView > 3 && inView < LINES);
    await eventually('what is in view is read', async () => (await unread(alice, room)) === LINES - inView);
    assert.equal(await entry.locator('.badge').textContent(), `${LINES - inView} unread`);

    await alice.button('Latest').click();
    await alice.sees(`new ${LINES}`);
    await entry.locator('.badge').waitFor({ state: 'detached' });
    await alice.button('New messages').click();
    await eventually('the line is in view again', () => isInView(alice.page.locator('.line.new')));
    assert.deepEqual([...alice.troubles, ...bob.troubles], []);
  });

  test('What comes while the page is hidden is not read, and the page comes back to where it begins', async (t) => {
    const room = unique('hidden');
    const [alice, bob] = [await open(t, 'alice', { room }), await open(t, 'bob', { room })];
    await bob.say('seen');
    await alice.sees('seen');
    await bob.bubble('seen').locator('.state.read').waitFor();
    await become(alice, 'hidden');
    await bob.flood(room, lines('new'));
    await alice.sees(`new ${LINES}`);
    await eventually('the title tells it', async () => (await alice.page.title()) === `(${LINES}) AspireChat`);
    assert.equal(await unread(alice, room), LINES);
    await become(alice, 'visible');
    await eventually('the line is in view', () => isInView(alice.page.locator('.line.new')));
    assert.ok(await isInView(alice.bubble('new 1')));
    assert.ok((await unread(alice, room)) > 0);
    assert.deepEqual([...alice.troubles, ...bob.troubles], []);
  });

  test('Drafts survive a reload, each in its conversation, and are gone after signing out', async (t) => {
    const [room, other] = [unique('draft'), unique('draft')];
    const alice = await open(t, 'alice', { room });
    await alice.box.fill('half a thou');
    await alice.page.goto(`${stage.system.url}/#room/${other}`);
    await alice.page.getByRole('heading', { name: `# ${other}` }).waitFor();
    assert.equal(await alice.box.inputValue(), '');
    await alice.box.fill('something else');
    await alice.page.reload();
    await alice.connected();
    assert.equal(await alice.box.inputValue(), 'something else');
    await alice.page.locator(`a[href="#room/${room}"]`).click();
    await alice.page.getByRole('heading', { name: `# ${room}` }).waitFor();
    assert.equal(await alice.box.inputValue(), 'half a thou');
    await alice.say('half a thought');
    await alice.acknowledged();
    await alice.page.reload();
    await alice.connected();
    assert.equal(await alice.box.inputValue(), '');
    await alice.button('Sign out').click();
    await alice.page.getByLabel('Your name').waitFor();
    assert.deepEqual(await alice.page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes('.draft.'))), []);
    assert.deepEqual(alice.troubles, []);
  });

  test('After their first message users may ask to be notified; then a hidden page tells of direct messages and mentions', async (t) => {
    const room = unique('bell');
    const bob = await open(t, 'bob', { room });
    const alice = await open(t, 'alice', { room, before: () => {
      globalThis.told = [];
      globalThis.Notification = class {
        static permission = 'default';
        static asked = 0;
        static async requestPermission() { this.asked++; return (this.permission = 'granted'); }
        constructor(title, { body, tag }) { globalThis.told.push([title, body, tag]); }
      };
    } });
    const question = alice.page.getByRole('region', { name: 'Notifications' });
    assert.equal(await question.count(), 0);
    assert.equal(await alice.button('Notifications').getAttribute('aria-pressed'), 'false');
    await alice.say('hello');
    await question.waitFor();
    assert.equal(await alice.page.evaluate(() => Notification.asked), 0, 'the browser asks when the user wants it');
    await alice.button('Notify me').click();
    await question.waitFor({ state: 'detached' });
    await alice.page.locator('.bell[aria-pressed=true]').waitFor();

    const mention = (content) => stage.system.call(bob.name, `/api/rooms/${room}/messages`, { content, mentions: [alice.name], nonce: unique('nonce') });
    await mention('in view');
    await alice.sees('in view');
    await become(alice, 'hidden');
    await bob.say('not for her');
    await mention('for you');
    await bob.page.goto(`${stage.system.url}/#direct/${alice.name}`);
    await bob.say('psst');
    await eventually('both are told', () => alice.page.evaluate(() => globalThis.told.length === 2));
    assert.deepEqual(await alice.page.evaluate(() => globalThis.told), [
      [`${bob.name} in #${room}`, 'for you', `room:${room}`], [bob.name, 'psst', `to:${bob.name}`]]);
    await alice.button('Notifications').click();
    await bob.say('and again');
    await alice.page.locator('.conversations .badge', { hasText: '2' }).first().waitFor();
    assert.equal(await alice.page.evaluate(() => globalThis.told.length), 2);
    assert.deepEqual([...alice.troubles, ...bob.troubles], []);
  });
}
