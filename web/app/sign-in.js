import { isUserId } from '../lib/protocol.js';
import { avatar, h } from './dom.js';

const SUGGESTED = ['alice', 'bob', 'carol'];

/** Asks who the user is. Fires `sign-in` with the name as detail. */
export class ChatSignIn extends HTMLElement {
  connectedCallback() {
    const error = h('p', { class: 'error', id: 'sign-in-error', role: 'alert' });
    const name = h('input', {
      id: 'sign-in-name', name: 'user', required: true, maxLength: 128, autocomplete: 'username', autocapitalize: 'none', spellcheck: false,
      placeholder: 'e.g. alice', 'aria-describedby': 'sign-in-hint sign-in-error',
    });
    const submit = (user) => {
      this.fail(isUserId(user) ? '' : 'Letters, digits and _ . - @ | : + = ~ only, at most 128.');
      if (isUserId(user)) this.dispatchEvent(new CustomEvent('sign-in', { detail: user }));
      else name.focus();
    };
    this.append(h('main', { class: 'card' },
      h('h1', {}, h('span', { class: 'logo', 'aria-hidden': 'true' }), 'AspireChat'),
      h('p', { class: 'muted' }, 'Pick a name to start. Open a second tab with another name to chat with yourself.'),
      h('form', { noValidate: true, onsubmit: (event) => { event.preventDefault(); submit(name.value.trim()); } },
        h('label', { for: 'sign-in-name' }, 'Your name'),
        name,
        h('p', { class: 'muted small', id: 'sign-in-hint' }, 'Letters, digits and _ . - @ | : + = ~'),
        error,
        h('button', { class: 'primary', type: 'submit' }, 'Start chatting')),
      h('div', { class: 'suggested', role: 'group', 'aria-label': 'Suggested names' },
        ...SUGGESTED.map((user) => h('button', { type: 'button', class: 'chip', onclick: () => submit(user) }, avatar(user), user)))));
    name.focus();
  }

  fail(message) {
    this.querySelector('.error').textContent = message;
  }
}
customElements.define('chat-sign-in', ChatSignIn);
