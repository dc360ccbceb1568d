import { isUserId } from '../lib/protocol.js';
import { avatar, h } from './dom.js';
import { begin } from './provider.js';

const SUGGESTED = ['alice', 'bob', 'carol'];

/**
 * Signs the user in, in the way that the gateway says: by a name in Development, else at an OpenID Connect provider. Fires `sign-in` with the
 * name as detail.
 */
export class ChatSignIn extends HTMLElement {
  /** What is said at first. */
  message = '';
  #error = h('p', { class: 'error', id: 'sign-in-error', role: 'alert' });

  async connectedCallback() {
    this.fail(this.message);
    try {
      const response = await fetch('/sign-in.json');
      if (!response.ok) throw new Error((await response.json().catch(() => ({}))).detail ?? `The server gave no answer (HTTP ${response.status}).`);
      const { byName, provider } = await response.json();
      if (provider) this.#offerProvider(provider);
      else if (byName) this.#askName();
      else this.#show(h('p', {}, 'This server has no sign-in for this page. Whoever runs it can set one (Gateway:SignIn), or the product signs its users in.'));
    } catch (error) {
      this.fail(error instanceof TypeError ? 'The server cannot be reached.' : error.message);
      this.#show(h('button', { type: 'button', class: 'primary', onclick: () => { this.message = ''; this.connectedCallback(); } }, 'Try again'));
    }
  }

  /** @param {string} message */
  fail(message) { this.#error.textContent = message; }

  #show(...content) {
    this.replaceChildren(h('main', { class: 'card' }, h('h1', {}, h('span', { class: 'logo', 'aria-hidden': 'true' }), 'AspireChat'), ...content,
      !content.some((each) => each.contains?.(this.#error)) && this.#error));
  }

  #offerProvider(provider) {
    const button = h('button', {
      type: 'button', class: 'primary', onclick: async () => {
        button.disabled = true;
        try { await begin(provider, location.hash); } catch (error) { this.fail(error.message); button.disabled = false; }
      },
    }, 'Sign in');
    this.#show(h('p', { class: 'muted' }, `You sign in at ${new URL(provider.authorization).host}.`), button);
    button.focus();
  }

  #askName() {
    const name = h('input', {
      id: 'sign-in-name', name: 'user', required: true, maxLength: 128, autocomplete: 'username', autocapitalize: 'none', spellcheck: false,
      placeholder: 'e.g. alice', 'aria-describedby': 'sign-in-hint sign-in-error',
    });
    const submit = (user) => {
      this.fail(isUserId(user) ? '' : 'Letters, digits and _ . - @ | : + = ~ only, at most 128.');
      if (isUserId(user)) this.dispatchEvent(new CustomEvent('sign-in', { detail: user }));
      else name.focus();
    };
    this.#show(
      h('p', { class: 'muted' }, 'Pick a name to start. Open a second tab with another name to chat with yourself.'),
      h('form', { noValidate: true, onsubmit: (event) => { event.preventDefault(); submit(name.value.trim()); } },
        h('label', { for: 'sign-in-name' }, 'Your name'),
        name,
        h('p', { class: 'muted small', id: 'sign-in-hint' }, 'Letters, digits and _ . - @ | : + = ~'),
        this.#error,
        h('button', { class: 'primary', type: 'submit' }, 'Start chatting')),
      h('div', { class: 'suggested', role: 'group', 'aria-label': 'Suggested names' },
        ...SUGGESTED.map((user) => h('button', { type: 'button', class: 'chip', onclick: () => submit(user) }, avatar(user), user))));
    name.focus();
  }
}
customElements.define('chat-sign-in', ChatSignIn);
