import { avatar, dayLabel, dayOf, fullTimeOf, h, icon, timeElement } from './dom.js';

/** @typedef {import('../aspirechat.js').Conversation} Conversation */
/** @typedef {import('../lib/timeline.js').Message} Message */
/** @typedef {import('../lib/conversation.js').Pending} Pending */

const GROUP_WITHIN_MS = 5 * 60_000;
/** Older messages are fetched when this much is left above the view, so that scrolling rarely meets the edge. */
const LOAD_ABOVE_PX = 600;
const AT_BOTTOM_PX = 48;

const STATES = {
  sending: ['○', 'Sending'], accepted: ['✓', 'Sent'], durable: ['✓✓', 'Saved'], failed: ['!', 'Not sent'],
};

/** The messages of one conversation, the oldest first, with older ones loaded as the user scrolls up. */
export class ChatMessages extends HTMLElement {
  #conversation = null;
  #lifetime = new AbortController();
  #rows = new Map();
  #list = h('ol', { class: 'list' });
  #pending = h('ol', { class: 'list' });
  #edge = h('div', { class: 'edge' });
  #scroller = h('div', { class: 'scroller', role: 'log', 'aria-live': 'off', 'aria-label': 'Messages', tabIndex: 0 }, this.#edge, this.#list, this.#pending);
  #jump = h('button', { type: 'button', class: 'jump', hidden: true, onclick: () => this.toBottom() }, icon('down'), h('span', {}, 'Latest'));
  // Only new messages by others are read out, not history, and not what the user just typed.
  #announcer = h('div', { class: 'sr-only', role: 'status', 'aria-live': 'polite' });
  #atBottom = true;
  #missed = 0;
  #loading = false;
  #resizes = new ResizeObserver(() => { if (this.#atBottom) this.toBottom(); });
  #seen = () => this.#markRead();

