// How users are shown: by name and picture, and by id where a name could be anybody's.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { opener } from './person.js';
import { eventually, unique } from './system.js';

/** Listed in `Gateway:ImageOrigins`. The tests answer for it. */
export const PICTURES = 'https://pictures.example.org';
const PICTURE = readFileSync(fileURLToPath(new URL('../icons/icon-192.png', import.meta.url)));

/** @param {{system: import('./system.js').System, browser: import('playwright-core').Browser}} stage */
export function people(stage) {
  const open = opener(stage);

  test('Names and pictures are shown everywhere, ids where they matter; members online and offline apart, with roles', async (t) => {
    const room = unique('named');
    const bob = await open(t, 'bob', { room });
    await (await open(t, 'carol', { room })).close();
    const alice = await open(t, 'alice', { room });
    await alice.context.route(`${PICTURES}/**`, (route) => route.fulfill({ contentType: 'image/png', body: PICTURE }));
    await bob.say('before the name');
    await alice.sees('before the name');
    assert.equal(await alice.bubble('before the name').locator('.author').textContent(), bob.name);
    await stage.system.setProfile(bob.name, { name: 'Bob Stone', picture: `${PICTURES}/bob.png` });
    const author = alice.bubble('before the name').locator('.author');
    await author.filter({ hasText: 'Bob Stone' }).waitFor();
    assert.equal(await author.getAttribute('title'), bob.name);
    await eventually('the picture is shown', () => alice.bubble('before the name').locator('.avatar img').evaluate((image) => image.naturalWidth > 0).catch(() => false));

    const section = (title) => alice.page.locator(`.panel ul[aria-labelledby="members-${title}"]`);
    await alice.page.locator('.panel h2', { hasText: 'Offline: 1' }).waitFor();
    await alice.page.locator('.panel h2', { hasText: 'Online: 2' }).waitFor();
    const listed = section('online').locator('button', { hasText: 'Bob Stone' });
    assert.equal(await listed.locator('.id').textContent(), bob.name);
    assert.equal(await listed.locator('.role').textContent(), 'owner');
    assert.match(await section('offline').textContent(), /carol-/);
    assert.doesNotMatch(await section('online').textContent(), /carol-/);

    await bob.box.pressSequentially('well');
    await alice.typing.filter({ hasText: 'Bob Stone is typing' }).waitFor();
    await listed.click();
    await alice.page.getByRole('heading', { name: 'Bob Stone', exact: true }).waitFor();
    await alice.page.locator('.titles p', { hasText: `Online · ${bob.name}` }).waitFor();
    await alice.page.getByRole('textbox', { name: 'Message Bob Stone' }).waitFor();
    await alice.page.locator('section[aria-label="Direct messages"]').getByText('Bob Stone').waitFor();
    assert.deepEqual([...alice.troubles, ...bob.troubles], []);
  });

  test('A message says in words what has become of it, and a direct message to nobody says that nobody has been there', async (t) => {
    const room = unique('words');
    const [alice, bob] = [await open(t, 'alice', { room }), await open(t, 'bob', { room })];
    await stage.system.setProfile(bob.name, { name: 'Bob Stone' });
    const state = alice.bubble('hello').locator('.state');
    await alice.say('hello');
    await alice.bubble('hello').locator('.state.read').waitFor();
    assert.deepEqual([await state.getAttribute('title'), await state.locator('.sr-only').textContent()], ['Seen by Bob Stone', 'Seen by Bob Stone']);
    const nobody = unique('nobody');
    await alice.page.goto(`${stage.system.url}/#direct/${nobody}`);
    await alice.page.locator('.titles p', { hasText: 'Offline. Nobody of this name has been here yet' }).waitFor();
    await alice.say('anybody?');
    await alice.bubble('anybody?').locator('.state.durable').waitFor();
    const stored = alice.bubble('anybody?').locator('.state');
    assert.deepEqual([await stored.getAttribute('title'), await stored.locator('[aria-hidden]').textContent()], ['Stored', '✓✓']);
    await bob.close();
    assert.deepEqual(alice.troubles, []);
  });

  test('A picture from elsewhere is asked for once, and initials stand in its place', async (t) => {
    const room = unique('elsewhere');
    const [alice, bob] = [await open(t, 'alice', { room }), await open(t, 'bob', { room })];
    for (const text of ['one', 'two']) await bob.say(text);
    await stage.system.setProfile(bob.name, { name: 'Bob Stone', picture: 'https://elsewhere.example.org/bob.png' });
    await alice.page.locator('.author', { hasText: 'Bob Stone' }).waitFor();
    await eventually('the initials are shown', async () => (await alice.page.locator('.avatar img').count()) === 0);
    assert.equal(await alice.bubble('one').locator('.avatar').textContent(), 'BS');
    await stage.system.setProfile(bob.name, { name: 'Robert Stone', picture: 'https://elsewhere.example.org/other.png' });
    await alice.page.locator('.author', { hasText: 'Robert Stone' }).waitFor();
    assert.equal(await alice.page.locator('.avatar img').count(), 0);
    // Other tests meet bob in the lobby.
    await stage.system.setProfile(bob.name, { name: 'Bob Stone', picture: null });
    assert.ok(alice.troubles.length > 0 && alice.troubles.every((trouble) => /elsewhere\.example\.org\/bob\.png/.test(trouble)), alice.troubles.join('\n'));
  });
}
