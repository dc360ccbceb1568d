import './composer.js';
import './members.js';
import './messages.js';
import { ask } from './ask.js';
import { dayAndTime, h, icon } from './dom.js';
import { rove } from './keys.js';
import { nameOf, namesOf } from './people.js';
import { changeRoom } from './room-rules.js';

const EMOJI = '😀 😂 😊 😍 😎 🤔 😴 😢 😡 😱 🥳 🙏 👍 👎 👏 🙌 💪 👋 ❤️ 💔 🔥 ⭐ 🎉 🚀 ☕ 🍕 🐛 🔧 ✅ ❌ ⚠️ 💡'.split(' ');
const EMOJI_COLUMNS = 8;
const TYPING_NAMED = 3;

/** One open conversation: head, messages, typing users, composer and members. Fires `direct` with a user, and `leave`. */
export class ChatConversation extends HTMLElement {
  client = null;
  drafts = null;
  #conversation = null;
  #lifetime = new AbortController();
  #title = h('h1', { tabIndex: -1 });
  #subtitle = h('p', { class: 'muted small' });
  #typing = h('p', { class: 'typing muted small' });
  #messages = h('chat-messages');
  #composer = h('chat-composer');
  #members = h('chat-members');
  #panel = h('aside', { class: 'panel', 'aria-label': 'People' }, this.#members);
  #peopleButton = h('button', {
    type: 'button', class: 'plain round', 'aria-label': 'Show people', 'aria-expanded': 'false', title: 'People',
    onclick: () => this.#togglePeople(),
  }, icon('people'));
  #leave = h('button', {
    type: 'button', class: 'plain round', 'aria-label': 'Leave the room', title: 'Leave the room',
    onclick: () => this.#askToLeave(),
  }, icon('minus'));
  #settings = h('button', {
    type: 'button', class: 'plain round', 'aria-label': 'Change the room', title: 'Change the room', onclick: () => this.#change(),
  }, icon('gear'));
  #badge = h('span', { class: 'badge', hidden: true });
  #back = h('a', { class: 'plain round back', href: '#', 'aria-label': 'Back to the conversations' }, icon('back'), this.#badge);
  #picked = null;
  /** What the server says of the other user. @type {{online: boolean, lastSeen: string|null}|null} */
  #other = null;
  #emoji = h('form', { method: 'dialog' }, ...EMOJI.map((emoji) => h('button', { value: emoji, class: 'plain', 'aria-label': emoji }, emoji)));
  #palette = h('dialog', {
    class: 'palette', 'aria-label': 'Emoji', onclose: () => { if (this.#palette.returnValue) this.#picked(this.#palette.returnValue); },
    onclick: ({ target }) => { if (target === this.#palette) this.#palette.close(); },
  }, this.#emoji);

  connectedCallback() {
    this.setAttribute('role', 'main');
    this.#messages.client = this.#members.client = this.#composer.client = this.client;
    this.#composer.drafts = this.drafts;
    rove(this.#emoji, EMOJI_COLUMNS);
    this.append(
      h('section', { class: 'column', 'aria-label': 'Conversation' },
        h('header', { class: 'bar' }, this.#back, h('div', { class: 'titles' }, this.#title, this.#subtitle), this.#settings, this.#leave, this.#peopleButton),
        this.#messages, this.#typing, this.#composer),
      this.#panel, this.#palette);
    this.addEventListener('keydown', ({ key }) => { if (key === 'Escape') this.#togglePeople(false); });
    // Where the list lies over the messages, a tap beside it closes it.
    this.addEventListener('pointerdown', ({ target }) => {
      if (!this.#panel.contains(target) && !this.#peopleButton.contains(target)) this.#togglePeople(false);
    });
    this.addEventListener('edit', ({ detail }) => this.#composer.edit(detail));
    this.addEventListener('reply', ({ detail }) => this.#composer.reply(detail));
    this.addEventListener('edited', ({ detail: { seq, content } }) => this.#messages.edit(seq, content));
    this.addEventListener('done', () => this.#composer.focus());
    this.addEventListener('pick', ({ detail }) => {
      this.#picked = detail ? (emoji) => this.#messages.react(detail.seq, emoji) : (emoji) => this.#composer.insert(emoji);
      this.#palette.returnValue = '';
      this.#palette.showModal();
    });
    this.client.presence.on('change', () => this.#drawHead());
    this.client.on('status', () => this.#drawHead());
    this.client.on('profile', () => { this.#drawHead(); this.#drawTyping(); if (this.#conversation) this.#composer.draw(); });
  }

  disconnectedCallback() { this.#lifetime.abort(); }

  show(conversation) {
    if (conversation === this.#conversation) return;
    this.#lifetime.abort();
    this.#lifetime = new AbortController();
    this.#conversation = conversation;
    this.#other = null;
    this.#togglePeople(false);
    conversation.on('change', ({ kind }) => {
      if (kind === 'ready') this.#lookUp();
      if (kind === 'typing') this.#drawTyping();
      else if (kind === 'members' || kind === 'ready' || kind === 'room') this.#drawHead();
      if (kind === 'ready' || kind === 'room') this.#composer.draw();
    }, this.#lifetime);
    conversation.on('member', ({ user, change }) => {
      if (user === this.client.user && (change === 'muted' || change === 'unmuted')) this.#composer.mute(conversation, change === 'muted');
    }, this.#lifetime);
    this.#leave.hidden = conversation.kind !== 'room';
    this.#drawHead();
    this.#drawTyping();
    this.#messages.show(conversation);
    this.#composer.show(conversation);
    this.#members.show(conversation);
    this.#lookUp();
  }

  /** Focuses the composer, or the title on a touch screen, where the composer would open the keyboard. */
  focus() {
    if (matchMedia('(pointer: coarse)').matches || this.#composer.isReadOnly) this.#title.focus();
    else this.#composer.focus();
  }

  /** Goes to a message of the conversation that is shown. @param {number} seq */
  reveal(seq) { this.#messages.reveal(seq); }

  /** How many messages are unread in other conversations, which a narrow screen does not show. @param {number} count */
  showUnread(count) {
    this.#badge.hidden = count === 0;
    this.#badge.textContent = count > 99 ? '99+' : String(count);
    this.#back.setAttribute('aria-label', `Back to the conversations${count > 0 ? `, ${count} unread` : ''}`);
  }

  async #askToLeave() {
    const { name, visibility } = this.#conversation;
    const sure = await ask({
      title: `Leave #${name}?`, confirm: 'Leave',
      text: visibility === 'private' ? 'Only a member can bring you back.' : 'You can join it again at any time.',
    });
    if (sure) this.dispatchEvent(new CustomEvent('leave', { detail: this.#conversation }));
  }

  async #change() {
    try {
      await changeRoom(this.client, this.#conversation);
    } catch (error) {
      this.dispatchEvent(new CustomEvent('trouble', { detail: error.message }));
    }
  }

  async #lookUp() {
    const conversation = this.#conversation;
    const { client } = this;
    if (conversation.kind !== 'direct' || conversation.name === client.user || client.status.state !== 'connected') return;
    try {
      const [other] = await client.presence.fetch([conversation.name], { signal: this.#lifetime.signal });
      if (conversation !== this.#conversation) return;
      this.#other = other;
      this.#drawHead();
    } catch { /* It stays unknown. */ }
  }

  #togglePeople(force) {
    const open = this.classList.toggle('people-open', force);
    this.#peopleButton.setAttribute('aria-expanded', String(open));
  }

  #drawTyping() {
    const users = this.#conversation?.typingUsers ?? [];
    const who = users.length > TYPING_NAMED ? `${users.length} people` : namesOf(this.client, users);
    this.#typing.replaceChildren(...(users.length === 0 ? [] : [
      h('span', { class: 'dots', 'aria-hidden': 'true' }, h('i'), h('i'), h('i')), `${who} ${users.length > 1 ? 'are' : 'is'} typing…`]));
  }

  #drawHead() {
    if (!this.#conversation) return;
    const { user, presence, status } = this.client;
    const { kind, name, count, joined, title, topic } = this.#conversation;
    const isDirect = kind === 'direct';
    this.#settings.hidden = isDirect || this.#conversation.role !== 'owner';
    this.#title.textContent = isDirect ? nameOf(this.client, name) : `# ${title ?? name}`;
    [this.#title.title, this.#subtitle.title] = [name, topic ?? ''];
    const online = isDirect && (name === user || presence.isOnline(name));
    const id = isDirect && nameOf(this.client, name) !== name ? ` · ${name}` : '';
    const seen = this.#other && !this.#other.online
      ? this.#other.lastSeen ? `, last seen ${dayAndTime(this.#other.lastSeen)}` : '. Nobody of this name has been here yet' : '';
    this.#subtitle.textContent = isDirect
      ? (name === user ? 'Notes to yourself' : online === undefined ? 'Direct messages' : online ? 'Online' : `Offline${seen}`) + id
      : joined ? `${count} online${topic ? ` · ${topic}` : ''}` : status.state === 'connected' ? 'Joining…' : 'Not connected';
    this.#subtitle.classList.toggle('online', online === true);
  }
}
customElements.define('chat-conversation', ChatConversation);
