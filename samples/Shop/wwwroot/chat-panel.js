// The chat of one order: history, what is on its way, and a box to write in. It draws what the client library holds.

const HINT = 'Choose an order to chat about it.';
const STATES = {
  connecting: 'Connecting …', reconnecting: 'Connection lost. What you write is kept and sent later.', closed: 'The chat is closed.',
};

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

class ChatPanel extends HTMLElement {
  #client;
  #conversation;
  /** The room that was asked for last. */
  #wanted = '';
  #shown = new AbortController();
  /** The messages' elements by seq, or by nonce while one is on its way. */
  #rows = new Map();
  #title = element('h2', { textContent: 'Chat', tabIndex: -1 });
  #status = element('p', { className: 'muted' });
  #earlier = element('button', {
    type: 'button', className: 'quiet', textContent: 'Earlier messages', hidden: true, onclick: () => this.#older(),
  });
  #log = element('div', { className: 'log', tabIndex: 0 });
  #box = element('textarea', { id: 'chat-box', rows: 2, maxLength: 8000, required: true });
  #form = element('form', { hidden: true },
    element('label', { htmlFor: 'chat-box', textContent: 'Message' }), this.#box, element('button', { textContent: 'Send' }));

  connectedCallback() {
    this.setAttribute('role', 'region');
    this.setAttribute('aria-label', 'Chat');
    this.#status.setAttribute('role', 'status');
    this.#log.setAttribute('role', 'log');
    this.#log.setAttribute('aria-label', 'Messages');
    this.#form.onsubmit = (event) => {
      event.preventDefault();
      this.#send();
    };
    // Enter sends, Shift+Enter begins a line; while a word is composed, Enter belongs to the keyboard.
    this.#box.onkeydown = (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#form.requestSubmit();
    };
    this.append(this.#title, this.#status, this.#earlier, this.#log, this.#form);
    this.#say();
  }

  set client(client) {
    this.#client = client;
    client.on('status', ({ state, error }) => this.#say(STATES[state] && `${STATES[state]} ${error?.message ?? ''}`));
    client.on('profile', () => this.#draw());
  }

  async open(room, title) {
    if (!this.#client) throw new Error('The chat is not connected yet.');
    this.#wanted = room;
    this.#say('Opening …');
    let conversation;
    try {
      conversation = await this.#client.join(room);
    } catch (error) {
      this.#say();
      throw error;
    }
    // Another one was chosen meanwhile.
    if (this.#wanted !== room) return;
    this.#shown.abort();
    this.#shown = new AbortController();
    this.#conversation = conversation;
    this.#rows.clear();
    this.#log.replaceChildren();
    this.#title.textContent = title;
    this.#form.hidden = false;
    this.#say();
    conversation.on('change', () => this.#draw(), this.#shown);
    this.#draw();
    this.#box.focus();
    // A join brings what comes from now on. What was said before is loaded from history, the newest page first.
    if (conversation.messages.length === 0) await this.#older();
  }

  async #older() {
    try {
      await this.#conversation.older();
    } catch (error) {
      this.#say(`Earlier messages could not be loaded: ${error.message}`);
    }
  }

  #say(text = this.#conversation ? '' : HINT) { this.#status.textContent = text; }

  #send() {
    const text = this.#box.value.trim();
    this.#box.value = '';
    // A refusal is shown at the message.
    if (text) this.#conversation.send(text).catch(() => {});
  }

  #draw() {
    const conversation = this.#conversation;
    if (!conversation) return;
    const atEnd = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 40;
    const rows = new Map([
      ...conversation.messages.map((message) => [message.seq, message]),
      ...conversation.pending.map((pending) => [pending.nonce, { ...pending, own: true, from: this.#client.user }]),
    ].map(([key, message]) => [key, this.#row(this.#rows.get(key) ?? element('article'), message)]));
    // What stays is left in its place: a screen reader would read all of it again.
    for (const [key, row] of this.#rows) if (!rows.has(key)) row.remove();
    let at = this.#log.firstChild;
    for (const row of rows.values()) {
      if (row === at) at = at.nextSibling;
      else this.#log.insertBefore(row, at);
    }
    this.#rows = rows;
    this.#earlier.hidden = conversation.atStart;
    if (atEnd) this.#log.scrollTop = this.#log.scrollHeight;
    if (document.visibilityState === 'visible') conversation.markRead();
  }

  #row(row, { from, own, content, deleted, state, error, nonce, timestamp }) {
    const text = deleted ? 'This message was deleted.' : content;
    const name = own ? 'You' : this.#client.profiles.get(from)?.name ?? from;
    const note = state === 'sending' ? 'sending …' : state === 'failed' ? `not sent: ${error?.message}` : new Date(timestamp ?? Date.now())
      .toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
    const said = [name, text, note].join('\n');
    if (row.said === said) return row;
    row.said = said;
    row.className = own ? 'own' : '';
    row.replaceChildren(element('b', { textContent: name }), element('p', { textContent: text }), element('small', { textContent: note }));
    if (state === 'failed') {
      row.append(element('button', { type: 'button', className: 'quiet', textContent: 'Send again', onclick: () => this.#conversation.retry(nonce)?.catch(() => {}) }));
    }
    return row;
  }
}

customElements.define('chat-panel', ChatPanel);
