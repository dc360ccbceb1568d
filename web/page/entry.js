// What the published page begins with. The page without a build step begins with app/main.js and has no worker, so that an edit shows at once.
import { h } from '../app/dom.js';
import '../app/main.js';

/** A chat stays open for days, and a browser looks for a new worker only when a page is opened. */
const LOOK_EVERY_MS = 3600_000;

if ('serviceWorker' in navigator) {
  const { serviceWorker } = navigator;
  // The first worker brings no new version.
  let isUpdate = serviceWorker.controller !== null;
  serviceWorker.addEventListener('controllerchange', () => {
    if (isUpdate) offer();
    isUpdate = true;
  });
  serviceWorker.addEventListener('message', ({ data }) => { if (typeof data?.open === 'string') location.hash = data.open; });
  // The page itself comes first.
  addEventListener('load', async () => {
    try {
      const registration = await serviceWorker.register('/sw.js');
      setInterval(() => registration.update().catch(() => {}), LOOK_EVERY_MS);
    } catch { /* The page works without it: workers can be forbidden. */ }
  });
}

function offer() {
  const toast = h('p', { class: 'toast', role: 'status' }, 'There is a new version of this page. ',
    h('button', { type: 'button', class: 'link', onclick: () => location.reload() }, 'Reload'),
    h('button', { type: 'button', class: 'link', onclick: () => toast.remove() }, 'Later'));
  document.body.append(toast);
}
