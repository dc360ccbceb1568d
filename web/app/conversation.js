import './composer.js';
import './messages.js';
import { avatar, h, icon, listNames } from './dom.js';

const EMOJI = '😀 😂 😊 😍 😎 🤔 😴 😢 😡 😱 🥳 🙏 👍 👎 👏 🙌 💪 👋 ❤️ 💔 🔥 ⭐ 🎉 🚀 ☕ 🍕 🐛 🔧 ✅ ❌ ⚠️ 💡'.split(' ');

/** One open conversation: head, messages, typing users, composer and members. Fires `direct` with a user, and `leave`. */
export class ChatConversation extends HTMLElement {
  client = null;
  #conversation = null;
  #lifetime = new AbortController();
  /** The room's offline members. @type {string[]} */
  #away = [];
  #title = h('h1', { tabIndex: -1 });
  #subtitle = h('p', { class: 'muted small' });
  #typing = h('p', { class: 'typing muted small' });
  #messages = h('chat-messages');
  #composer = h('chat-composer');
  #people = h('ul', { class: 'people' });
  #peopleTitle = h('h2');
  #panel = h('aside', { class: 'panel', 'aria-label': 'People' }, this.#peopleTitle, this.#people);
  #peopleButton = h('button', {
    type: 'button', class: 'plain round', 'aria-label': 'Show people', 'aria-expanded': 'false', title: 'People',
    onclick: () => this.#togglePeople(),
  }, icon('people'));
  #leave = h('button', {
    type: 'button', class: 'plain round', 'aria-label': 'Leave the room', title: 'Leave the room',
    onclick: () => this.dispatchEvent(new CustomEvent('leave', { detail: this.#conversation })),
  }, icon('leave'));
  #picked = null;
  #palette = h('dialog', {
    class: 'palette', 'aria-label': 'Emoji', onclose: () => { if (this.#palette.returnValue) this.#picked(this.#palette.returnValue); },
    onclick: ({ target }) => { if (target === this.#palette) this.#palette.close(); },
  }, h('form', { method: 'dialog' }, ...EMOJI.map((emoji) => h('button', { value: emoji, class: 'plain', 'aria-label': emoji }, emoji))));

  connectedCallback() {
    this.setAttribute('role', 'main');
    this.#messages.client = this.client;
    this.append(
      h('section', { class: 'column', 'aria-label': 'Conversation' },
        h('header', { class: 'bar' },
          h('a', { class: 'plain round back', href: '#', 'aria-label': 'Back to the conversations' }, icon('back')),
          h('div', { class: 'titles' }, this.#title, this.#subtitle),
          this.#leave, this.#peopleButton),
        this.#messages, this.#typing, this.#composer),
      this.#panel, this.#palette);
    this.addEventListener('keydown', ({ key }) => { if (key === 'Escape') this.#togglePeople(false); });
    this.addEventListener('edit', ({ detail }) => this.#composer.edit(detail));
    this.addEventListener('done', () => this.#composer.focus());
    this.addEventListener('pick', ({ detail }) => {
      this.#picked = detail ? (emoji) => this.#messages.react(detail.seq, emoji) : (emoji) => this.#composer.insert(emoji);
      this.#palette.returnValue = '';
      this.#palette.showModal();
    });
    this.client.presence.on('change', () => this.#drawPeople());
    this.client.on('status', () => this.#drawPeople());
  }

  disconnectedCallback() { this.#lifetime.abort(); }

  show(conversation) {
    if (conversation === this.#conversation) return;
    this.#lifetime.abort();
    this.#lifetime = new AbortController();
    this.#conversation = conversation;
    this.#away = [];
    this.#togglePeople(false);
    conversation.on('change', ({ kind }) => {
      if (kind === 'typing') this.#drawTyping();
      else if (kind === 'members' || kind === 'ready') this.#drawPeople();
      if (kind === 'ready') this.#loadMembers();
    }, this.#lifetime);
    this.#leave.hidden = conversation.kind !== 'room';
    this.#title.textContent = `${conversation.kind === 'room' ? '# ' : ''}${conversation.name}`;
    this.#drawPeople();
    this.#drawTyping();
    this.#messages.show(conversation);
    this.#composer.show(conversation);
    this.#loadMembers();
  }

  /** Focuses the composer, or the title on a touch screen, where the composer would open the keyboard. */
  focus() {
    if (matchMedia('(pointer: coarse)').matches) this.#title.focus();
    else this.#composer.focus();
  }

  // Frames tell only changes of read cursors and presence.
  async #loadMembers() {
    const conversation = this.#conversation;
    if (!conversation.joined) return;
    try {
      const members = await conversation.loadMembers(this.#lifetime.signal && { signal: this.#lifetime.signal });
      if (conversation !== this.#conversation) return;
      this.#away = members.filter(({ online }) => !online).map(({ user }) => user);
      this.#drawPeople();
    } catch { /* the list stays as it is */ }
  }

  #togglePeople(force) {
    const open = this.classList.toggle('people-open', force);
    this.#peopleButton.setAttribute('aria-expanded', String(open));
  }

  #drawTyping() {
    const users = this.#conversation.typingUsers;
    const who = users.length > 3 ? `${users.length} people` : listNames(users);
    this.#typing.replaceChildren(...(users.length === 0 ? [] : [
      h('span', { class: 'dots', 'aria-hidden': 'true' }, h('i'), h('i'), h('i')), `${who} ${users.length > 1 ? 'are' : 'is'} typing…`]));
  }

  #drawPeople() {
    const conversation = this.#conversation;
    if (!conversation) return;
    const { user, presence, status } = this.client;
    const { kind, name, members, count, joined } = conversation;
    let people;
    if (kind === 'direct') {
      const online = name === user || presence.isOnline(name);
      this.#subtitle.textContent = name === user ? 'Notes to yourself'
        : online === undefined ? 'Direct messages' : online ? 'Online' : 'Offline';
      this.#subtitle.classList.toggle('online', online === true);
      this.#peopleTitle.textContent = 'In this conversation';
      people = [...new Set([name, user])].map((u) => this.#person(u, u === user || online));
    } else {
      this.#subtitle.textContent = joined ? `${count} online` : status.state === 'connected' ? 'Joining…' : 'Not connected';
      this.#subtitle.classList.remove('online');
      this.#peopleTitle.textContent = `Online: ${count}`;
      const here = [...members].sort((a, b) => Number(b === user) - Number(a === user) || a.localeCompare(b));
      people = here.map((u) => this.#person(u, true));
      if (count > here.length) people.push(h('li', { class: 'muted small more' }, `and ${count - here.length} more`));
      people.push(...this.#away.filter((u) => !members.has(u)).map((u) => this.#person(u, false)));
    }
    this.#people.replaceChildren(...people);
  }

  #person(name, online) {
    const self = name === this.client.user;
    const content = [h('span', { class: `presence${online ? ' on' : ''}` }, avatar(name)), h('span', { class: 'name' }, name)];
    return h('li', {}, self ? h('span', { class: 'person' }, ...content, h('span', { class: 'muted small' }, 'you')) : h('button', {
      type: 'button', class: 'person', title: `Message ${name}`,
      onclick: () => this.dispatchEvent(new CustomEvent('direct', { detail: name })),
    }, ...content, h('span', { class: 'sr-only' }, `, ${online ? 'online' : 'offline'}. Send a direct message`)));
  }
}
customElements.define('chat-conversation', ChatConversation);
