// The network between a browser and the gateway, as a thing that can be cut.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

export class Link {
  /** `up`: everything passes; `http`: no new socket of the protocol does; `cut`: nothing does. */
  #state = 'up';
  #server;
  #open = new Set();
  url = '';

  static async to(url) {
    const link = new Link();
    const target = new URL(url);
    link.#server = createServer((near) => {
      if (link.#state === 'cut') return near.destroy();
      const far = connect(Number(target.port), target.hostname);
      const pair = { near, far };
      link.#open.add(pair);
      const end = () => { near.destroy(); far.destroy(); link.#open.delete(pair); };
      for (const side of [near, far]) side.on('error', end).on('close', end);
      // A browser opens its WebSocket on a connection of its own, so the first bytes tell what it is.
      near.once('data', (first) => {
        pair.socket = first.toString('latin1').startsWith('GET /ws');
        if (pair.socket && link.#state !== 'up') return end();
        far.write(first);
        near.pipe(far);
      });
      far.pipe(near);
    });
    link.#server.listen(0, '127.0.0.1');
    await once(link.#server, 'listening');
    link.url = `http://localhost:${link.#server.address().port}`;
    return link;
  }

  cut() { this.#become('cut', () => true); }
  /** Pages load, but sockets are lost and do not come back. */
  cutSockets() { this.#become('http', ({ socket }) => socket); }
  restore() { this.#become('up', () => false); }

  close() {
    this.cut();
    this.#server.close();
  }

  #become(state, loses) {
    this.#state = state;
    for (const pair of [...this.#open]) if (loses(pair)) pair.near.destroy();
  }
}
