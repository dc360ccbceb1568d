import { LIMITS } from '../lib/protocol.js';
import { h } from './dom.js';
import { face, nameOf, who } from './people.js';

const OFFERED_MOST = 6;
/** An @ at the beginning of a word, and what stands between it and the caret. */
const BEGUN = /(?:^|\s)@([^\s@]{0,40})$/;
const WORD = /(?:^|[\s(])@([^\s]+)/g;
const AFTER_ID = /[.,;:!?)'"]$/;

/** Whom a conversation knows: who is in it, and who has written. @param {any} conversation @returns {Set<string>} */
const known = ({ kind, name, members, messages }) => new Set([...(kind === 'direct' ? [name] : members), ...messages.map(({ from }) => from)]);

/** The users whom a text mentions by `@id`. @param {string} text @param {any} conversation @returns {string[]} */
export function mentionsIn(text, conversation) {
  const users = known(conversation);
  const found = new Set();
  for (let [, id] of text.matchAll(WORD)) {
    while (!users.has(id) && AFTER_ID.test(id)) id = id.slice(0, -1);
    if (users.has(id)) found.add(id);
  }
  return [...found].slice(0, LIMITS.mentions);
}

/** Offers whom to mention while a name is typed behind an @. */
export class MentionList {
  element = h('div', { id: 'mentionable', class: 'mentionable', role: 'listbox', 'aria-label': 'Whom to mention', hidden: true });
  #client;
  #field;
  #conversation;
  /** @type {string[]} */
  #users = [];
  #at = 0;

  /** @param {HTMLTextAreaElement} field @param {() => any} client @param {() => any} conversation */
  constructor(field, client, conversation) {
    [this.#field, this.#client, this.#conversation] = [field, client, conversation];
    field.setAttribute('aria-autocomplete', 'list');
    field.addEventListener('blur', () => this.close());
  }

  get isOpen() { return !this.element.hidden; }

  /** The text or the caret has changed. */
  look() {
    const begun = this.#begun;
    const client = this.#client();
    if (begun === null) return this.close();
    const wanted = begun.toLowerCase();
    const starts = (user) => user.toLowerCase().startsWith(wanted) || nameOf(client, user).toLowerCase().split(/\s+/).some((word) => word.startsWith(wanted));
    this.#users = [...known(this.#conversation())].filter((user) => user !== client.user && starts(user))
      .sort((a, b) => nameOf(client, a).localeCompare(nameOf(client, b))).slice(0, OFFERED_MOST);
    this.#at = 0;
    this.element.hidden = this.#users.length === 0;
    this.#draw();
  }

  close() {
    this.element.hidden = true;
    this.#field.removeAttribute('aria-activedescendant');
  }

  /** Whether the list took the key. @param {KeyboardEvent} event */
  takes({ key, isComposing }) {
    if (!this.isOpen || isComposing) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[key];
    if (step) {
      this.#at = (this.#at + step + this.#users.length) % this.#users.length;
      this.#draw();
    } else if (key === 'Enter' || key === 'Tab') this.#choose(this.#at);
    else if (key === 'Escape') this.close();
    else return false;
    return true;
  }

  get #begun() {
    const { value, selectionStart, selectionEnd } = this.#field;
    return selectionStart !== selectionEnd ? null : BEGUN.exec(value.slice(Math.max(0, selectionStart - 50), selectionStart))?.[1] ?? null;
  }

  #draw() {
    const client = this.#client();
    this.element.replaceChildren(...this.#users.map((user, i) => h('div', {
      id: `mentionable-${i}`, class: 'option', role: 'option', 'aria-selected': i === this.#at,
      // The field keeps the focus.
      onpointerdown: (event) => { event.preventDefault(); this.#choose(i); },
    }, face(client, user), who(client, user))));
    if (this.isOpen) this.#field.setAttribute('aria-activedescendant', `mentionable-${this.#at}`);
    else this.close();
  }

  #choose(i) {
    const end = this.#field.selectionStart;
    this.#field.setRangeText(`${this.#users[i]} `, end - (this.#begun ?? '').length, end, 'end');
    this.close();
    this.#field.dispatchEvent(new Event('input'));
  }
}
