import { isRoomId, isUserId } from '../lib/protocol.js';
import './status.js';
import { h, icon } from './dom.js';
import { Listing, fill } from './listing.js';
import { face, nameOf } from './people.js';
import { createRoom } from './room-rules.js';

const LOOK_EVERY_MS = 20_000;
const STATES = {
  idle: 'Offline', connecting: 'Connecting…', connected: 'Connected', reconnecting: 'Reconnecting…', closed: 'Disconnected',
};

/**
 * The user's conversations with unread counts. Fires `open` with the `{kind, name}` to join or start, `find`, `sign-out`, `trouble` with a
 * text, and `unread` with the number of messages that are unread in the conversations that are not shown.
 */
export class ChatSidebar extends HTMLElement {
  #client = null;
  /** @type {Listing|null} */
  #listing = null;
  #current = null;
  #rooms = h('ul', { class: 'conversations' });
  #directs = h('ul', { class: 'conversations' });
  #state = h('span', { class: 'connection small', role: 'status' });
  #drawing = false;
  /** What the app's icon shows. */
  #badge = -1;
  #self = h('span', {});
  #name = h('strong', {});
  /** Whether the selected conversation was chosen just now, and may be out of view. */
  #moved = false;

  /** @param {any} client @param {string} user @param {import('./notices.js').Notices} notices */
  watch(client, user, notices) {
    this.#client = client;
    this.#listing = new Listing(client);
    client.on('overview', (items) => { this.#listing.learn(items); this.#draw(); });
    const bell = h('button', {
      type: 'button', class: 'plain round bell', 'aria-label': 'Notifications',
      onclick: () => (notices.state === 'on' ? notices.turnOff() : notices.turnOn()),
    }, icon('bell'));
    const drawBell = () => {
      const { state } = notices;
      bell.hidden = state === 'blocked';
      bell.title = state === 'on' ? 'Notifications are on' : 'Notifications are off';
      bell.setAttribute('aria-pressed', String(state === 'on'));
    };
    notices.onChange(drawBell);
    drawBell();
    const diagnostics = h('chat-diagnostics', {});
    this.append(
      h('header', { class: 'bar' }, h('h1', { class: 'sr-only' }, 'AspireChat'), this.#self,
        h('div', { class: 'titles' }, this.#name, this.#state),
        bell,
        h('button', {
          type: 'button', class: 'plain round', 'aria-label': 'Sign out', title: 'Sign out',
          onclick: () => this.dispatchEvent(new CustomEvent('sign-out')),
        }, icon('exit'))),
      h('button', {
        type: 'button', class: 'find muted', 'aria-keyshortcuts': 'Control+K', onclick: () => this.dispatchEvent(new CustomEvent('find')),
      }, icon('search'), h('span', { class: 'name' }, 'Find'), h('kbd', { class: 'small', 'aria-hidden': 'true' }, 'Ctrl K')),
      h('nav', { 'aria-label': 'Conversations' },
        this.#section('Rooms', 'room', 'Join or create a room', this.#rooms),
        this.#section('Direct messages', 'direct', 'Message a user', this.#directs)),
      h('section', { 'aria-label': 'Diagnostics' }, diagnostics));
    diagnostics.watch(client, () => client.conversations.get(this.#current ?? ''));
    client.on('status', ({ state }) => { this.#draw(); if (state === 'connected') this.#lookAround(); });
    client.presence.on('change', () => this.#draw());
    client.on('profile', () => this.#draw());
    const timer = setInterval(() => (this.isConnected ? this.#lookAround() : clearInterval(timer)), LOOK_EVERY_MS);
    client.on('conversation', (conversation) => {
      conversation.on('change', () => this.#draw());
      this.#draw();
      if (conversation.kind === 'direct') this.#lookAround();
    });
    client.on('left', ({ key }) => { this.#listing.forget(key); this.#draw(); });
    this.#draw();
  }

  select(key) {
    this.#moved = key !== this.#current;
    this.#current = key;
    this.#draw();
  }

  /** In the order shown. @returns {Conversation[]} */
  get order() { return [...this.#listing.order('room'), ...this.#listing.order('direct')]; }

  // Rooms tell their members' presence. The server is asked about other users while the page is visible.
  #lookAround() {
    const users = [...this.#client.conversations.values()].filter((c) => c.kind === 'direct').map((c) => c.name);
    if (users.length === 0 || this.#client.status.state !== 'connected' || document.visibilityState !== 'visible') return;
    this.#client.presence.fetch(users).catch(() => {});
  }

  #section(title, kind, label, list) {
    const isRoom = kind === 'room';
    const input = h('input', {
      name: kind, 'aria-label': label, placeholder: isRoom ? 'Room name' : 'User name', maxLength: isRoom ? 64 : 128,
      autocapitalize: 'none', spellcheck: false, autocomplete: 'off',
    });
    const form = h('form', {
      class: 'add', hidden: true, noValidate: true,
      onsubmit: (event) => {
        event.preventDefault();
        const name = isRoom ? input.value.trim().replace(/^#/, '') : input.value.trim();
        input.setCustomValidity((isRoom ? isRoomId : isUserId)(name) ? '' : `Letters, digits and _ . -${isRoom ? '' : ' @ | : + = ~'} only.`);
        if (!input.reportValidity()) return;
        input.value = '';
        toggle(false);
        this.dispatchEvent(new CustomEvent('open', { detail: { kind, name } }));
      },
      onkeydown: (event) => { if (event.key === 'Escape') { toggle(false); button.focus(); } },
    }, input, h('button', { type: 'submit', class: 'small-button' }, isRoom ? 'Join' : 'Open'),
      isRoom && h('button', { type: 'button', class: 'small-button', onclick: () => { toggle(false); this.#create(input.value.trim().replace(/^#/, '')); } }, 'New…'));
    input.addEventListener('input', () => input.setCustomValidity(''));
    const toggle = (open) => {
      form.hidden = !open;
      button.setAttribute('aria-expanded', String(open));
      if (open) input.focus();
    };
    const button = h('button', {
      type: 'button', class: 'plain round tiny', 'aria-label': label, 'aria-expanded': 'false', title: label,
      onclick: () => toggle(form.hidden),
    }, icon('plus'));
    return h('section', { 'aria-label': title }, h('div', { class: 'section-title' }, h('h2', {}, title), button), form, list);
  }

  async #create(id) {
    try {
      const room = await createRoom(this.#client, isRoomId(id) ? id : '');
      if (room) this.dispatchEvent(new CustomEvent('open', { detail: { kind: 'room', name: room } }));
    } catch (error) {
      this.dispatchEvent(new CustomEvent('trouble', { detail: error.status === 409 ? `#${id} exists already.` : error.message }));
    }
  }

  // Many changes may come together, such as a replay's. They are drawn once.
  #draw() {
    if (this.#drawing) return;
    this.#drawing = true;
    queueMicrotask(() => {
      this.#drawing = false;
      const { user, status: { state } } = this.#client;
      this.#self.replaceChildren(face(this.#client, user));
      [this.#name.textContent, this.#name.title] = [nameOf(this.#client, user), user];
      this.#state.className = `connection small ${state}`;
      this.#state.textContent = STATES[state];
      const order = this.order;
      const items = (kind) => order.filter((c) => c.kind === kind).map((c) => this.#listing.item(c, c.key === this.#current));
      fill(this.#rooms, items('room'), 'No rooms yet');
      fill(this.#directs, items('direct'), 'No conversations yet');
      const unread = order.reduce((sum, c) => sum + c.unread, 0);
      document.title = unread > 0 ? `(${unread}) AspireChat` : 'AspireChat';
      if (unread !== this.#badge) navigator.setAppBadge?.(this.#badge = unread).catch(() => {});
      const elsewhere = order.reduce((sum, c) => sum + (c.key === this.#current ? 0 : c.unread), 0);
      this.dispatchEvent(new CustomEvent('unread', { detail: elsewhere }));
      if (this.#moved) this.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' });
      this.#moved = false;
    });
  }
}
customElements.define('chat-sidebar', ChatSidebar);
