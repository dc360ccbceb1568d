// A scripted server on a fake socket, fake HTTP and a fake clock: nothing in these tests waits for real time.
import { ChatClient } from '../aspirechat.js';

export class FakeClock {
  #now = 1000;
  /** What this machine's clock says. Tests may set it. */
  wall = Date.parse('2026-03-01T12:00:00.000Z') - 1000;
  #timers = new Map();
  #next = 1;
  /** Constant, so that backoff waits are exact: half of a wait is random, and this takes all of it. */
  random = () => 0.999999;
  now = () => this.#now;
  date = () => this.#now + this.wall;
  set = (run, ms) => {
    const id = this.#next++;
    this.#timers.set(id, { run, at: this.#now + ms });
    return id;
  };
  clear = (id) => void this.#timers.delete(id);

  get timers() { return this.#timers.size; }

  async advance(ms) {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const due = [...this.#timers].filter(([, t]) => t.at <= end).sort((a, b) => a[1].at - b[1].at || a[0] - b[0])[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.#now = Math.max(this.#now, due[1].at);
      due[1].run();
      await settle();
    }
    this.#now = end;
  }
}

/** Lets everything run that waits for promises only. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));

export class FakeSocket {
  static all = [];
  static pongs = true;
  readyState = 0;
  sent = [];
  closedWith = null;
  onmessage = null;
  onclose = null;

  constructor(url, protocols) {
    Object.assign(this, { url, protocols });
    FakeSocket.all.push(this);
  }

  send(text) {
    const frame = JSON.parse(text);
    this.sent.push(frame);
    if (FakeSocket.pongs && frame.type === 'ping') queueMicrotask(() => this.say({ type: 'pong', ref: frame.ref }));
  }
  close(code) { this.readyState = 3; this.closedWith = code; }

  // The server's side.
  say(frame) { this.onmessage?.({ data: JSON.stringify(frame) }); }
  end(code) { this.readyState = 3; this.onclose?.({ code, reason: '' }); }
  of(type) { return this.sent.filter((f) => f.type === type); }
  last(type) { return this.of(type).at(-1); }
}

/** A room or direct log as the HTTP API shows it. */
export class FakeHistory {
  logs = new Map();
  calls = [];
  /** Answers instead of the log: a status, or a function of the URL. */
  fault = null;
  overview = [];
  /** What a question for a ticket is answered; null: this system has none. */
  ticket = null;

  log(key) {
    if (!this.logs.has(key)) this.logs.set(key, { epoch: 'e1', items: [] });
    return this.logs.get(key);
  }

  fetch = async (url, { headers } = {}) => {
    const { pathname, searchParams } = new URL(url);
    this.calls.push({ path: pathname, query: Object.fromEntries(searchParams), token: headers?.Authorization });
    const fault = typeof this.fault === 'function' ? this.fault(pathname, searchParams) : this.fault;
    if (fault) return Response.json({ title: 'fault' }, { status: fault, headers: { 'Retry-After': '1' } });
    if (pathname === '/api/conversations') return Response.json({ items: this.overview });
    if (pathname === '/api/socket-tickets') return Response.json(this.ticket ?? { title: 'Not found' }, { status: this.ticket ? 200 : 404 });
    const [, kind, name] = /^\/api\/(rooms|dms)\/([^/]+)\/messages$/.exec(pathname);
    const { items, epoch } = this.log(`${kind === 'rooms' ? 'room' : 'to'}:${name}`);
    const limit = Number(searchParams.get('limit') ?? 50);
    const before = Number(searchParams.get('before') ?? Infinity);
    const after = searchParams.get('after');
    const page = after !== null ? items.filter((e) => e.seq > Number(after)).slice(0, limit)
      : items.filter((e) => e.seq < before).reverse().slice(0, limit);
    const more = page.length === limit;
    return Response.json({ items: page, epoch, head: items.at(-1)?.seq ?? 0, next: more ? String(page.at(-1).seq) : null });
  };
}

export const message = (seq, from = 'bob', more = {}) => ({
  type: 'room', id: `id-${more.epoch ?? 'e1'}-${seq}`, seq, from, content: `message ${seq}`, timestamp: '2026-03-01T12:00:00.000Z', room: 'lobby', ...more,
});
export const direct = (seq, from = 'bob', to = 'alice', more = {}) => {
  const { room, ...event } = message(seq, from, { type: 'dm', to, ...more });
  return event;
};
export const range = (from, to, make = message) => Array.from({ length: to - from + 1 }, (_, i) => make(from + i));
export const welcome = (clock, more = {}) => ({
  type: 'welcome', user: 'alice', connection: `c-${FakeSocket.all.length}`, node: 'n-1', heartbeat: 15,
  expires: new Date(clock.date() + 3600_000).toISOString(), ...more,
});
export const joined = (seq, more = {}) => ({ type: 'joined', room: 'lobby', seq, epoch: 'e1', members: ['alice', 'bob'], count: 2, typing: [], read: seq, ...more });
export const ack = (frame, seq, more = {}) => ({
  type: 'ack', nonce: frame.nonce, id: `id-e1-${seq}`, seq, epoch: 'e1', timestamp: '2026-03-01T12:00:00.000Z',
  ...(frame.room ? { room: frame.room } : { to: frame.to }), ...more,
});

/** A client with everything faked. `tokens` counts what the provider was asked. */
export function setup({ pongs = true, ...options } = {}) {
  FakeSocket.all = [];
  FakeSocket.pongs = pongs;
  const clock = new FakeClock();
  const history = new FakeHistory();
  const tokens = [];
  const faults = [];
  const statuses = [];
  const client = new ChatClient({
    url: 'http://chat.test', tickets: false, clock, WebSocket: FakeSocket, fetch: history.fetch,
    getToken: async ({ fresh }) => { tokens.push(fresh); return `token-${tokens.length}`; },
    ...options,
  });
  client.on('fault', (fault) => faults.push(fault));
  client.on('status', (status) => statuses.push(status));
  const kit = {
    client, clock, history, tokens, faults, statuses,
    get socket() { return FakeSocket.all.at(-1); },
    get sockets() { return FakeSocket.all; },
    /** Opens the newest socket as the server would. */
    async accept(more) {
      await settle();
      kit.socket.readyState = 1;
      kit.socket.say(welcome(clock, more));
      await settle();
      return kit.socket;
    },
    async connect(more) {
      client.connect().catch(() => {});
      return kit.accept(more);
    },
    /** Loses the connection and takes it up again. */
    async reconnect(code = 1006) {
      kit.socket.end(code);
      await clock.advance(500);
      return kit.accept();
    },
    async join(seq, more) {
      const joining = client.join('lobby');
      await settle();
      kit.socket.say(joined(seq, more));
      const room = await joining;
      room.seen = [];
      room.on('event', (event) => room.seen.push(event.seq));
      return room;
    },
  };
  return kit;
}
