import { Actions } from './actions.js';
import { h, icon } from './dom.js';
import { NewLine } from './new-line.js';
import { PendingList, firstPending } from './pending.js';
import { nameOf } from './people.js';
import { edgeText, messageRow } from './row.js';
import { Rows } from './rows.js';
import { MessageTools } from './tools.js';

/** Rows are kept this far beyond the view, so that fast scrolling does not outrun them. */
const OVERSCAN_PX = 800;
/** Older messages are fetched when this much is left above the view, so that scrolling rarely stops. */
const LOAD_ABOVE_PX = 1500;
const AT_BOTTOM_PX = 48;
/** How many messages stay loaded when the user is back at the newest. */
const KEEP = 500;
/** Most pages that are loaded to open at the first new message. Above that it opens at the newest, and a button leads there. */
const PAGES_TO_OPEN = 5;
/** What stays above the line of new messages. */
const LINE_PX = 8;
/** What the user does with a view that moves by itself ends the move. */
const TAKES_OVER = ['wheel', 'pointerdown', 'touchstart', 'keydown'];

/**
 * The messages of one conversation, the oldest first. Only the rows around the view are elements. Rows on the screen stay in place when
 * rows above are loaded or measured. It opens where the new ones begin, and what was in view is
 * read. Fires `edit` and `reply` with a message, `pick` with one to react to, and `done` to write again.
 */
