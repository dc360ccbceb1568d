import { h } from './dom.js';

/** @typedef {import('../aspirechat.js').ChatClient} ChatClient */

/** Says that the connection is lost, and when it is tried again. */
export class ChatBanner extends HTMLElement {
  #timer = null;
  #text = h('span', {});
  #button = h('button', { type: 'button', class: 'link' });

  connectedCallback() {
    this.setAttribute('role', 'status');
    this.hidden = true;
    this.append(this.#text, ' ', this.#button);
  }

  watch(client) {
    let until = 0;
    const draw = () => {
      clearTimeout(this.#timer);
      const { state, retryAt, reason } = client.status;
      this.hidden = state === 'connected' || state === 'idle';
      this.className = state;
      this.#button.hidden = !(state === 'closed' || (state === 'reconnecting' && retryAt));
      if (state === 'connecting') this.#text.textContent = 'Connecting…';
      if (state === 'closed') {
        this.#text.textContent = `Disconnected: ${reason}.`;
        this.#button.textContent = 'Connect again';
        this.#button.onclick = () => client.connect().catch(() => {});
      }
      if (state === 'reconnecting') {
        const seconds = retryAt ? Math.ceil((until - performance.now()) / 1000) : 0;
        this.#text.textContent = seconds > 1
          ? `Connection lost. Trying again in ${seconds} s. What you write is sent then.` : 'Reconnecting…';
        this.#button.textContent = 'Try now';
        this.#button.onclick = () => client.wake();
        if (seconds > 1) this.#timer = setTimeout(draw, 1000);
      }
    };
    // The machine's clock may be set while the wait is shown.
    client.on('status', ({ retryAt = 0 }) => { until = performance.now() + retryAt - Date.now(); draw(); });
    draw();
  }
}
customElements.define('chat-banner', ChatBanner);

/** This tab's connection, for operators. */
export class ChatDiagnostics extends HTMLElement {
  watch(client, current) {
    const values = h('dl', {});
    const details = h('details', {}, h('summary', {}, 'Diagnostics'), values,
      h('button', { type: 'button', class: 'small-button', onclick: () => client.drop() }, 'Drop my connection'));
    const draw = () => {
      if (!details.open) return;
      const { node, connection, roundTrip, reconnects } = client.info;
      const conversation = current();
      const rows = {
        State: client.status.state, Node: node, Connection: connection,
        'Round trip': roundTrip === null ? '–' : `${Math.round(roundTrip)} ms`, Reconnects: reconnects,
        Unacknowledged: client.unacknowledged,
        ...(conversation ? { Seq: conversation.head, Epoch: conversation.epoch ?? '–' } : {}),
      };
      values.replaceChildren(...Object.entries(rows).flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, String(value))]));
    };
    this.replaceChildren(details);
    details.addEventListener('toggle', draw);
    client.on('status', draw);
    client.on('info', draw);
    const timer = setInterval(() => (this.isConnected ? draw() : clearInterval(timer)), 1000);
  }
}
customElements.define('chat-diagnostics', ChatDiagnostics);
