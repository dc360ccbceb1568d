import { h, icon } from './dom.js';
import { face, nameOf, who } from './people.js';
import { addPeople, isModerator, manage, powersOver } from './room-rules.js';

const ROLES = { owner: 'owner', moderator: 'moderator' };

/**
 * Who is in a conversation: those online and those offline apart, with their roles in a room, and what whoever runs it may do about them. Fires
 * `direct` with a user, and `trouble` with a text.
 */
export class ChatMembers extends HTMLElement {
  client = null;
  #conversation = null;
  #lifetime = new AbortController();
  /** The room's members, as the server listed them: frames tell only changes of presence. @type {Map<string, {user: string, role?: string}>} */
  #listed = new Map();
  /** Who is banned, as far as the user may know. @type {{user: string, reason?: string}[]} */
  #banned = [];
  #drawing = false;

  connectedCallback() {
    this.client.presence.on('change', () => this.#draw());
    this.client.on('profile', () => this.#draw());
    this.client.on('status', () => this.#draw());
  }

  disconnectedCallback() { this.#lifetime.abort(); }

  show(conversation) {
    this.#lifetime.abort();
    this.#lifetime = new AbortController();
    this.#conversation = conversation;
    this.#listed.clear();
    this.#banned = [];
    conversation.on('change', ({ kind }) => {
      if (kind === 'members' || kind === 'ready' || kind === 'room') this.#draw();
      if (kind === 'ready' || kind === 'room') this.#load();
    }, this.#lifetime);
    conversation.on('member', () => this.#load(), this.#lifetime);
    this.#draw();
    this.#load();
  }

  async #load() {
    const conversation = this.#conversation;
    if (!conversation.joined) return;
    try {
      const members = await conversation.loadMembers({ signal: this.#lifetime.signal });
      if (conversation !== this.#conversation) return;
      this.#listed = new Map(members.map((member) => [member.user, member]));
      this.#draw();
      const { items } = isModerator(conversation.role) ? await this.client.rooms.bans(conversation.name, { signal: this.#lifetime.signal }) : { items: [] };
      if (conversation !== this.#conversation) return;
      this.#banned = items;
      this.#draw();
    } catch { /* The list stays as it is. */ }
  }

  // Many changes may come together, and a list has hundreds of people. They are drawn once.
  #draw() {
    if (this.#drawing) return;
    this.#drawing = true;
    queueMicrotask(() => {
      this.#drawing = false;
      if (!this.#conversation) return;
      const focused = this.querySelector('button:focus')?.dataset.user;
      const { kind, name, members, count } = this.#conversation;
      const { user, presence } = this.client;
      const isDirect = kind === 'direct';
      const all = isDirect ? [...new Set([name, user])] : [...new Set([...members, ...this.#listed.keys()])];
      const isHere = (u) => u === user || (isDirect ? presence.isOnline(u) : members.has(u));
      const inOrder = (a, b) => Number(b === user) - Number(a === user) || nameOf(this.client, a).localeCompare(nameOf(this.client, b), undefined, { numeric: true });
      const [here, away] = [all.filter(isHere).sort(inOrder), all.filter((u) => !isHere(u)).sort(inOrder)];
      // Of a large room the server names only some who are online.
      const unnamed = isDirect ? 0 : count - here.length;
      const runs = !isDirect && isModerator(this.#conversation.role);
      this.replaceChildren(
        ...(runs ? [this.#adding()] : []),
        ...this.#section('Online', here.length + Math.max(0, unnamed), here, true, unnamed > 0 && h('li', { class: 'muted small more' }, `and ${unnamed} more`)),
        ...this.#section('Offline', away.length, away, false),
        ...(runs ? this.#bans() : []));
      if (focused) [...this.querySelectorAll('button')].find((button) => button.dataset.user === focused)?.focus();
    });
  }

  #section(title, count, users, online, more = false) {
    if (count === 0) return [];
    const id = `members-${title.toLowerCase()}`;
    return [h('h2', { id }, `${title}: ${count}`),
      h('ul', { class: 'people', 'aria-labelledby': id }, ...users.map((user) => this.#person(user, online)), more)];
  }

  #person(user, online) {
    const self = user === this.client.user;
    const name = nameOf(this.client, user);
    const role = ROLES[this.#listed.get(user)?.role];
    const content = [
      h('span', { class: `presence${online ? ' on' : ''}` }, face(this.client, user)),
      who(this.client, user),
      role && h('span', { class: 'role muted small' }, role),
      self && h('span', { class: 'muted small' }, 'you')];
    const powers = this.#conversation.kind === 'room' ? powersOver(this.#conversation.role, this.#listed.get(user)?.role) : [];
    const manager = !self && powers.length > 0 && h('button', {
      type: 'button', class: 'plain round tiny', 'aria-label': `Manage ${name}`, title: `Manage ${name}`, 'data-user': `manage ${user}`,
      onclick: () => this.#do(() => manage(this.client, this.#conversation, user, powers)),
    }, icon('more'));
    return h('li', {}, self ? h('span', { class: 'person' }, ...content) : h('button', {
      type: 'button', class: 'person', title: `Message ${name}`, 'data-user': user,
      onclick: () => this.dispatchEvent(new CustomEvent('direct', { detail: user, bubbles: true })),
    }, ...content, h('span', { class: 'sr-only' }, `, ${online ? 'online' : 'offline'}. Send a direct message`)), manager);
  }

  #adding() {
    const add = () => this.#do(() => addPeople(this.client, this.#conversation));
    return h('button', { type: 'button', class: 'small-button wide', 'data-user': 'add', onclick: add }, 'Add people');
  }

  #bans() {
    if (this.#banned.length === 0) return [];
    return [h('h2', { id: 'members-banned' }, `Banned: ${this.#banned.length}`),
      h('ul', { class: 'people', 'aria-labelledby': 'members-banned' }, ...this.#banned.map(({ user, reason }) => h('li', {},
        h('span', { class: 'person' }, face(this.client, user),
          h('span', { class: 'who' }, h('span', { class: 'name' }, nameOf(this.client, user)), reason && h('span', { class: 'muted small' }, reason))),
        h('button', {
          type: 'button', class: 'small-button', 'data-user': `unban ${user}`, 'aria-label': `End the ban of ${nameOf(this.client, user)}`,
          onclick: () => this.#do(() => this.client.rooms.unban(this.#conversation.name, user)),
        }, 'Unban'))))];
  }

  /** @param {() => Promise<any>} change */
  async #do(change) {
    try {
      await change();
      this.#load();
    } catch (error) {
      this.dispatchEvent(new CustomEvent('trouble', { detail: error.message, bubbles: true }));
    }
  }
}
customElements.define('chat-members', ChatMembers);
