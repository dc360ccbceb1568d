import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Link } from './link.js';
import { Person } from './person.js';
import { eventually, unique } from './system.js';

/** @param {{system: import('./system.js').System, browser: import('playwright-core').Browser}} stage */
export function faults(stage) {
  /** A user whose network can be cut. */
  const onLink = async (t, name, room) => {
    const link = await Link.to(stage.system.url);
    t.after(() => link.close());
    const person = await Person.open(stage.browser, link.url, unique(name), { room });
    t.after(() => person.close());
    return [person, link];
  };
  const visitor = async (t, name, room) => {
    const person = await Person.open(stage.browser, stage.system.url, unique(name), { room });
    t.after(() => person.close());
    return person;
  };
  /** What the server has, oldest first. */
  const log = async (user, room) => {
    const { items } = await stage.system.call(user, `/api/rooms/${room}/messages?limit=200`);
    return items.reverse().filter(({ type }) => type === 'room').map((event) => event.content);
  };

  test('A node dies while its user types: banner, reconnect, nothing lost, nothing doubled', async (t) => {
    const room = unique('kill');
    const [alice, bob] = [await visitor(t, 'alice', room), await visitor(t, 'bob', room)];
    await bob.leaveNode(await alice.node());
    const node = await alice.node();
    const expected = [];
    const say = async (person, text) => { expected.push(text); await person.say(text); };
    await say(alice, 'before 1');
    await say(bob, 'before 2');
    await bob.sees('before 1');
    await alice.box.pressSequentially('half a mess');
    const lost = alice.lost();
    stage.system.killNode(node);
    await lost;
    assert.equal(await alice.box.inputValue(), 'half a mess', 'the draft stays');
    await alice.box.pressSequentially('age');
    expected.push('half a message');
    await alice.box.press('Enter');
    for (let i = 0; i < 5; i++) {
      await say(alice, `alice while away ${i}`);
      await say(bob, `bob meanwhile ${i}`);
    }
    await alice.banner.waitFor({ state: 'hidden' });
    await alice.connected();
    assert.notEqual(await alice.node(), node);
    await alice.acknowledged();
    await bob.acknowledged();
    for (const text of expected) {
      await alice.sees(text);
      await bob.sees(text);
    }
    const stored = await log(bob.name, room);
    assert.deepEqual([...stored].sort(), [...expected].sort(), 'each once in the log');
    for (const person of [alice, bob]) {
      assert.deepEqual(await person.texts(), stored, `${person.name} sees the log`);
      assert.deepEqual(person.troubles, []);
    }
    const own = (texts) => texts.filter((text) => text.startsWith('alice while away'));
    assert.deepEqual(own(stored), own(expected), 'in the order written');
  });

  test('What is written offline waits, and goes out in order when the network is back', async (t) => {
    const room = unique('offline');
    const [alice, link] = await onLink(t, 'alice', room);
    const bob = await visitor(t, 'bob', room);
    await alice.say('online');
    await alice.acknowledged();
    link.cut();
    await alice.lost();
    for (const text of ['one', 'two', 'three']) await alice.say(text);
    assert.equal(await alice.page.locator('.pending.sending').count(), 3);
    const lookOf = (text) => alice.bubble(text).evaluate((li) => {
      const { opacity, backgroundColor, color } = getComputedStyle(li.querySelector('.bubble'));
      return { height: Math.round(li.getBoundingClientRect().height), opacity, backgroundColor, color };
    });
    const pending = await lookOf('three');
    // A change shows that it waits, as a message does.
    await alice.bubble('online').hover();
    await alice.button('React with 👍').click();
    await alice.bubble('online').locator('.state.waiting').waitFor();
    await alice.bubble('online').hover();
    await alice.button('Edit (E)').click();
    await alice.box.fill('online, edited');
    await alice.box.press('Enter');
    await alice.bubble('online, edited').locator('.state.waiting').waitFor();
    await bob.say('bob, meanwhile');
    await bob.acknowledged();
    link.restore();
    await alice.acknowledged();
    await bob.sees('three');
    const stored = await log(bob.name, room);
    assert.deepEqual(stored, ['online, edited', 'bob, meanwhile', 'one', 'two', 'three']);
    await alice.sees('bob, meanwhile');
    assert.deepEqual(await alice.texts(), stored);
    assert.deepEqual(await lookOf('three'), pending, 'a pending message looks as it does when it is sent');
    await alice.page.locator('.state.waiting').waitFor({ state: 'detached' });
    await alice.bubble('online, edited').locator('.reaction', { hasText: '👍 1' }).waitFor();
    await alice.banner.waitFor({ state: 'hidden' });
    assert.deepEqual(alice.troubles, []);
  });

  test('A reload keeps what is not sent yet, and sends it once', async (t) => {
    const room = unique('reload');
    const [alice, link] = await onLink(t, 'alice', room);
    const bob = await visitor(t, 'bob', room);
    link.cutSockets();
    await alice.lost();
    for (const text of ['kept 1', 'kept 2', 'kept 3']) await alice.say(text);
    await eventually('they are kept', () => alice.page.evaluate(() => new Promise((resolve, reject) => {
      const open = indexedDB.open('aspirechat');
      open.onerror = () => reject(open.error);
      open.onsuccess = () => {
        const count = open.result.transaction('outbox').objectStore('outbox').count();
        count.onsuccess = () => { open.result.close(); resolve(count.result === 3); };
      };
    })));
    await alice.page.reload();
    await eventually('the page shows them as sending', async () => (await alice.page.locator('.pending.sending').count()) === 3);
    assert.deepEqual(await alice.texts(), ['kept 1', 'kept 2', 'kept 3']);
    await alice.say('after the reload');
    link.restore();
    await alice.acknowledged();
    await bob.sees('after the reload');
    assert.deepEqual(await log(bob.name, room), ['kept 1', 'kept 2', 'kept 3', 'after the reload']);
    await alice.page.reload();
    await alice.connected();
    await alice.sees('after the reload');
    assert.deepEqual(await alice.texts(), ['kept 1', 'kept 2', 'kept 3', 'after the reload']);
    assert.deepEqual(alice.troubles, []);
  });
}
