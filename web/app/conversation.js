import './composer.js';
import './messages.js';
import { avatar, h, icon, listNames } from './dom.js';

/** @typedef {import('../aspirechat.js').ChatClient} ChatClient */
/** @typedef {import('../aspirechat.js').Conversation} Conversation */

const PRESENCE_EVERY_MS = 15_000;

/** One open conversation: its head, messages, who is typing, composer, and who is there. Fires `direct` with a user to talk to, and `leave`. */
export class ChatConversation extends HTMLElement {
  client = null;
  #conversation = null;
  #lifetime = new AbortController();
  /** Of the direct conversation's user, where no room tells. @type {boolean|null} */
  #partnerOnline = null;
  #title = h('h1', { tabIndex: -1 });
  #subtitle = h('p', { class: 'muted small' });
  #typing = h('p', { class: 'typing muted small' });
  #messages = h('chat-messages');
  #composer = h('chat-composer');
  #people = h('ul', { class: 'people' });
  #peopleTitle = h('h2', {});
  #panel = h('aside', { class: 'panel', 'aria-label': 'People' }, this.#peopleTitle, this.#people);
  #peopleButton = h('button', { type: 'button', class: 'plain round', 'aria-label': 'Show people', 'aria-expanded': 'false', title: 'People', onclick: () => this.#togglePeople() }, icon('people'));
  #leave = h('button', { type: 'button', class: 'plain round', title: 'Leave the room', 'aria-label': 'Leave the room', onclick: () => this.dispatchEvent(new CustomEvent('leave', { detail: this.#conversation })) }, icon('leave'));

  connectedCallback() {
    this.setAttribute('role', 'main');
    this.addEventListener('keydown', (event) => { if (event.key === 'Escape') this.#togglePeople(false); });
    this.append(
      h('section', { class: 'column', 'aria-label': 'Conversation' },
        h('header', { class: 'bar' },
          h('a', { class: 'plain round back', href: '#', 'aria-label': 'Back to the conversations' }, icon('back')),
          h('div', { class: 'titles' }, this.#title, this.#subtitle),
          this.#leave, this.#peopleButton),
        this.#messages, this.#typing, this.#composer),
      this.#panel);
  }

  disconnectedCallback() { this.#lifetime.abort(); }

  show(conversation) {
    if (conversation === this.#conversation) return;
    this.#lifetime.abort();
    this.#lifetime = new AbortController();
    this.#conversation = conversation;
    this.#partnerOnline = null;
    this.#togglePeople(false);
    conversation.on('change', ({ kind }) => {
      if (kind === 'typing') this.#drawTyping();
      else if (kind === 'members' || kind === 'ready') this.#drawPeople();
    }, this.#lifetime);
    this.#leave.hidden = conversation.kind !== 'room';
    this.#title.textContent = conversation.kind === 'room' ? `# ${conversation.name}` : conversation.name;
    this.#drawPeople();
    this.#drawTyping();
    this.#messages.show(conversation);
    this.#composer.show(conversation);
    if (conversation.kind === 'direct') this.#watchPartner(conversation, this.#lifetime.signal);
  }

  /** Puts the keyboard where one writes; on a touch screen that would open its keyboard, so there it is the title. */
  focus() {
    if (matchMedia('(pointer: coarse)').matches) this.#title.focus();
    else this.#composer.focus();
  }

  // Presence frames are of rooms. Of a user met in no room it is asked, while the conversation is open.
  async #watchPartner(conversation, signal) {
    const ask = async () => {
      if (document.visibilityState !== 'visible' || this.client.status.state !== 'connected') return;
      try {
        const { items } = await this.client.presence([conversation.name], signal);
        this.#partnerOnline = items[0]?.online ?? null;
      } catch {
        this.#partnerOnline = null;
      }
      if (!signal.aborted) this.#drawPeople();
    };
    const timer = setInterval(ask, PRESENCE_EVERY_MS);
    signal.addEventListener('abort', () => clearInterval(timer));
    await ask();
  }

  #togglePeople(force) {
    const open = this.classList.toggle('people-open', force);
    this.#peopleButton.setAttribute('aria-expanded', String(open));
  }

  #drawTyping() {
    const users = this.#conversation?.typingUsers ?? [];
    const who = users.length > 3 ? `${users.length} people` : listNames(users);
    this.#typing.replaceChildren(...(users.length === 0 ? [] : [
      h('span', { class: 'dots', 'aria-hidden': 'true' }, h('i'), h('i'), h('i')), `${who} ${users.length > 1 ? 'are' : 'is'} typing…`]));
  }

  #drawPeople() {
    const conversation = this.#conversation;
    const { user } = this.client;
    if (conversation.kind === 'direct') {
      const online = this.#partnerOnline ?? (this.client.isOnline(conversation.name) ? true : null);
      this.#subtitle.textContent = conversation.name === user ? 'Notes to yourself' : online === null ? 'Direct messages' : online ? 'Online' : 'Offline';
      this.#subtitle.className = `muted small${online ? ' online' : ''}`;
      this.#peopleTitle.textContent = 'In this conversation';
      this.#people.replaceChildren(...[...new Set([conversation.name, user ?? ''])].map((u) => this.#person(u, u === user || online === true)));
      return;
    }
    const members = [...conversation.members].sort((a, b) => Number(b === user) - Number(a === user) || a.localeCompare(b));
    this.#subtitle.textContent = conversation.joined ? `${conversation.count} online` : this.client.status.state === 'connected' ? 'Joining…' : 'Not connected';
    this.#subtitle.className = 'muted small';
    this.#peopleTitle.textContent = `Online: ${conversation.count}`;
    this.#people.replaceChildren(...members.map((u) => this.#person(u, true)),
      ...(conversation.count > members.length ? [h('li', { class: 'muted small more' }, `and ${conversation.count - members.length} more`)] : []));
  }

  #person(name, online) {
    const self = name === this.client.user;
    const content = [h('span', { class: `presence${online ? ' on' : ''}` }, avatar(name)), h('span', { class: 'name' }, name), self && h('span', { class: 'muted small' }, 'you')];
    if (self) return h('li', {}, h('span', { class: 'person' }, ...content));
    return h('li', {}, h('button', {
      type: 'button', class: 'person', title: `Message ${name}`, onclick: () => this.dispatchEvent(new CustomEvent('direct', { detail: name })),
    }, ...content, h('span', { class: 'sr-only' }, `, ${online ? 'online' : 'offline'}. Send a direct message`)));
  }
}
customElements.define('chat-conversation', ChatConversation);
