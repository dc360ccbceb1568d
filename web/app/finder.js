import { isRoomId, isUserId } from '../lib/protocol.js';
import { avatar, dayAndTime, h } from './dom.js';
import { face, nameOf } from './people.js';

const ASK_AFTER_MS = 200;
const OWN_MOST = 6;
const FOUND_MOST = 8;
/** A single letter finds too many messages to be of use. */
const WORD_LEAST = 2;
const PREVIEW_MOST = 120;

/** @typedef {{group: string, place: {kind: string, name: string}, seq?: number, sign: Node, label: string, detail: string}} Choice */

/**
 * Finds conversations, rooms, people and messages, and opens them: what Ctrl+K shows. Fires `find` with the place, and `seq` of a message.
 * The user's own conversations are found at once, the others by the server.
 */
export class ChatFinder extends HTMLElement {
  client = null;
  /** The user's conversations in the order of the list. @type {() => any[]} */
  conversations = () => [];
  /** @type {Choice[]} */
  #choices = [];
  #at = 0;
  #asked = new AbortController();
  /** @type {any} */ #timer = null;
  #input = h('input', {
    id: 'finder-input', type: 'text', role: 'combobox', 'aria-label': 'Find a conversation, a room, a person or a message', 'aria-expanded': 'true',
    'aria-controls': 'finder-list', 'aria-autocomplete': 'list', placeholder: 'Find a room, a person or a message', maxLength: 200,
    autocomplete: 'off', autocapitalize: 'none', spellcheck: false,
    oninput: () => this.#typed(), onkeydown: (event) => this.#key(event),
  });
  #list = h('div', { id: 'finder-list', class: 'found', role: 'listbox', 'aria-label': 'Found' });
  #said = h('p', { class: 'muted small', role: 'status' });
  #dialog = h('dialog', {
    class: 'finder', 'aria-label': 'Find', onclose: () => this.#stop(),
    onclick: ({ target }) => { if (target === this.#dialog) this.#dialog.close(); },
  }, this.#input, this.#list, this.#said);

  connectedCallback() { this.append(this.#dialog); }

  disconnectedCallback() { this.#stop(); }

  open() {
    if (this.#dialog.open) return;
    this.#input.value = '';
    this.#dialog.showModal();
    this.#show(this.#own(''));
    this.#said.textContent = '';
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#asked.abort();
  }

  #typed() {
    this.#stop();
    const query = this.#input.value.trim().replace(/^#/, '');
    const own = this.#own(query);
    this.#show([...own, ...this.#byName(query, own)]);
    this.#said.textContent = query === '' ? '' : 'Searching…';
    if (query !== '') this.#timer = setTimeout(() => this.#ask(query, own), ASK_AFTER_MS);
  }

  async #ask(query, own) {
    const { signal } = this.#asked = new AbortController();
    const { client } = this;
    const known = new Set(own.map(({ place: { kind, name } }) => `${kind} ${name}`));
    const isNew = ({ place: { kind, name } }) => !known.has(`${kind} ${name}`);
    let failed = false;
    const from = async (asked, choice) => {
      try { return (await asked).items.map(choice); } catch { failed = true; return []; }
    };
    const [rooms, people, messages] = await Promise.all([
      from(client.rooms.list({ query, limit: FOUND_MOST, signal }), ({ room, name, topic, members, joined }) => ({
        group: 'Rooms', place: { kind: 'room', name: room }, sign: hash(), label: name ? `${name} (#${room})` : room,
        detail: `${members} ${members === 1 ? 'member' : 'members'}${joined ? ', you are one' : ''}${topic ? ` · ${topic}` : ''}`,
      })),
      from(client.users(query, { limit: FOUND_MOST, signal }), (profile) => ({
        group: 'People', place: { kind: 'direct', name: profile.user }, sign: avatar(profile.user, profile),
        label: profile.name ?? profile.user, detail: profile.name ? profile.user : '',
      })),
      query.length < WORD_LEAST ? [] : from(client.search({ q: query, limit: FOUND_MOST, signal }), (message) => this.#message(message)),
    ]);
    if (signal.aborted) return;
    const found = [...rooms.filter(isNew), ...people.filter(isNew)];
    const all = [...own, ...found, ...this.#byName(query, [...own, ...found]), ...messages];
    this.#show(all);
    this.#said.textContent = failed ? 'Some could not be searched. Check the connection and try again.'
      : found.length + own.length + messages.length === 0 ? 'Nothing found.' : `${all.length} found.`;
  }

  /** @param {any} message @returns {Choice} */
  #message({ room, to, from, seq, content, timestamp }) {
    const place = room !== undefined ? { kind: 'room', name: room } : { kind: 'direct', name: from === this.client.user ? to : from };
    const where = room !== undefined ? `#${room}` : nameOf(this.client, place.name);
    return { group: 'Messages', place, seq, sign: face(this.client, from), label: content.slice(0, PREVIEW_MOST), detail: `${nameOf(this.client, from)} in ${where}, ${dayAndTime(timestamp)}` };
  }

  /** The user's own conversations by name or id. @returns {Choice[]} */
  #own(query) {
    const words = query.toLowerCase();
    const label = ({ kind, name, title }) => (kind === 'direct' ? nameOf(this.client, name) : title ?? name);
    return this.conversations().filter((c) => `${label(c)} ${c.name}`.toLowerCase().includes(words)).slice(0, OWN_MOST).map((c) => ({
      group: 'Yours', place: { kind: c.kind, name: c.name }, sign: c.kind === 'room' ? hash() : face(this.client, c.name), label: label(c),
      detail: [label(c) === c.name ? '' : c.name, c.unread > 0 ? `${c.unread} unread` : ''].filter(Boolean).join(' · '),
    }));
  }

  /** What has exactly this id, whether or not it exists. @param {string} id @param {Choice[]} found @returns {Choice[]} */
  #byName(id, found) {
    const has = (kind) => found.some(({ place }) => place.kind === kind && place.name === id);
    return [
      isRoomId(id) && !has('room') && { group: 'By name', place: { kind: 'room', name: id }, sign: hash(), label: `Join or create #${id}`, detail: '' },
      isUserId(id) && !has('direct') && { group: 'By name', place: { kind: 'direct', name: id }, sign: avatar(id), label: `Message ${id}`, detail: '' },
    ].filter(Boolean);
  }

  /** @param {Choice[]} choices */
  #show(choices) {
    const chosen = this.#choices[this.#at];
    this.#choices = choices;
    // What the user has moved to stays chosen when more is found.
    const again = chosen ? choices.findIndex((c) => c.group === chosen.group && c.label === chosen.label && c.seq === chosen.seq) : -1;
    this.#at = this.#at > 0 && again > 0 ? again : 0;
    const groups = [...new Set(choices.map(({ group }) => group))];
    this.#list.replaceChildren(...groups.map((group) => {
      const id = `found-${group.toLowerCase().replace(' ', '-')}`;
      return h('div', { role: 'group', 'aria-labelledby': id }, h('div', { id, class: 'group', role: 'presentation' }, group),
        ...choices.map((choice, i) => choice.group === group && this.#option(choice, i)));
    }));
    this.#mark();
  }

  #option({ sign, label, detail }, i) {
    return h('div', { id: `found-${i}`, class: 'option', role: 'option', onclick: () => this.#choose(i), onpointermove: () => { this.#at = i; this.#mark(); } },
      sign, h('span', { class: 'who' }, h('span', { class: 'name' }, label), detail && h('span', { class: 'muted small' }, detail)));
  }

  #mark() {
    for (const option of this.#list.querySelectorAll('[role=option]')) option.setAttribute('aria-selected', String(option.id === `found-${this.#at}`));
    if (this.#choices.length > 0) this.#input.setAttribute('aria-activedescendant', `found-${this.#at}`);
    else this.#input.removeAttribute('aria-activedescendant');
  }

  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const count = this.#choices.length;
    if (step && count > 0) {
      this.#at = (this.#at + step + count) % count;
      this.#mark();
      this.#list.querySelector('[aria-selected=true]').scrollIntoView({ block: 'nearest' });
    } else if (event.key === 'Enter' && !event.isComposing && count > 0) this.#choose(this.#at);
    else return;
    event.preventDefault();
  }

  #choose(i) {
    const { place, seq } = this.#choices[i];
    this.#dialog.close();
    this.dispatchEvent(new CustomEvent('find', { detail: { place, seq } }));
  }
}

const hash = () => h('span', { class: 'hash', 'aria-hidden': 'true' }, '#');

customElements.define('chat-finder', ChatFinder);