  connectedCallback() {
    this.append(this.#scroller, this.#jump, this.#announcer);
    this.#scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    // The composer grows, a keyboard opens, the window turns: who was at the bottom stays there.
    this.#resizes.observe(this.#scroller);
    document.addEventListener('visibilitychange', this.#seen);
  }

  disconnectedCallback() {
    this.#lifetime.abort();
    this.#resizes.disconnect();
    document.removeEventListener('visibilitychange', this.#seen);
  }

  show(conversation) {
    this.#lifetime.abort();
    this.#lifetime = new AbortController();
    this.#conversation = conversation;
    conversation.on('change', (change) => this.#changed(change), this.#lifetime);
    conversation.on('lost', ({ from, to }) => { this.#announcer.textContent = `Messages ${from} to ${to} are lost.`; }, this.#lifetime);
    this.#rebuild();
    this.toBottom();
    this.#loadOlder();
  }

  toBottom() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#settled();
  }

  #changed(change) {
    switch (change.kind) {
      case 'append': return this.#keepBottom(() => this.#append(change.messages));
      case 'update': return this.#keepBottom(() => change.messages.forEach((m) => this.#redraw(m)));
      case 'pending': {
        const more = this.#conversation.pending.length > this.#pending.childElementCount;
        this.#keepBottom(() => this.#drawPending());
        // Who sends wants to see it, wherever they were reading.
        return more ? this.toBottom() : undefined;
      }
      case 'prepend': return this.#prepend(change.count);
      case 'reset': this.#rebuild(); return this.toBottom();
      case 'ready': return void (this.#conversation?.ready && this.#loadOlder());
    }
  }

  #keepBottom(draw) {
    const stay = this.#atBottom;
    draw();
    if (stay) this.toBottom();
  }

  #rebuild() {
    this.#rows.clear();
    this.#list.replaceChildren();
    this.#missed = 0;
    const { messages } = this.#conversation;
    messages.forEach((message, i) => this.#list.append(...this.#rowsOf(message, messages[i - 1])));
    this.#drawPending();
    this.#drawEdge('');
  }

  #append(messages) {
    const all = this.#conversation.messages;
    for (const message of messages) {
      if (this.#rows.has(message.seq)) continue;
      this.#list.append(...this.#rowsOf(message, all[all.indexOf(message) - 1]));
      if (message.own) continue;
      if (!this.#atBottom) this.#missed++;
      this.#announcer.textContent = `${message.from}: ${message.content}`;
    }
    this.#drawJump();
  }

  #prepend(count) {
    const { messages } = this.#conversation;
    const { scrollHeight, scrollTop } = this.#scroller;
    const added = messages.slice(0, count).flatMap((message, i) => this.#rowsOf(message, messages[i - 1]));
    // The message that was the oldest has a neighbour now: its day line and its name may be superfluous.
    const next = messages[count];
    const old = next && this.#rows.get(next.seq);
    if (next && old) {
      if (old.previousElementSibling?.classList.contains('day')) old.previousElementSibling.remove();
      old.replaceWith(...this.#rowsOf(next, messages[count - 1]));
    }
    this.#list.prepend(...added);
    if (this.#atBottom) this.toBottom();
    else this.#scroller.scrollTop = scrollTop + this.#scroller.scrollHeight - scrollHeight;
  }

  async #loadOlder() {
    const conversation = this.#conversation;
    if (!conversation || this.#loading) return;
    const roomToFill = () => this.#scroller.scrollTop < LOAD_ABOVE_PX && !conversation.atStart && conversation === this.#conversation;
    if (!roomToFill()) return this.#drawEdge('');
    this.#loading = true;
    this.#drawEdge('loading');
    try {
      while (roomToFill()) if ((await conversation.older()) === 0) break;
      if (conversation === this.#conversation) this.#drawEdge('');
    } catch {
      if (conversation === this.#conversation) this.#drawEdge('failed');
    } finally {
      this.#loading = false;
    }
    if (conversation !== this.#conversation) this.#loadOlder();
    else this.#markRead();
  }

  #drawEdge(state) {
    const { atStart, messages, kind, name } = this.#conversation;
    if (state === 'loading') this.#edge.replaceChildren(h('span', { class: 'muted' }, 'Loading older messages…'));
    else if (state === 'failed') {
      this.#edge.replaceChildren('Older messages could not be loaded. ', h('button', { type: 'button', class: 'link', onclick: () => this.#loadOlder() }, 'Try again'));
    } else if (atStart) {
      const what = kind === 'room' ? `#${name}` : `your conversation with ${name}`;
      this.#edge.replaceChildren(h('span', { class: 'muted' }, messages.length > 0 ? `This is the start of ${what}.` : `Nothing here yet. Say hello in ${what}.`));
    } else this.#edge.replaceChildren();
  }

  #scrolled() {
    this.#settled();
    if (this.#scroller.scrollTop < LOAD_ABOVE_PX && !this.#conversation?.atStart) this.#loadOlder();
  }

  #settled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    this.#atBottom = scrollHeight - scrollTop - clientHeight <= AT_BOTTOM_PX;
    if (this.#atBottom) this.#missed = 0;
    this.#drawJump();
    this.#markRead();
  }

  #drawJump() {
    this.#jump.hidden = this.#atBottom;
    this.#jump.lastChild.textContent = this.#missed > 0 ? `${this.#missed} new` : 'Latest';
  }

  #markRead() {
    if (this.#atBottom && document.visibilityState === 'visible' && this.isConnected) this.#conversation?.markRead();
  }

  #redraw(message) {
    const old = this.#rows.get(message.seq);
    if (!old) return;
    const row = this.#row(message, old.classList.contains('grouped'));
    this.#rows.set(message.seq, row);
    old.replaceWith(row);
  }

  #rowsOf(message, previous) {
    const newDay = !previous || dayOf(previous.timestamp) !== dayOf(message.timestamp);
    const grouped = !newDay && previous.from === message.from && Date.parse(message.timestamp) - Date.parse(previous.timestamp) < GROUP_WITHIN_MS;
    const row = this.#row(message, grouped);
    this.#rows.set(message.seq, row);
    return newDay ? [h('li', { class: 'day' }, h('span', {}, dayLabel(message.timestamp))), row] : [row];
  }

  #row(message, grouped) {
    const { own, from, deleted, content, edited, reactions, timestamp, state } = message;
    return h('li', { class: `message${own ? ' own' : ''}${grouped ? ' grouped' : ''}`, 'data-seq': message.seq },
      own ? null : grouped ? h('span', { class: 'avatar-space' }) : avatar(from),
      h('div', { class: 'body' },
        h('span', { class: grouped || own ? 'sr-only' : 'author' }, own ? 'You: ' : from),
        h('p', { class: `bubble${deleted ? ' deleted' : ''}`, title: fullTimeOf(timestamp) }, deleted ? 'This message was deleted.' : content),
        reactions.length > 0 && h('ul', { class: 'reactions', 'aria-label': 'Reactions' },
          ...reactions.map((r) => h('li', { title: r.users.join(', ') }, `${r.emoji} ${r.count}`))),
        h('span', { class: 'meta' }, timeElement(timestamp), edited && !deleted ? ' edited' : null, state ? this.#state(state) : null)));
  }

  #state(state) {
    const [sign, label] = STATES[state];
    return h('span', { class: `state ${state}`, title: label }, h('span', { 'aria-hidden': 'true' }, sign), h('span', { class: 'sr-only' }, label));
  }

  #drawPending() {
    const { pending } = this.#conversation;
    this.#pending.replaceChildren(...pending.map((p) => this.#pendingRow(p)));
  }

  #pendingRow({ nonce, content, created, state, error }) {
    const conversation = this.#conversation;
    const failed = state === 'failed';
    return h('li', { class: `message own pending ${state}` },
      h('div', { class: 'body' },
        h('span', { class: 'sr-only' }, 'You: '),
        h('p', { class: 'bubble' }, content),
        h('span', { class: 'meta' }, failed ? null : timeElement(created), this.#state(state), failed ? ` Not sent: ${error?.message ?? ''} ` : null,
          failed && h('button', { type: 'button', class: 'link', onclick: () => conversation.retry(nonce)?.catch(() => {}) }, 'Try again'),
          failed && h('button', { type: 'button', class: 'link', onclick: () => conversation.discard(nonce) }, 'Remove'))));
  }
}
customElements.define('chat-messages', ChatMessages);
