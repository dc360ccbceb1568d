import { LIMITS } from '../aspirechat.js';
import { h, icon } from './dom.js';

/** @typedef {import('../aspirechat.js').Conversation} Conversation */

/** Where the user writes. Enter sends, Shift+Enter breaks the line; a draft stays with its conversation. */
export class ChatComposer extends HTMLElement {
  #conversation = null;
  #drafts = new WeakMap();
  #left = h('span', { class: 'left', role: 'status' });
  #text = h('textarea', {
    id: 'composer', rows: 1, maxLength: LIMITS.content, enterkeyhint: 'send', 'aria-label': 'Message',
    onkeydown: (event) => this.#key(event), oninput: () => this.#typed(),
  });
  #button = h('button', { type: 'submit', class: 'primary round', 'aria-label': 'Send', title: 'Send (Enter)' }, icon('send'));

  connectedCallback() {
    this.append(h('form', { onsubmit: (event) => { event.preventDefault(); this.#send(); } }, this.#text, this.#left, this.#button));
  }

  show(conversation) {
    if (this.#conversation) {
      this.#drafts.set(this.#conversation, this.#text.value);
      this.#conversation.stopTyping();
    }
    this.#conversation = conversation;
    this.#text.value = this.#drafts.get(conversation) ?? '';
    const where = conversation.kind === 'room' ? `#${conversation.name}` : conversation.name;
    this.#text.placeholder = `Message ${where}`;
    this.#text.setAttribute('aria-label', `Message ${where}`);
    this.#fit();
  }

  focus() { this.#text.focus(); }

  #key(event) {
    // While an input method composes, Enter picks a candidate.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#send();
  }

  #typed() {
    this.#fit();
    if (this.#text.value === '') this.#conversation?.stopTyping();
    else this.#conversation?.typing();
  }

  #send() {
    const content = this.#text.value.trim();
    if (content === '' || !this.#conversation) return;
    this.#text.value = '';
    this.#fit();
    // A failure shows at the message itself.
    this.#conversation.send(content).catch(() => {});
    this.#text.focus();
  }

  #fit() {
    this.#text.style.height = 'auto';
    this.#text.style.height = `${this.#text.scrollHeight}px`;
    const left = LIMITS.content - this.#text.value.length;
    this.#left.textContent = left < 500 ? String(left) : '';
    this.#button.disabled = this.#text.value.trim() === '';
  }
}
customElements.define('chat-composer', ChatComposer);
