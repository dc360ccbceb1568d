import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Person } from './person.js';
import { eventually, unique } from './system.js';

/** @param {{system: import('./system.js').System, browser: import('playwright-core').Browser}} stage */
export function conversations(stage) {
  /** People with pages on one room, closed after the test whatever happens. */
  const meet = async (t, names, room = unique('room'), options = {}) => {
    const people = [];
    for (const name of names) {
      const person = await Person.open(stage.browser, stage.system.url, unique(name), { room, ...options });
      t.after(() => person.close());
      people.push(person);
    }
    return [...people, room];
  };
  const calm = (...people) => assert.deepEqual(people.flatMap((p) => p.troubles), []);

  test('A stranger signs in by a name, and is in the lobby', async (t) => {
    const context = await stage.browser.newContext();
    t.after(() => context.close());
    const page = await context.newPage();
    const person = new Person(unique('alice'), context, page);
    await page.goto(stage.system.url);
    await page.getByLabel('Your name').fill('not a name');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').filter({ hasText: 'Letters, digits' }).waitFor();
    await page.getByLabel('Your name').fill(person.name);
    await page.keyboard.press('Enter');
    await person.connected();
    await page.getByRole('heading', { name: '# lobby' }).waitFor();
    calm(person);
  });

  test('Two users on two nodes chat: messages, typing that appears and clears, receipts', async (t) => {
    const [alice, bob] = await meet(t, ['alice', 'bob']);
    await bob.leaveNode(await alice.node());
    assert.notEqual(await alice.node(), await bob.node());
    await alice.page.locator('.titles p', { hasText: '2 online' }).waitFor();

    await alice.box.pressSequentially('hello');
    await bob.typing.filter({ hasText: `${alice.name} is typing` }).waitFor();
    await alice.box.press('Enter');
    await bob.sees('hello');
    await bob.typing.filter({ hasText: /^$/ }).waitFor({ state: 'attached' });

    await bob.box.pressSequentially('thinking');
    await alice.typing.filter({ hasText: `${bob.name} is typing` }).waitFor();
    // He only stops: nobody says so but his own page, after 2 s without a key.
    await alice.typing.filter({ hasText: /^$/ }).waitFor({ state: 'attached' });

    await bob.say('hello alice');
    await alice.sees('hello alice');
    await alice.bubble('hello').locator('.state.read').waitFor();
    assert.deepEqual(await alice.texts(), ['hello', 'hello alice']);
    assert.deepEqual(await bob.texts(), ['hello', 'hello alice']);
    calm(alice, bob);
  });

  test('A message goes from sending through accepted to saved, is edited, reacted to and deleted, with keys alone', async (t) => {
    const [alice, bob] = await meet(t, ['alice', 'bob']);
    await alice.say('fisrt');
    await alice.bubble('fisrt').locator('.state.durable').waitFor();
    await alice.box.press('ArrowUp');
    await alice.page.locator('.mode').waitFor();
    await alice.box.fill('first');
    await alice.box.press('Enter');
    await bob.sees('first');
    await bob.bubble('first').getByText('edited').waitFor();

    await bob.page.locator('.scroller').focus();
    for (const key of ['ArrowUp', 'Tab']) await bob.page.keyboard.press(key);
    await bob.bubble('first').locator('[aria-label="React with 👍"]:focus').press('Enter');
    const reaction = alice.bubble('first').locator('.reaction', { hasText: '👍 1' });
    await reaction.focus();
    await reaction.press('Enter');
    await bob.bubble('first').locator('.reaction', { hasText: '👍 2' }).waitFor();

    alice.page.on('dialog', (dialog) => dialog.accept());
    await alice.page.locator('.scroller').focus();
    for (const key of ['ArrowUp', 'Delete']) await alice.page.keyboard.press(key);
    await bob.sees('This message was deleted.');
    await alice.sees('This message was deleted.');
    assert.deepEqual(await bob.texts(), ['This message was deleted.']);
    calm(alice, bob);
  });

  test('A direct message shows as unread, with a line where the new ones begin', async (t) => {
    const [alice, bob] = await meet(t, ['alice', 'bob']);
    await bob.page.getByRole('button', { name: 'Message a user' }).click();
    await bob.page.locator('input[name=direct]').fill(alice.name);
    await bob.page.keyboard.press('Enter');
    await bob.page.getByRole('heading', { name: alice.name }).waitFor();
    await bob.say('psst');
    await bob.say('are you there?');
    const entry = alice.page.getByRole('link', { name: bob.name });
    await entry.locator('.badge', { hasText: '2' }).waitFor();
    await entry.click();
    await alice.sees('are you there?');
    await alice.page.locator('li.message', { hasText: 'New messages' }).filter({ hasText: 'psst' }).waitFor();
    await entry.locator('.badge').waitFor({ state: 'detached' });
    await bob.bubble('are you there?').locator('.state.read').waitFor();
    calm(alice, bob);
  });

  test('A room is created by joining it, and left', async (t) => {
    const [alice, bob, room] = await meet(t, ['alice', 'bob']);
    await alice.page.getByRole('button', { name: 'Join or create a room' }).click();
    const name = unique('den');
    await alice.page.locator('input[name=room]').fill(name);
    await alice.page.keyboard.press('Enter');
    await alice.page.getByRole('heading', { name: `# ${name}` }).waitFor();
    await alice.page.locator('.titles p', { hasText: '1 online' }).waitFor();
    await bob.page.locator('.titles p', { hasText: '2 online' }).waitFor();
    await alice.page.locator(`a[href="#room/${room}"]`).click();
    await alice.page.getByRole('heading', { name: `# ${room}` }).waitFor();
    await alice.button('Leave the room').click();
    await alice.button('Leave').click();
    await bob.page.locator('.titles p', { hasText: '1 online' }).waitFor();
    assert.equal(await alice.page.locator(`a[href="#room/${room}"]`).count(), 0);
    calm(alice, bob);
  });

  test('500 messages scroll back in order to the first, on few elements, and jump back to the latest', async (t) => {
    const room = unique('long');
    const [alice, bob] = await meet(t, ['alice', 'bob'], room);
    await bob.flood(room, Array.from({ length: 500 }, (_, i) => `line ${i + 1}${(i + 1) % 7 ? '' : '\nwith\nmore'}`));
    await alice.sees('line 500');

    const seen = new Map((await alice.scrollUp(0)).rows);
    let most = 0;
    await eventually('the first message is on the screen', async () => {
      const { moved, expected, rows } = await alice.scrollUp(900);
      most = Math.max(most, rows.length);
      assert.ok(moved.length > 0 && moved.every((by) => Math.abs(by - expected) <= 2), `all moved by ${expected}, not ${moved}`);
      assert.deepEqual(rows.map(([seq]) => seq), [...rows.keys()].map((i) => rows[0][0] + i), 'in order, without a hole');
      for (const [seq, text] of rows) seen.set(seq, text);
      return seen.has(1) && alice.page.locator('.edge', { hasText: 'This is the start' }).isVisible();
    }, 120_000);
    assert.equal(seen.size, 500);
    for (let i = 1; i <= 500; i++) assert.equal(seen.get(i).split('\n')[0], `line ${i}`);
    assert.ok(most < 150, `${most} rows at once`);
    const { head } = await stage.system.call(alice.name, `/api/rooms/${room}/messages?limit=1`);
    assert.equal(head, 500);

    await alice.page.getByRole('button', { name: 'Latest' }).click();
    await alice.bubble('line 500').waitFor();
    await alice.page.locator('.jump').waitFor({ state: 'hidden' });

    // One press each, although most rows and heights are not known yet.
    await alice.page.reload();
    await alice.sees('line 500');
    await alice.page.locator('.scroller').focus();
    await alice.page.keyboard.press('Home');
    await alice.page.locator('.edge', { hasText: 'This is the start' }).waitFor();
    const shows = (text) => eventually(`${text} is in view`, () => alice.bubble(text).evaluate((li) => {
      const [box, view] = [li.getBoundingClientRect(), li.closest('.scroller').getBoundingClientRect()];
      return box.top >= view.top && box.bottom <= view.bottom;
    }).catch(() => false), 10_000);
    await shows('line 1');
    await alice.page.keyboard.press('End');
    await shows('line 500');
    calm(alice, bob);
  });

  test('Scrolling up is not undone by what arrives in the same moment', async (t) => {
    const [alice, bob, room] = await meet(t, ['alice', 'bob']);
    await bob.flood(room, Array.from({ length: 100 }, (_, i) => `before ${i + 1}`));
    await alice.sees('before 100');
    const flood = bob.flood(room, Array.from({ length: 400 }, (_, i) => `line ${i + 1}`));
    const undone = await alice.page.evaluate(async () => {
      const scroller = document.querySelector('.scroller');
      const frames = async () => { for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame); };
      let times = 0;
      for (let i = 0; i < 40; i++) {
        scroller.scrollTop = scroller.scrollHeight;
        await frames();
        scroller.scrollBy(0, -400);
        // What arrives before the next frame is drawn before the page is told that it was scrolled.
        await new Promise((resolve) => setTimeout(resolve, 5));
        await frames();
        if (scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 200) times++;
      }
      return times;
    });
    await flood;
    assert.equal(undone, 0);
    calm(alice, bob);
  });

  test('What is on the screen stays where it is while others write and older messages come', async (t) => {
    const [alice, bob] = await meet(t, ['alice', 'bob']);
    for (let i = 1; i <= 40; i++) await bob.say(`line ${i}`);
    await alice.sees('line 40');
    await alice.page.locator('.scroller').hover();
    await alice.page.mouse.wheel(0, -600);
    await alice.button('Latest').waitFor();
    const place = () => alice.bubble('line 20').evaluate((li) => Math.round(li.getBoundingClientRect().top));
    let last;
    await eventually('the wheel has stopped', async () => { const was = last; last = await place(); return was === last; });
    await bob.say('one more');
    await alice.page.locator('.jump', { hasText: '1 new' }).waitFor();
    assert.ok(Math.abs((await place()) - last) <= 1, 'what is on the screen stays');
    calm(alice, bob);
  });
}
