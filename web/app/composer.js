import { LIMITS } from '../lib/protocol.js';
import { h, icon } from './dom.js';
import { MentionList, mentionsIn } from './mentions.js';
import { nameOf } from './people.js';
import { whyReadOnly } from './room-rules.js';

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
  /** The seq of the message that is answered. @type {number|null} */
  #answered = null;
  /** Where the user was muted since the page was opened. @type {WeakSet<object>} */
  #muted = new WeakSet();
  #left = h('span', { class: 'left', role: 'status' });
  #text = h('textarea', {
    id: 'composer', rows: 1, enterkeyhint: 'send',
    onkeydown: (event) => this.#key(event), oninput: () => this.#typed(),
  });
  #mentionable = new MentionList(this.#text, () => this.client, () => this.#conversation);
  #doing = h('span', {});
  #mode = h('p', { class: 'mode small', hidden: true }, this.#doing, ' Escape cancels. ',
    h('button', { type: 'button', class: 'link', onclick: () => this.#stop() }, 'Cancel'));
  #emoji = h('button', {
    type: 'button', class: 'plain round', 'aria-label': 'Insert an emoji', title: 'Emoji',
    onclick: () => this.dispatchEvent(new CustomEvent('pick', { bubbles: true })),
  }, icon('smile'));
  #button = h('button', { type: 'submit', class: 'primary round', 'aria-label': 'Send', title: 'Send (Enter)' }, icon('send'));

  connectedCallback() {
    this.append(this.#mentionable.element, this.#mode,
      h('form', { onsubmit: (event) => { event.preventDefault(); this.#send(); } }, this.#text, this.#left, this.#emoji, this.#button));
  }

  show(conversation) {
    this.#be(null, null, '');
    this.#conversation?.stopTyping();
    this.#conversation = conversation;
    this.draw();
    this.#fill(this.drafts.get(conversation.key));
  }

  /** Whether the user may not write here now. */
  get isReadOnly() { return this.#text.disabled; }

  /** A moderator has muted the user, or ended it. @param {any} conversation @param {boolean} muted */
  mute(conversation, muted) {
    if (muted) this.#muted.add(conversation);
    else this.#muted.delete(conversation);
    if (conversation === this.#conversation) this.draw();
  }

  /** Whom the message is for may have got another name, and what the user may do another answer. */
  draw() {
    const { kind, name } = this.#conversation;
    const why = this.#muted.has(this.#conversation) ? 'You are muted here.' : whyReadOnly(this.#conversation);
    this.#text.disabled = this.#emoji.disabled = why !== '';
    const where = why || `Message ${kind === 'room' ? `#${name}` : nameOf(this.client, name)}`;
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
    this.#be(seq, null, 'Editing a message.');
    this.#fill(content);
    this.focus();
  }

  /** Answers a message. */
  reply({ seq, from }) {
    this.#stop();
    this.#be(null, seq, `Replying to ${from === this.client.user ? 'yourself' : nameOf(this.client, from)}.`);
    this.focus();
  }

  #be(editing, answered, doing) {
    [this.#editing, this.#answered, this.#doing.textContent] = [editing, answered, doing];
    this.#mode.hidden = doing === '';
  }

  #stop() {
    if (this.#mode.hidden) return;
    const wasEditing = this.#editing !== null;
    this.#be(null, null, '');
    if (wasEditing) this.#fill(this.drafts.get(this.#conversation.key));
    this.focus();
  }

  #key(event) {
    if (this.#mentionable.takes(event)) return event.preventDefault();
    if (event.key === 'Escape') this.#stop();
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
    this.#mentionable.look();
    if (this.#editing === null && this.#conversation) this.drafts.set(this.#conversation.key, this.#text.value);
    if (this.#text.value === '' || this.#editing !== null) this.#conversation?.stopTyping();
    else this.#conversation?.typing();
  }

  #send() {
    const content = this.#text.value.trim();
    if (content === '' || content.length > LIMITS.content) return;
    const conversation = this.#conversation;
    if (this.#editing !== null) {
      this.dispatchEvent(new CustomEvent('edited', { detail: { seq: this.#editing, content }, bubbles: true }));
      return this.#stop();
    }
    this.#fill('');
    this.drafts.set(conversation.key, '');
    // The message itself shows a failure.
    const mentions = mentionsIn(content, conversation);
    const details = { ...(this.#answered !== null && { replyTo: this.#answered }), ...(mentions.length > 0 && { mentions }) };
    conversation.send(content, details).catch(() => {});
    this.#be(null, null, '');
    this.dispatchEvent(new CustomEvent('sent', { bubbles: true }));
    this.focus();
  }

  #fill(text) {
    this.#text.value = text;
    this.#mentionable.close();
    this.#fit();
  }

  #fit() {
    this.#text.style.height = 'auto';
    this.#text.style.height = `${this.#text.scrollHeight}px`;
    // What is pasted is not cut: the user shortens it.
    const left = LIMITS.content - this.#text.value.trim().length;
    this.#left.textContent = left < 0 ? `${-left} too many` : left < 500 ? String(left) : '';
    this.#left.classList.toggle('over', left < 0);
    this.#button.disabled = left < 0 || this.#text.value.trim() === '';
  }
}
customElements.define('chat-composer', ChatComposer);
