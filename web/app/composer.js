import { LIMITS } from '../lib/protocol.js';
import { h, icon } from './dom.js';
import { nameOf } from './people.js';

/**
 * Where the user writes. Enter sends, Shift+Enter breaks the line. Each conversation keeps its draft. Fires `pick` for an emoji, `edited`
 * with the seq and the new text of a message, and `sent`.
 */
export class ChatComposer extends HTMLElement {
  client = null;
  /** @type {import('./drafts.js').Drafts|null} */
  drafts = null;
  #conversation = null;
  /** The seq of the message that is edited. */
  #editing = null;
  #left = h('span', { class: 'left', role: 'status' });
  #text = h('textarea', {
    id: 'composer', rows: 1, maxLength: LIMITS.content, enterkeyhint: 'send',
    onkeydown: (event) => this.#key(event), oninput: () => this.#typed(),
  });
  #mode = h('p', { class: 'mode small', hidden: true }, 'Editing a message. Escape cancels. ',
    h('button', { type: 'button', class: 'link', onclick: () => this.#stopEditing() }, 'Cancel'));
  #emoji = h('button', {
    type: 'button', class: 'plain round', 'aria-label': 'Insert an emoji', title: 'Emoji',
    onclick: () => this.dispatchEvent(new CustomEvent('pick', { bubbles: true })),
  }, icon('smile'));
  #button = h('button', { type: 'submit', class: 'primary round', 'aria-label': 'Send', title: 'Send (Enter)' }, icon('send'));

  connectedCallback() {
    this.append(this.#mode,
      h('form', { onsubmit: (event) => { event.preventDefault(); this.#send(); } }, this.#text, this.#left, this.#emoji, this.#button));
  }

  show(conversation) {
    this.#editing = null;
    this.#mode.hidden = true;
    this.#conversation?.stopTyping();
    this.#conversation = conversation;
    this.draw();
    this.#fill(this.drafts.get(conversation.key));
  }

  /** Whom the message is for may have got another name. */
  draw() {
    const { kind, name } = this.#conversation;
    const where = `Message ${kind === 'room' ? `#${name}` : nameOf(this.client, name)}`;
    this.#text.placeholder = where;
    this.#text.setAttribute('aria-label', where);
  }

  focus() { this.#text.focus(); }

  insert(text) {
    this.focus();
    this.#text.setRangeText(text, this.#text.selectionStart, this.#text.selectionEnd, 'end');
    this.#typed();
  }

  /** Edits a message. The draft comes back afterwards. */
  edit({ seq, content }) {
    this.#editing = seq;
    this.#mode.hidden = false;
    this.#fill(content);
    this.focus();
  }

  #stopEditing() {
    if (this.#editing === null) return;
    this.#editing = null;
    this.#mode.hidden = true;
    this.#fill(this.drafts.get(this.#conversation.key));
    this.focus();
  }

  #key(event) {
    if (event.key === 'Escape') this.#stopEditing();
    if (event.key === 'ArrowUp' && this.#text.value === '') {
      const last = this.#conversation.messages.findLast((m) => m.own && !m.deleted);
      if (last) this.edit(last);
      event.preventDefault();
    }
    // While an input method composes, Enter picks a candidate.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#send();
  }

  #typed() {
    this.#fit();
    if (this.#editing === null && this.#conversation) this.drafts.set(this.#conversation.key, this.#text.value);
    if (this.#text.value === '' || this.#editing !== null) this.#conversation?.stopTyping();
    else this.#conversation?.typing();
  }

  #send() {
    const content = this.#text.value.trim();
    if (content === '') return;
    const conversation = this.#conversation;
    if (this.#editing !== null) {
      this.dispatchEvent(new CustomEvent('edited', { detail: { seq: this.#editing, content }, bubbles: true }));
      return this.#stopEditing();
    }
    this.#fill('');
    this.drafts.set(conversation.key, '');
    // The message itself shows a failure.
    conversation.send(content).catch(() => {});
    this.dispatchEvent(new CustomEvent('sent', { bubbles: true }));
    this.focus();
  }

  #fill(text) {
    this.#text.value = text;
    this.#fit();
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
