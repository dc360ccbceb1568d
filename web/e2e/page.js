// The page as it is published: what it weighs, what its worker keeps, and that the sources without a build are the same page.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { Person } from './person.js';
import { eventually, unique } from './system.js';

const KB = 1000;
const MOST_KB = 60;
const MOST_REQUESTS = 6;
const WEB = fileURLToPath(new URL('../', import.meta.url));

/** @param {{system: import('./system.js').System, browser: import('playwright-core').Browser, root: string}} stage `root`: the built page */
export function page(stage) {
  /** A page whose worker may work, which other tests forbid. */
  const visit = async (t, user) => {
    const context = await stage.browser.newContext({ locale: 'en-GB' });
    t.after(() => context.close());
    await context.addInitScript((name) => {
      sessionStorage.setItem('aspirechat.user', name);
      new MutationObserver((_, observer) => {
        if (!document.querySelector('li.message')) return;
        globalThis.firstMessage = performance.now();
        observer.disconnect();
      }).observe(document, { childList: true, subtree: true });
    }, user);
    return new Person(user, context, await context.newPage());
  };

  test(`The first load takes at most ${MOST_KB} KB in ${MOST_REQUESTS} requests, and shows its first message soon`, async (t) => {
    const writer = await Person.open(stage.browser, stage.system.url, unique('writer'));
    await writer.say('waiting for you');
    await writer.acknowledged();
    await writer.close();
    const alice = await visit(t, unique('alice'));
    const session = await alice.context.newCDPSession(alice.page);
    await session.send('Network.enable');
    const [urls, sizes] = [new Map(), new Map()];
    session.on('Network.requestWillBeSent', ({ requestId, request: { url } }) => { if (url.startsWith(stage.system.url) && !/\/(api|dev)\//.test(url)) urls.set(requestId, url); });
    session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => sizes.set(requestId, encodedDataLength));
    await alice.page.goto(stage.system.url);
    await alice.page.locator('li.message').first().waitFor();
    const missing = () => [...urls].filter(([id]) => !sizes.has(id)).map(([, url]) => url);
    await eventually('all is loaded', () => missing().length === 0, 10_000).catch((error) => { throw new Error(`${error.message} ${missing()}`); });
    // What this session does not see: the icon, the manifest, and the worker's script.
    const beside = ['favicon.svg', 'manifest.webmanifest', 'sw.js'].filter((name) => ![...urls.values()].some((url) => url.endsWith(name)));
    const loads = [...urls].map(([id, url]) => [new URL(url).pathname, sizes.get(id)]);
    for (const name of beside) loads.push([`/${name}`, readFileSync(`${stage.root}/${name}.br`).length]);
    const weight = loads.reduce((sum, [, size]) => sum + size, 0);
    const first = Math.round(await alice.page.evaluate(() => globalThis.firstMessage));
    t.diagnostic(`${(weight / KB).toFixed(1)} KB in ${loads.length} requests: ${loads.map((l) => l.join(' ')).join(', ')}; first message after ${first} ms`);
    assert.ok(loads.length <= MOST_REQUESTS, `${loads.length} requests: ${loads.map(([path]) => path)}`);
    assert.ok(weight <= MOST_KB * KB, `${weight} bytes`);
    assert.ok(first < 2000, `the first message after ${first} ms`);
    assert.deepEqual(alice.troubles, []);
  });

  test('The page opens without a network, keeps nothing but its own files, and a new version takes over', async (t) => {
    const alice = await visit(t, unique('alice'));
    await alice.page.goto(stage.system.url);
    await alice.connected();
    await alice.page.evaluate(async () => {
      await navigator.serviceWorker.ready;
      if (!navigator.serviceWorker.controller) await new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true }));
    });
    await alice.say('hello');
    await alice.acknowledged();
    const kept = () => alice.page.evaluate(async () => {
      const all = [];
      for (const name of await caches.keys()) for (const request of await (await caches.open(name)).keys()) all.push([name, new URL(request.url).pathname]);
      return all;
    });
    await alice.context.setOffline(true);
    await alice.page.reload();
    await alice.lost();
    await alice.page.getByRole('heading', { name: '# lobby' }).waitFor();
    await alice.context.setOffline(false);
    await alice.connected();
    const before = await kept();
    assert.equal(new Set(before.map(([name]) => name)).size, 1);
    const own = /^\/(|favicon\.svg|manifest\.webmanifest|icons\/[\w-]+\.png|assets\/[\w-]+\.(js|css))$/;
    assert.deepEqual(before.map(([, path]) => path).filter((path) => !own.test(path)), []);

    const file = `${stage.root}/sw.js.br`;
    const worker = readFileSync(file);
    t.after(() => writeFileSync(file, worker));
    const [[cache]] = before;
    const version = cache.replace('aspirechat-page-', '');
    writeFileSync(file, brotliCompressSync(brotliDecompressSync(worker).toString().replace(version, 'another')));
    await alice.page.evaluate(async () => { await (await navigator.serviceWorker.ready).update(); });
    await alice.page.locator('.toast', { hasText: 'There is a new version' }).waitFor();
    await eventually('the old version is gone', async () => (await kept()).every(([name]) => name === 'aspirechat-page-another'));
    await alice.button('Reload').click();
    await alice.connected();
    assert.deepEqual(alice.troubles, []);
  });

  test('The sources without a build step are the same page', async (t) => {
    const policy = (await fetch(stage.system.url)).headers.get('content-security-policy');
    const context = await stage.browser.newContext({ serviceWorkers: 'block' });
    t.after(() => context.close());
    await context.route((url) => existsSync(sourceOf(url)), (route) => {
      const path = sourceOf(new URL(route.request().url()));
      return route.fulfill({ path, headers: { 'content-security-policy': policy, 'content-type': typeOf(path) } });
    });
    const alice = new Person(unique('alice'), context, await context.newPage());
    await alice.page.goto(stage.system.url);
    await alice.page.getByLabel('Your name').fill(alice.name);
    await alice.page.keyboard.press('Enter');
    await alice.connected();
    await alice.say('from the sources');
    await alice.acknowledged();
    await alice.sees('from the sources');
    assert.equal(await alice.page.locator('script[src="app/main.js"]').count(), 1);
    assert.deepEqual(alice.troubles, []);
  });
}

const sourceOf = ({ pathname }) => WEB + (pathname === '/' ? 'index.html' : pathname.slice(1));
const typeOf = (path) => (
  { js: 'text/javascript', css: 'text/css', html: 'text/html', svg: 'image/svg+xml', png: 'image/png', webmanifest: 'application/manifest+json' })[path.split('.').at(-1)];