export class ChatMessages extends HTMLElement {
  client = null;
  #conversation = null;
  #lifetime = new AbortController();
  #edge = h('div', { class: 'edge' });
  #above = h('div');
  #rows = new Rows(
    (messages, i, old) => this.#row(messages, i, old), (old, now) => { if (old.contains(this.#tools.element)) this.#offer(now); });
  #list = this.#rows.list;
  #below = h('div');
  #pending = new PendingList();
  #scroller = h('div', { class: 'scroller', role: 'log', 'aria-live': 'off', 'aria-label': 'Messages', tabIndex: 0 },
    this.#edge, this.#above, this.#list, this.#below, this.#pending.element);
  #jump = h('button', { type: 'button', class: 'jump', hidden: true, onclick: () => this.toBottom() },
    icon('down'), h('span', {}, 'Latest'));
  #toLine = h('button', { type: 'button', class: 'to-line', hidden: true, onclick: () => this.#goToLine() }, icon('up'), 'New messages');
  // Screen readers read out only others' new messages.
  #announcer = h('div', { class: 'sr-only', role: 'status' });
  #tools = new MessageTools({
    react: (seq, emoji) => this.react(seq, emoji), pick: (message) => this.#fire('pick', message), reply: (message) => this.#fire('reply', message),
    edit: (message) => this.#fire('edit', message), remove: (seq) => this.#actions.delete(this.#conversation, seq),
  });
  #actions = new Actions(
    (conversation) => { if (conversation === this.#conversation) this.#draw(); }, (message) => this.#fire('trouble', message));
  #atBottom = true;
  /** How far down it was scrolled when the bottom was last drawn. */
  #bottom = 0;
  #line = new NewLine();
  /** What the view is on its way to: the new messages, the first of all, or the message with that seq. @type {''|'line'|'start'|number} */
  #going = '';
  #pages = 0;
  /** The message that was looked for. @type {number|null} */
  #found = null;
  /** Whether the first message gets the focus when the view has come there. */
  #focusFirst = false;
  /** Where the next drawing puts a row. @type {{seq: number, offset: number}|null} */
  #held = null;
  #missed = 0;
  #loading = false;
  #drawing = false;
  #edgeState = '';
  #width = 0;
  #resizes = new ResizeObserver(() => this.#resized());
  #shown = () => { if (document.visibilityState === 'visible') this.#comeBack(); };

  connectedCallback() {
    this.append(this.#scroller, this.#toLine, this.#jump, this.#announcer);
    this.#scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    this.#scroller.addEventListener('keydown', (event) => this.#key(event));
    for (const type of TAKES_OVER) this.#scroller.addEventListener(type, () => { this.#going = ''; }, { passive: true, capture: true });
    for (const type of ['pointerover', 'focusin']) {
      this.#list.addEventListener(type, ({ target }) => this.#offer(target.closest('li[data-seq]')));
    }
    this.#list.addEventListener('pointerleave', () => { if (!this.#list.contains(document.activeElement)) this.#tools.hide(); });
    this.client.on('profile', () => this.#draw());
    this.#resizes.observe(this.#scroller);
    document.addEventListener('visibilitychange', this.#shown);
  }

  disconnectedCallback() {
    this.#lifetime.abort();
    this.#resizes.disconnect();
    document.removeEventListener('visibilitychange', this.#shown);
  }

  show(conversation) {
    this.#lifetime.abort();
    this.#lifetime = new AbortController();
    this.#conversation = conversation;
    conversation.on('change', (change) => this.#changed(change), this.#lifetime);
    conversation.on('lost', ({ from, to }) => { this.#announcer.textContent = `Messages ${from} to ${to} are lost.`; }, this.#lifetime);
    this.#clear();
    this.#drawPending({ follow: false });
    this.#loadOlder();
  }

  toBottom() {
    [this.#atBottom, this.#bottom, this.#going] = [true, 0, ''];
    this.#render();
  }

  #clear() {
    this.#bottom = 0;
    this.#rows.clear();
    this.#missed = 0;
    this.#line.clear();
    this.#found = null;
    this.#edgeState = '';
    [this.#atBottom, this.#going, this.#pages] = [true, 'line', 0];
    this.#render();
  }

  #changed({ kind, messages }) {
    if (kind === 'reset') this.#clear();
    if (kind === 'append') this.#arrived(messages);
    if (kind === 'pending') this.#drawPending();
    if (kind === 'reset' || (kind === 'read' && this.#going === 'line') || (kind === 'ready' && this.#conversation.ready)) this.#loadOlder();
    this.#draw();
  }

  #draw() {
    // Many changes may come together, such as a replay's. They are drawn once.
    if (this.#drawing) return;
    this.#drawing = true;
    queueMicrotask(() => {
      this.#drawing = false;
      this.#render();
    });
  }

  #arrived(messages) {
    this.#line.arrived(this.#conversation, messages, this.#seeing);
    for (const { own, from, content } of messages) {
      if (own) continue;
      if (!this.#atBottom) this.#missed++;
      this.#announcer.textContent = `${nameOf(this.client, from)}: ${content}`;
    }
    if (this.#atBottom && this.#conversation.messages.length > 2 * KEEP) this.#conversation.trim(KEEP);
  }

  get #isAtBottom() { const { scrollTop: top, scrollHeight, clientHeight: view } = this.#scroller; return scrollHeight - top - view < AT_BOTTOM_PX; }

  /** Whether anybody can see the messages: on a narrow screen the list may be in front. */
  get #visible() { return document.visibilityState === 'visible' && this.#scroller.clientHeight > 0; }

  get #seeing() { return this.#atBottom && this.#visible && this.#going === ''; }

  #render() {
    const conversation = this.#conversation;
    if (!conversation) return;
    this.#line.place(conversation);
    this.#drawEdge();
    const { messages } = conversation;
    const scroller = this.#scroller;
    const view = scroller.clientHeight;
    // Who scrolled just now has left the bottom, although the event that says so comes after this.
    if (this.#atBottom && scroller.scrollTop < this.#bottom - 1) this.#atBottom = this.#isAtBottom;
    const anchor = this.#held ?? (this.#atBottom || this.#going === 'start' ? null : this.#rows.anchor(scroller));
    this.#held = null;
    // Rows that are much lower than guessed need a second pass.
    for (let pass = 0; pass < 3; pass++) {
      const offsets = [0];
      let at = -1;
      messages.forEach(({ seq }, i) => {
        if (seq === anchor?.seq) at = i;
        offsets.push(offsets[i] + this.#rows.height(seq));
      });
      const total = offsets[messages.length];
      const top = this.#atBottom ? total - view : at >= 0 ? offsets[at] - anchor.offset : scroller.scrollTop - this.#above.offsetTop;
      let start = 0;
      let end = messages.length;
      while (start < end && offsets[start + 1] < top - OVERSCAN_PX) start++;
      while (end > start && offsets[end - 1] > top + view + OVERSCAN_PX) end--;
      this.#rows.place(messages, start, end, scroller);
      this.#above.style.height = `${offsets[start]}px`;
      this.#below.style.height = `${total - offsets[end]}px`;
      const measured = this.#rows.measure(messages, start, end);
      const held = anchor && this.#rows.li(anchor.seq);
      const off = held && held.getBoundingClientRect().top - scroller.getBoundingClientRect().top - anchor.offset;
      if (this.#atBottom) scroller.scrollTop = this.#bottom = scroller.scrollHeight - view;
      else if (Math.abs(off) >= 1) scroller.scrollTop += off;
      if (measured >= view + OVERSCAN_PX || end - start === messages.length) break;
    }
    this.#drawJump();
    this.#markRead();
  }

  #row(messages, i, old) {
    const message = messages[i];
    const { seq, own, deleted } = message;
    const [previous, next] = [messages[i - 1], messages[i + 1] ?? firstPending(this.#conversation, this.client.user)];
    return messageRow({
      client: this.client, conversation: this.#conversation, message, previous, next, old,
      isNew: this.#line.isAt(seq, previous, this.#conversation.atStart), isFound: seq === this.#found,
      readers: own && !deleted ? this.#conversation.readBy(seq) : [],
      waiting: this.#actions.waiting(this.#conversation, seq),
      react: (emoji) => this.react(seq, emoji), reveal: (to) => this.reveal(to),
    });
  }

  react(seq, emoji) {
    const message = this.#message(seq);
    if (message) this.#actions.react(this.#conversation, message, emoji, this.client.user);
  }

  edit(seq, content) { this.#actions.edit(this.#conversation, seq, content); }

  #message(seq) { return this.#conversation.messages.find((m) => m.seq === seq); }

  #fire(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true })); }

  #offer(li) { this.#tools.offer(li, li && this.#message(Number(li.dataset.seq)), (message) => this.#actions.mayDelete(this.#conversation, message)); }

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
    if (key === 'Home' || key === 'End') {
      if (key === 'End') this.toBottom();
      else this.#goToStart();
      if (li) (key === 'End' ? this.#list.lastElementChild : this.#scroller)?.focus({ preventScroll: true });
      this.#focusFirst = Boolean(li);
      event.preventDefault();
    }
    const message = target === li && this.#message(Number(li.dataset.seq));
    if (!message || message.deleted || event.ctrlKey || event.metaKey) return;
    if (key === 'r' || (key === 'e' && message.own)) { event.preventDefault(); this.#fire(key === 'r' ? 'reply' : 'edit', message); }
    if (key === 'Delete' && this.#actions.mayDelete(this.#conversation, message)) this.#actions.delete(this.#conversation, message.seq);
  }

  /** Goes to a message, however far back it is. @param {number} seq */
  reveal(seq) {
    [this.#going, this.#found, this.#atBottom] = [seq, seq, false];
    this.#loadOlder();
  }

  #goToLine() {
    [this.#going, this.#pages] = ['line', -Infinity];
    this.#loadOlder();
  }

  #goToStart() {
    [this.#atBottom, this.#going, this.#scroller.scrollTop] = [false, 'start', 0];
    this.#render();
    this.#loadOlder();
  }

  /** The page or the conversation is in view again. What came meanwhile is not read yet. */
  #comeBack() {
    if (this.#line.exists && this.#conversation.unread > 0 && this.#atBottom) [this.#going, this.#pages] = ['line', 0];
    this.#loadOlder();
  }

  async #loadOlder() {
    const conversation = this.#conversation;
    if (!conversation || this.#loading) return;
    const needed = () => !conversation.atStart && conversation === this.#conversation
      && (this.#scroller.scrollTop < LOAD_ABOVE_PX || this.#isGoingUp);
    let outcome = '';
    if (needed()) {
      this.#loading = true;
      this.#edgeState = 'loading';
      this.#drawEdge();
      try {
        while (needed()) {
          this.#pages++;
          if ((await conversation.older({ limit: this.#going === '' ? 100 : 200 })) === 0) break;
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
    this.#arrive();
    this.#render();
  }

  /** Whether more must be loaded to come to where the view goes. */
  get #isGoingUp() {
    const { messages } = this.#conversation;
    if (typeof this.#going === 'number') return !(messages[0]?.seq <= this.#going);
    if (this.#going !== 'line') return false;
    this.#line.place(this.#conversation);
    return this.#line.isAbove(messages) && this.#pages < PAGES_TO_OPEN;
  }

  /** All is loaded that leads to where the view goes, or all that there is. */
  #arrive() {
    const { messages, atStart, readKnown } = this.#conversation;
    const going = this.#going;
    if (going === 'start') {
      this.#going = '';
      this.#render();
      if (this.#focusFirst && document.activeElement === this.#scroller) this.#list.firstElementChild?.focus({ preventScroll: true });
    }
    if (typeof going === 'number') {
      this.#going = '';
      // Nearly in the middle, so that what led to it and what came of it are in view too.
      this.#hold(messages.find(({ seq }) => seq >= going), this.#scroller.clientHeight / 3);
    }
    if (going !== 'line' || !readKnown || !this.#visible) return;
    this.#line.place(this.#conversation);
    if (this.#line.from === null) return;
    this.#going = '';
    if (this.#line.exists && (atStart || !this.#line.isAbove(messages))) this.#hold(this.#line.first(messages), LINE_PX);
  }

  /** Puts a message so far below the top of the view. */
  #hold(message, offset) {
    if (!message) return;
    [this.#atBottom, this.#held] = [false, { seq: message.seq, offset }];
    this.#render();
    this.#atBottom = this.#isAtBottom;
  }

  #drawEdge() {
    const state = this.#edgeState;
    const text = edgeText(state, this.#conversation, this.client);
    if (this.#edge.textContent === text) return;
    this.#edge.replaceChildren(state === 'failed'
      ? h('button', { type: 'button', class: 'link', onclick: () => this.#loadOlder() }, text) : h('span', { class: 'muted' }, text));
  }

  #scrolled() {
    const { scrollTop, clientHeight } = this.#scroller;
    const top = this.#list.offsetTop;
    this.#atBottom = this.#isAtBottom;
    this.#tools.place();
    const more = { above: top > this.#above.offsetTop && scrollTop < top + OVERSCAN_PX / 2,
      below: this.#below.offsetHeight > 0 && scrollTop + clientHeight > this.#below.offsetTop - OVERSCAN_PX / 2 };
    if (more.above || more.below) this.#render();
    if (scrollTop < LOAD_ABOVE_PX) this.#loadOlder();
    this.#drawJump();
    this.#markRead();
  }

  #resized() {
    const { clientWidth } = this.#scroller;
    if (clientWidth !== this.#width) this.#rows.forgetHeights();
    const comesBack = this.#width === 0 && clientWidth > 0;
    this.#width = clientWidth;
    if (comesBack) this.#comeBack();
    this.#render();
  }

  #drawJump() {
    if (this.#atBottom) this.#missed = 0;
    this.#jump.hidden = this.#atBottom;
    const text = this.#missed > 0 ? `${this.#missed} new` : 'Latest';
    // Even the same text again would cost a layout.
    if (this.#jump.lastChild.textContent !== text) this.#jump.lastChild.textContent = text;
    const line = this.#line.exists && this.#list.querySelector('.line.new');
    this.#toLine.hidden = !this.#line.exists
      || (line ? line.getBoundingClientRect().bottom > this.#scroller.getBoundingClientRect().top : (this.#rows.first ?? 0) <= this.#line.from);
  }

  /** What is or was in view is read. */
  #markRead() {
    const conversation = this.#conversation;
    if (!conversation?.readKnown || this.#going !== '' || !this.#visible) return;
    if (this.#atBottom) return void conversation.markRead();
    let bottom;
    for (let li = this.#list.lastElementChild; li; li = li.previousElementSibling) {
      const seq = Number(li.dataset.seq);
      if (seq <= conversation.read) return;
      bottom ??= this.#scroller.getBoundingClientRect().bottom;
      if (li.getBoundingClientRect().bottom <= bottom + LINE_PX) return void conversation.markRead(seq);
    }
  }

  #drawPending({ follow = true } = {}) {
    const more = this.#pending.draw(this.client, this.#conversation, (to) => this.reveal(to));
    // The user wants to see the message that they send.
    if (more && follow) [this.#atBottom, this.#bottom, this.#going] = [true, 0, ''];
  }
}
customElements.define('chat-messages', ChatMessages);
