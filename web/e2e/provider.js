// Sign-in at an OpenID Connect provider (OpenIddict), with a system that believes that provider.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Person } from './person.js';
import { System, eventually, freeAddress, unique } from './system.js';

const PROGRAM = fileURLToPath(new URL('../../artifacts/bin/OidcProvider/debug/AspireChat.OidcProvider.dll', import.meta.url));

/** @param {{browser: import('playwright-core').Browser, root: string, screenshots: string}} stage */
export function provider(stage) {
  async function start(t) {
    const address = await freeAddress();
    const program = spawn('dotnet', ['exec', PROGRAM], { env: { ...process.env, ASPNETCORE_URLS: address }, stdio: 'ignore' });
    t.after(() => program.kill('SIGKILL'));
    await eventually('the provider answers', () => fetch(`${address}/.well-known/openid-configuration`).then(({ ok }) => ok, () => false));
    const system = await System.start({
      Jwt__Authority: address, Jwt__Issuer: `${address}/`, Gateway__SignIn__ClientId: 'page', Gateway__WebRoot: stage.root,
    });
    t.after(() => system.stop());
    return { address, system };
  }

  test('A user signs in at the provider, chats, stays signed in over a reload, and signs out; wrong answers of it are told', async (t) => {
    const { address, system } = await start(t);
    const context = await stage.browser.newContext({ serviceWorkers: 'block' });
    t.after(() => context.close());
    const room = unique('signed');
    const alice = new Person(unique('alice'), context, await context.newPage());
    await alice.page.goto(`${system.url}/#room/${room}`);
    await alice.page.getByText(`You sign in at ${new URL(address).host}.`).waitFor();
    await alice.page.screenshot({ path: `${stage.screenshots}sign-in-provider.png` });
    await alice.button('Sign in').click();
    // The provider's own page.
    await alice.page.getByLabel('User').fill(alice.name);
    await alice.page.getByRole('button', { name: 'Continue' }).click();
    await alice.page.getByRole('heading', { name: `# ${room}` }).waitFor();
    await alice.connected();
    // The code works once, and does not stay in the address.
    assert.equal(alice.page.url(), `${system.url}/#room/${room}`);
    await alice.say('signed in');
    await alice.acknowledged();
    await alice.page.reload();
    await alice.connected();
    await alice.sees('signed in');

    await alice.button('Sign out').click();
    await alice.button('Sign in').waitFor();
    assert.deepEqual(await alice.page.evaluate(() => Object.keys(sessionStorage)), []);
    await alice.page.goto(`${system.url}/?code=stolen&state=made-up`);
    await alice.page.getByRole('alert').filter({ hasText: 'not begun in this tab' }).waitFor();
    assert.equal(alice.page.url(), `${system.url}/`);
    await alice.button('Sign in').click();
    await alice.page.waitForURL(`${address}/**`);
    const { searchParams } = new URL(alice.page.url());
    await alice.page.goto(`${system.url}/?error=access_denied&error_description=You+said+no.&state=${searchParams.get('state')}`);
    await alice.page.getByRole('alert').filter({ hasText: 'You said no.' }).waitFor();
    assert.deepEqual(alice.troubles, []);
  });
}
