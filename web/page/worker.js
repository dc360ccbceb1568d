// The service worker: it keeps the page's own files, so that the page opens at once and without a network. It answers for these files alone.
// API answers, tokens and sockets never pass through it. The build fills in SHELL, SCRIPT and VERSION.
/* global SHELL, SCRIPT, VERSION */

const PREFIX = 'aspirechat-page-';
const CACHE = PREFIX + VERSION;
const files = new Set(SHELL);

addEventListener('install', (event) => event.waitUntil(keep()));

addEventListener('activate', (event) => event.waitUntil((async () => {
  // An open page has loaded all its files, so nothing needs the old ones.
  for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
  await clients.claim();
})()));

addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname, search } = new URL(request.url);
  if (request.method !== 'GET' || origin !== location.origin || search !== '') return;
  const path = pathname === '/index.html' ? '/' : pathname;
  if (files.has(path)) event.respondWith(answer(path, request));
});

async function keep() {
  const cache = await caches.open(CACHE);
  const entry = await fetch('/', { cache: 'no-store' });
  // While a new release is rolled out, the entry may come from an old gateway. Its scripts would be missing here. The browser tries again.
  if (!entry.ok || !(await entry.clone().text()).includes(SCRIPT)) throw new Error('The entry is of another version.');
  await cache.put('/', entry);
  await cache.addAll(SHELL.filter((path) => path !== '/'));
  await skipWaiting();
}

async function answer(path, request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(path)) ?? fetch(request);
}

addEventListener('notificationclick', (event) => {
  const { notification } = event;
  notification.close();
  event.waitUntil((async () => {
    const [page] = await clients.matchAll({ type: 'window' });
    if (!page) return clients.openWindow(`/${notification.data.hash}`);
    await page.focus();
    page.postMessage({ open: notification.data.hash });
  })());
});
