import { avatar, dayLabel, dayOf, h, icon, listNames, timeElement } from './dom.js';
import { looksOf, reactionList } from './reactions.js';
import { format, isEmojiOnly } from './text.js';

const GROUP_WITHIN_MS = 5 * 60_000;
/** Rows are kept this far beyond the view, so that fast scrolling does not outrun them. */
const OVERSCAN_PX = 800;
/** Older messages are fetched when this much is left above the view, so that scrolling rarely stops. */
const LOAD_ABOVE_PX = 1500;
const AT_BOTTOM_PX = 48;
const GUESSED_PX = 48;
/** How many messages stay loaded when the user is back at the newest. */
const KEEP = 500;
const PENDING_SHOWN = 50;
const QUICK = ['👍', '❤️', '😂'];
const STATES = { sending: ['○', 'Sending'], accepted: ['✓', 'Sent'], durable: ['✓✓', 'Saved'], failed: ['!', 'Not sent'] };

/**
 * The messages of one conversation, the oldest first. Only the rows around the view are elements. Rows on the screen stay in place when
 * rows above are loaded or measured. Fires `edit` with a message, `pick` with one to react to, and `done` to write again.
 */
export class ChatMessages extends HTMLElement {
  client = null;
  #conversation = null;
  #lifetime = new AbortController();
  /** @type {Map<number, {li: HTMLElement, signature: string}>} */
  #rows = new Map();
  /** @type {Map<number, number>} */
  #heights = new Map();
  #edge = h('div', { class: 'edge' });
  #above = h('div');
  #list = h('ol', { class: 'list' });
  #below = h('div');
  #pending = h('ol', { class: 'list' });
  #scroller = h('div', { class: 'scroller', role: 'log', 'aria-live': 'off', 'aria-label': 'Messages', tabIndex: 0 },
    this.#edge, this.#above, this.#list, this.#below, this.#pending);
  #jump = h('button', { type: 'button', class: 'jump', hidden: true, onclick: () => this.toBottom() },
    icon('down'), h('span', {}, 'Latest'));
  // Screen readers read out only others' new messages.
  #announcer = h('div', { class: 'sr-only', role: 'status' });
  #tools = h('div', { class: 'tools', role: 'toolbar', 'aria-label': 'Message actions' });
  #atBottom = true;
  /** How far down it was scrolled when the bottom was last drawn. */
  #bottom = 0;
  /** New messages begin above this seq; null until the read cursor is known. */
  #newFrom = null;
  #missed = 0;
  #loading = false;
  #drawing = false;
  #edgeState = '';
  #width = 0;
  #resizes = new ResizeObserver(() => this.#resized());
  #seen = () => this.#markRead();

  connectedCallback() {
    this.append(this.#scroller, this.#jump, this.#announcer);
    this.#scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    this.#scroller.addEventListener('keydown', (event) => this.#key(event));
    for (const type of ['pointerover', 'focusin']) {
      this.#list.addEventListener(type, ({ target }) => this.#offer(target.closest('li[data-seq]')));
    }
    this.#list.addEventListener('pointerleave', () => { if (!this.#list.contains(document.activeElement)) this.#tools.remove(); });
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
    this.#clear();
    this.#drawPending();
    this.#loadOlder();
  }

  toBottom() {
    [this.#atBottom, this.#bottom] = [true, 0];
    this.#render();
  }

  #clear() {
    this.#bottom = 0;
    this.#rows.clear();
    this.#heights.clear();
    this.#list.replaceChildren();
    this.#missed = 0;
    this.#newFrom = null;
    this.#edgeState = '';
    this.toBottom();
  }

  #changed({ kind, messages }) {
    if (kind === 'reset') this.#clear();
    if (kind === 'append') this.#arrived(messages);
    if (kind === 'pending') this.#drawPending();
    if (kind === 'ready' && this.#conversation.ready) this.#loadOlder();
    // Many changes may come together, such as a replay's. They are drawn once.
    if (this.#drawing) return;
    this.#drawing = true;
    queueMicrotask(() => {
      this.#drawing = false;
      this.#render();
    });
  }

  #arrived(messages) {
    const { read } = this.#conversation;
    for (const { own, from, content } of messages) {
      if (own) { this.#newFrom = Infinity; continue; }
      if (!this.#seeing && this.#newFrom === Infinity) this.#newFrom = read;
      if (!this.#atBottom) this.#missed++;
      this.#announcer.textContent = `${from}: ${content}`;
    }
    if (this.#atBottom && this.#conversation.messages.length > 2 * KEEP) this.#conversation.trim(KEEP);
  }

  get #isAtBottom() { const { scrollTop: top, scrollHeight, clientHeight: view } = this.#scroller; return scrollHeight - top - view < AT_BOTTOM_PX; }

  get #seeing() { return this.#atBottom && document.visibilityState === 'visible'; }

  #height(seq) { return this.#heights.get(seq) ?? GUESSED_PX; }

  /** The first row on the screen, and how far below the view's top it begins. */
  #anchor() {
    const { top } = this.#scroller.getBoundingClientRect();
    for (const li of this.#list.children) {
      const box = li.getBoundingClientRect();
      if (box.bottom > top && box.top < top + this.#scroller.clientHeight) return { seq: Number(li.dataset.seq), offset: box.top - top };
    }
    return null;
  }

  #render() {
    const conversation = this.#conversation;
    if (!conversation) return;
    this.#placeNewLine();
    this.#drawEdge();
    const { messages } = conversation;
    const scroller = this.#scroller;
    const view = scroller.clientHeight;
    // Who scrolled just now has left the bottom, although the event that says so comes after this.
    if (this.#atBottom && scroller.scrollTop < this.#bottom - 1) this.#atBottom = this.#isAtBottom;
    const anchor = this.#atBottom ? null : this.#anchor();
    // Rows that are much lower than guessed need a second pass.
    for (let pass = 0; pass < 3; pass++) {
      const offsets = [0];
      let at = -1;
      messages.forEach(({ seq }, i) => {
        if (seq === anchor?.seq) at = i;
        offsets.push(offsets[i] + this.#height(seq));
      });
      const total = offsets[messages.length];
      const top = this.#atBottom ? total - view : at >= 0 ? offsets[at] - anchor.offset : scroller.scrollTop - this.#above.offsetTop;
      let start = 0;
      let end = messages.length;
      while (start < end && offsets[start + 1] < top - OVERSCAN_PX) start++;
      while (end > start && offsets[end - 1] > top + view + OVERSCAN_PX) end--;
      this.#place(messages, start, end);
      this.#above.style.height = `${offsets[start]}px`;
      this.#below.style.height = `${total - offsets[end]}px`;
      let measured = 0;
      for (let i = start; i < end; i++) {
        const { seq } = messages[i];
        const { height } = this.#rows.get(seq).li.getBoundingClientRect();
        this.#heights.set(seq, height);
        measured += height;
      }
      const held = anchor && this.#rows.get(anchor.seq)?.li;
      const off = held && held.getBoundingClientRect().top - scroller.getBoundingClientRect().top - anchor.offset;
      if (this.#atBottom) scroller.scrollTop = this.#bottom = scroller.scrollHeight - view;
      else if (Math.abs(off) >= 1) scroller.scrollTop += off;
      if (measured >= view + OVERSCAN_PX || end - start === messages.length) break;
    }
    this.#drawJump();
    this.#markRead();
  }

  /** Makes the rows `start` to `end` the list's elements and keeps those that are right. */
  #place(messages, start, end) {
    const rows = new Map();
    let next = this.#list.firstChild;
    for (let i = start; i < end; i++) {
      const { seq } = messages[i];
      const old = this.#rows.get(seq);
      const row = this.#row(messages, i, old);
      rows.set(seq, row);
      if (old && old !== row) {
        if (next === old.li) next = row.li;
        const focused = old.li.contains(document.activeElement);
        old.li.replaceWith(row.li);
        if (old.li.contains(this.#tools)) this.#offer(row.li);
        if (focused) row.li.focus({ preventScroll: true });
      }
      if (row.li === next) next = next.nextSibling;
      else this.#list.insertBefore(row.li, next);
    }
    for (const [seq, { li }] of this.#rows) if (!rows.has(seq)) li.remove();
    this.#rows = rows;
  }

  #row(messages, i, old) {
    const message = messages[i];
    const { seq, own, from, deleted, content, edited, reactions, timestamp, state } = message;
    const previous = messages[i - 1];
    const next = messages[i + 1];
    const newDay = !previous || dayOf(previous.timestamp) !== dayOf(timestamp);
    const isNew = seq > this.#newFrom && (previous ? previous.seq <= this.#newFrom : this.#conversation.atStart);
    const grouped = !newDay && !isNew && follows(previous, message);
    const readers = own && !deleted ? this.#conversation.readBy(seq) : [];
    // A group shows its time once, with its last message. A state that will still change always shows.
    const silent = next && follows(message, next) && state !== 'accepted' && !edited;
    const signature = JSON.stringify([
      newDay, isNew, grouped, silent, edited, deleted, looksOf(reactions, this.client.user), state, readers.length, readers.slice(0, 3)]);
    if (old?.signature === signature) return old;
    const li = h('li', { class: `message${own ? ' own' : ''}${grouped ? ' grouped' : ''}`, 'data-seq': seq, tabIndex: -1 },
      newDay && h('div', { class: 'line' }, dayLabel(timestamp)),
      isNew && h('div', { class: 'line new' }, 'New messages'),
      h('div', { class: 'content' },
        own ? null : grouped ? h('span', { class: 'avatar-space' }) : avatar(from),
        h('div', { class: 'body' },
          h('span', { class: grouped || own ? 'sr-only' : 'author' }, own ? 'You: ' : from),
          this.#bubble(content, deleted),
          reactionList(reactions, this.client.user, (emoji) => this.react(seq, emoji)),
          h('span', { class: 'meta', hidden: silent }, timeElement(timestamp), edited && !deleted && ' edited',
            readers.length > 0 ? this.#state('✓✓', `Read by ${readers.length > 3 ? readers.length : listNames(readers)}`, 'read')
              : state && this.#state(...STATES[state], state)))));
    return { li, signature };
  }

  #bubble(content, deleted) {
    if (deleted) return h('div', { class: 'bubble deleted' }, 'This message was deleted.');
    return h('div', { class: `bubble${isEmojiOnly(content) ? ' jumbo' : ''}` }, ...format(content));
  }

  #state(sign, label, kind) {
    return h('span', { class: `state ${kind}`, title: label },
      h('span', { 'aria-hidden': 'true' }, sign), h('span', { class: 'sr-only' }, label));
  }

  /** Adds the user's reaction, or takes it back. */
  react(seq, emoji) {
    const { reactions } = this.#message(seq) ?? { reactions: [] };
    const remove = reactions.some((r) => r.emoji === emoji && r.users.includes(this.client.user));
    this.#try(this.#conversation.react(seq, emoji, { remove }));
  }

  #message(seq) { return this.#conversation.messages.find((m) => m.seq === seq); }

  #try(promise) { promise.catch((error) => this.#fire('trouble', error.message)); }

  #fire(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true })); }

  /** Shows a message's actions beside it. */
  #offer(li) {
    const message = li && this.#message(Number(li.dataset.seq));
    if (!message || message.deleted) return this.#tools.remove();
    if (li.contains(this.#tools)) return;
    const { seq, own } = message;
    const tool = (label, content, onclick) => (
      h('button', { type: 'button', class: 'plain', title: label, 'aria-label': label, onclick }, content));
    this.#tools.replaceChildren(
      ...QUICK.map((emoji) => tool(`React with ${emoji}`, emoji, () => this.react(seq, emoji))),
      tool('React with another emoji', icon('smile'), () => this.#fire('pick', message)),
      ...(!own ? [] : [
        tool('Edit (E)', icon('edit'), () => this.#fire('edit', message)), tool('Delete (Del)', icon('bin'), () => this.#delete(seq))]));
    li.append(this.#tools);
  }

  #delete(seq) {
    if (confirm('Delete this message for everyone?')) this.#try(this.#conversation.delete(seq));
  }

  #key(event) {
    const { key, target } = event;
    if (key === 'Escape') this.#fire('done');
    const up = key === 'ArrowUp';
    const li = target.closest('li[data-seq]');
    if (up || key === 'ArrowDown') {
      const next = !li ? up && this.#list.lastElementChild : up ? li.previousElementSibling : li.nextElementSibling;
      if (next) next.focus();
      else if (li && !up) this.#scroller.focus();
      if (next || li) event.preventDefault();
    }
    const message = target === li && this.#message(Number(li.dataset.seq));
    if (!message?.own || message.deleted || event.ctrlKey || event.metaKey) return;
    if (key === 'e') { event.preventDefault(); this.#fire('edit', message); }
    if (key === 'Delete') this.#delete(message.seq);
  }

  async #loadOlder() {
    const conversation = this.#conversation;
    if (!conversation || this.#loading) return;
    const needed = () => this.#scroller.scrollTop < LOAD_ABOVE_PX && !conversation.atStart && conversation === this.#conversation;
    let outcome = '';
    if (needed()) {
      this.#loading = true;
      this.#edgeState = 'loading';
      this.#drawEdge();
      try {
        while (needed()) {
          if ((await conversation.older({ limit: 100 })) === 0) break;
          this.#render();
        }
      } catch {
        outcome = 'failed';
      } finally {
        this.#loading = false;
      }
    }
    if (conversation !== this.#conversation) return this.#loadOlder();
    this.#edgeState = outcome;
    this.#render();
  }

  #drawEdge() {
    const state = this.#edgeState;
    const { atStart, messages, kind, name } = this.#conversation;
    const what = kind === 'room' ? `#${name}` : `your conversation with ${name}`;
    const text = state === 'loading' ? 'Loading older messages…'
      : state === 'failed' ? 'Older messages could not be loaded. Try again'
      : !atStart ? '' : messages.length > 0 ? `This is the start of ${what}.` : `Nothing here yet. Say hello in ${what}.`;
    if (this.#edge.textContent === text) return;
    this.#edge.replaceChildren(state === 'failed'
      ? h('button', { type: 'button', class: 'link', onclick: () => this.#loadOlder() }, text) : h('span', { class: 'muted' }, text));
  }

  #scrolled() {
    const { scrollTop, clientHeight } = this.#scroller;
    const top = this.#list.offsetTop;
    this.#atBottom = this.#isAtBottom;
    const more = { above: top > this.#above.offsetTop && scrollTop < top + OVERSCAN_PX / 2,
      below: this.#below.offsetHeight > 0 && scrollTop + clientHeight > this.#below.offsetTop - OVERSCAN_PX / 2 };
    if (more.above || more.below) this.#render();
    if (scrollTop < LOAD_ABOVE_PX) this.#loadOlder();
    this.#drawJump();
    this.#markRead();
  }

  #resized() {
    const { clientWidth } = this.#scroller;
    // Another width breaks lines elsewhere, so no height holds.
    if (clientWidth !== this.#width) this.#heights.clear();
    this.#width = clientWidth;
    this.#render();
  }

  // The mark of unread messages stays while the conversation is open.
  #placeNewLine() {
    const { messages, read, readKnown, unread } = this.#conversation;
    if (this.#newFrom !== null || !readKnown) return;
    this.#newFrom = unread > 0 ? read : Infinity;
    for (const { seq, own } of messages) {
      if (seq <= this.#newFrom) continue;
      if (!own) break;
      this.#newFrom = seq;
    }
  }

  #drawJump() {
    if (this.#atBottom) this.#missed = 0;
    this.#jump.hidden = this.#atBottom;
    this.#jump.lastChild.textContent = this.#missed > 0 ? `${this.#missed} new` : 'Latest';
  }

  #markRead() {
    if (this.#conversation?.readKnown && !this.#loading && this.#seeing) this.#conversation.markRead();
  }

  #drawPending() {
    const { pending } = this.#conversation;
    const more = pending.length > this.#pending.childElementCount;
    this.#pending.replaceChildren(...pending.slice(-PENDING_SHOWN).map((p) => this.#pendingRow(p)));
    // The user wants to see the message that they send.
    if (more) [this.#atBottom, this.#bottom] = [true, 0];
  }

  #pendingRow({ nonce, content, created, state, error }) {
    const conversation = this.#conversation;
    const action = (label, onclick) => h('button', { type: 'button', class: 'link', onclick }, label);
    return h('li', { class: `message own pending ${state}` }, h('div', { class: 'content' }, h('div', { class: 'body' },
      h('span', { class: 'sr-only' }, 'You: '),
      this.#bubble(content, false),
      h('span', { class: 'meta' }, timeElement(created), this.#state(...STATES[state], state), ...(state !== 'failed' ? [] : [
        ` Not sent: ${error?.message ?? ''} `,
        action('Try again', () => conversation.retry(nonce)?.catch(() => {})), action('Remove', () => conversation.discard(nonce))])))));
  }
}

const follows = (one, next) => one.from === next.from && dayOf(one.timestamp) === dayOf(next.timestamp)
  && Date.parse(next.timestamp) - Date.parse(one.timestamp) < GROUP_WITHIN_MS;

customElements.define('chat-messages', ChatMessages);
