// A server of the protocol's happy path, for first uses in other processes. It has one room's log and forgets it.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

export class ScriptedServer {
  #http = createServer((request, response) => this.#answer(request, response));
  #sockets = new WebSocketServer({ server: this.#http, path: '/ws', handleProtocols: () => 'aspirechat.v1' });
  #log = [];
  url = '';

  static async start() {
    const server = new ScriptedServer();
    server.#sockets.on('connection', (socket) => server.#welcome(socket));
    server.#http.listen(0, '127.0.0.1');
    await once(server.#http, 'listening');
    server.url = `http://127.0.0.1:${server.#http.address().port}`;
    return server;
  }

  async stop() {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#http.closeAllConnections();
    this.#http.close();
    await once(this.#http, 'close');
  }

  #answer({ url }, response) {
    const { pathname, searchParams } = new URL(url, this.url);
    const say = (status, body) => response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    if (pathname === '/dev/token') return say(200, { token: 'a.b.c', user: searchParams.get('user') });
    if (pathname === '/api/conversations') return say(200, { items: [], next: null });
    return say(404, { title: 'Not found' });
  }

  #welcome(socket) {
    const say = (frame) => socket.send(JSON.stringify(frame));
    socket.on('message', (data) => this.#receive(JSON.parse(data), say));
    say({ type: 'welcome', user: 'alice', connection: 'c-1', node: 'n-1', heartbeat: 15, expires: new Date(Date.now() + 3600_000).toISOString() });
  }

  #receive({ type, room, ref, content, nonce }, say) {
    if (type === 'ping') say({ type: 'pong', ref });
    if (type === 'join') say({ type: 'joined', room, seq: this.#log.length, epoch: 'e1', members: ['alice'], count: 1, typing: [], read: 0, ref });
    if (type === 'leave') say({ type: 'left', room, ref });
    if (type !== 'room') return;
    const event = { type, id: `id-${this.#log.length + 1}`, seq: this.#log.length + 1, from: 'alice', content, timestamp: new Date().toISOString(), room };
    this.#log.push(event);
    say({ type: 'ack', nonce, id: event.id, seq: event.seq, epoch: 'e1', timestamp: event.timestamp, room });
    say({ ...event, nonce });
  }
}
