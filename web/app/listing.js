import { h, whenShort } from './dom.js';
import { face, looksOfPeople, nameOf } from './people.js';
import { hashOf } from './session.js';

const PREVIEW_MOST = 100;

/** The user's conversations as the list shows them: the one with the newest message first, with a preview of it. */
export class Listing {
  #client;
  /** The newest messages by the server's list, by key. @type {Map<string, any>} */
  #listed = new Map();
  /** The items as they were drawn last, by key. @type {Map<string, {li: HTMLElement, signature: string}>} */
  #items = new Map();

  constructor(client) { this.#client = client; }

  /** @param {any[]} overview the server's list */
  learn(overview) {
    this.#listed = new Map(overview.map(({ room, to, last }) => [room !== undefined ? `room:${room}` : `to:${to}`, last]));
  }

  /** What a conversation is called. */
  nameOf({ kind, name, title }) { return kind === 'room' ? title ?? name : nameOf(this.#client, name); }

  /** Those of a kind: the newest message first, and by name those without one. @param {'room'|'direct'} kind @returns {any[]} */
  order(kind) {
    const all = [...this.#client.conversations.values()].filter((c) => c.kind === kind).map((c) => ({ c, at: Date.parse(this.#last(c)?.timestamp ?? '') || 0 }));
    all.sort((a, b) => b.at - a.at || this.nameOf(a.c).localeCompare(this.nameOf(b.c), undefined, { numeric: true }));
    return all.map(({ c }) => c);
  }

  /** @param {any} conversation @param {boolean} current @returns {HTMLElement} the same one as long as it looks the same */
  item(conversation, current) {
    const { key, kind, name, unread, mentions, typingUsers } = conversation;
    const client = this.#client;
    const shown = this.nameOf(conversation);
    const last = this.#last(conversation);
    const isOnline = kind === 'direct' && client.presence.isOnline(name);
    const isTyping = typingUsers.length > 0;
    const preview = last ? this.#preview(kind, last) : '';
    const time = last ? whenShort(last.timestamp) : '';
    const signature = JSON.stringify([current, shown, unread, mentions, isTyping, isOnline, preview, time, kind === 'direct' && looksOfPeople(client, [name])]);
    const old = this.#items.get(key);
    if (old?.signature === signature) return old.li;
    const li = h('li', {}, h('a', { href: hashOf({ kind, name }), class: unread > 0 ? 'unread' : '', 'aria-current': current ? 'page' : null },
      kind === 'room' ? h('span', { class: 'hash', 'aria-hidden': 'true' }, '#')
        : h('span', { class: `presence${isOnline ? ' on' : ''}` }, face(client, name)),
      h('span', { class: 'who' },
        h('span', { class: 'name', title: name }, shown),
        preview && h('span', { class: 'preview muted small' }, preview)),
      h('span', { class: 'aside' },
        time && h('span', { class: 'muted small' }, time),
        h('span', { class: 'counts' },
          isTyping && h('span', { class: 'dots', title: 'Someone is typing' }, h('i'), h('i'), h('i')),
          mentions > 0 && h('span', { class: 'mention', title: 'You are mentioned' }, '@', h('span', { class: 'sr-only' }, ` ${mentions} of them mention you,`)),
          unread > 0 && h('span', { class: 'badge' }, unread > 99 ? '99+' : String(unread), h('span', { class: 'sr-only' }, ' unread'))))));
    this.#items.set(key, { li, signature });
    return li;
  }

  /** Forgets what was drawn of a conversation that was left. @param {string} key */
  forget(key) {
    this.#items.delete(key);
    this.#listed.delete(key);
  }

  #last({ key, messages }) {
    const [listed, loaded] = [this.#listed.get(key), messages.at(-1)];
    return loaded && loaded.seq >= (listed?.seq ?? 0) ? loaded : listed;
  }

  #preview(kind, { from, content, deleted }) {
    if (deleted) return 'A message was deleted';
    const line = content.replace(/\s+/g, ' ').slice(0, PREVIEW_MOST);
    return from === this.#client.user ? `You: ${line}` : kind === 'room' ? `${nameOf(this.#client, from)}: ${line}` : line;
  }
}

/** Makes the items the list's, and keeps those in place that are there already. @param {HTMLElement} list @param {HTMLElement[]} items @param {string} empty */
export function fill(list, items, empty) {
  const focused = list.querySelector('a:focus')?.getAttribute('href');
  const wanted = items.length > 0 ? items : [h('li', { class: 'muted small empty' }, empty)];
  if (wanted.length === list.children.length && wanted.every((li, i) => li === list.children[i])) return;
  list.replaceChildren(...wanted);
  if (focused) [...list.querySelectorAll('a')].find((a) => a.getAttribute('href') === focused)?.focus();
}
