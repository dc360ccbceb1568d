import { h } from './dom.js';
import { nameOf } from './people.js';
import { hashOf } from './session.js';

const BODY_MOST = 200;

/** Browser notifications of direct messages and mentions that come while the user looks at something else. Each user decides once. */
export class Notices {
  #client;
  #key;
  #storage;
  #changed = () => {};

  /** @param {any} client @param {string} user @param {Storage} [storage] may be forbidden */
  constructor(client, user, storage = localStorage) {
    this.#client = client;
    this.#key = `aspirechat.notices.${user}`;
    this.#storage = storage;
    const watch = (conversation) => conversation.on('change', ({ kind, messages }) => {
      if (kind === 'append') for (const message of messages) this.#arrived(conversation, message);
    });
    for (const conversation of client.conversations.values()) watch(conversation);
    client.on('conversation', watch);
  }

  /** `on`, `off`, `unasked`, or `blocked` where the browser allows none. */
  get state() {
    if (typeof Notification === 'undefined' || Notification.permission === 'denied') return 'blocked';
    const chosen = this.#read();
    if (chosen === 'off') return 'off';
    return chosen === 'on' && Notification.permission === 'granted' ? 'on' : chosen === null ? 'unasked' : 'off';
  }

  /** Asks the browser. It takes the question only on an act of the user's. */
  async turnOn() {
    this.#write((await Notification.requestPermission()) === 'granted' ? 'on' : 'off');
  }

  turnOff() { this.#write('off'); }

  /** @param {() => void} changed called when `state` has changed */
  onChange(changed) { this.#changed = changed; }

  /** The question, after the user's first message: it shows that they stay. @returns {HTMLElement|null} null when there is nothing to ask */
  question() {
    if (this.state !== 'unasked') return null;
    const answer = (act) => () => { bar.remove(); act(); };
    const bar = h('div', { class: 'ask', role: 'region', 'aria-label': 'Notifications' },
      h('span', {}, 'Shall this page notify you of direct messages and mentions while you are elsewhere?'),
      h('span', { class: 'answers' },
        h('button', { type: 'button', class: 'small-button', onclick: answer(() => this.turnOn()) }, 'Notify me'),
        h('button', { type: 'button', class: 'link', onclick: answer(() => this.turnOff()) }, 'No')));
    return bar;
  }

  #arrived(conversation, { own, seq, from, content, mentions }) {
    const away = document.visibilityState === 'hidden' || !document.hasFocus();
    const isForUser = conversation.kind === 'direct' || mentions.includes(this.#client.user);
    if (own || !away || !isForUser || seq <= conversation.read || this.state !== 'on') return;
    const name = nameOf(this.#client, from);
    const title = conversation.kind === 'direct' ? name : `${name} in #${conversation.name}`;
    // One for each conversation: a newer one takes the place of the older.
    const options = { body: content.slice(0, BODY_MOST), tag: conversation.key, icon: 'icons/icon-192.png', data: { hash: hashOf(conversation) } };
    this.#show(title, options).catch(() => { /* The browser may refuse at any time. The badge tells it too. */ });
  }

  async #show(title, options) {
    // Phones allow only the worker to notify.
    const registration = await navigator.serviceWorker?.getRegistration();
    if (registration?.active) return registration.showNotification(title, options);
    const notification = new Notification(title, options);
    notification.onclick = () => {
      focus();
      location.hash = options.data.hash;
      notification.close();
    };
  }

  #read() { try { return this.#storage.getItem(this.#key); } catch { return null; } }

  #write(chosen) {
    try { this.#storage.setItem(this.#key, chosen); } catch { /* It is asked again next time. */ }
    this.#changed();
  }
}
