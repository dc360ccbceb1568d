import { Emitter } from './emitter.js';
import { CLOSE, closeReason, decode, encode, isFinalClose, SUBPROTOCOL } from './frames.js';
import { ChatError } from './protocol.js';
import { backoff } from './util.js';

/** @import {Clock, Frame, Status} from './types.js' */

const WELCOME_WITHIN_MS = 10_000;
/** A node past the gateway that does not answer by then is one that this network does not reach. */
const NODE_WELCOME_WITHIN_MS = 4000;
const PONG_WITHIN_MS = 10_000;
/** The browser says that it is offline. A server that can be reached all the same answers sooner than this. */
const OFFLINE_PONG_WITHIN_MS = 3000;
/** After a connection that lived this long, the next loss starts with a short wait again. */
const STABLE_AFTER_MS = 10_000;
/** A clock that runs ahead would find each new token expired, so it asks only this often. The server closes with 4002 if it is. */
const RENEW_AT_MOST_EVERY_MS = 30_000;
const RENEW_EARLY_MS = 60_000;
const OVERLOADED_WAIT_MS = 5000;
/** Some browsers say that they are offline when they are not, so it is tried all the same. */
const OFFLINE_WAIT_MS = 60_000;
/** A network that comes and goes must not make the client hammer the server. */
const TRY_AT_MOST_EVERY_MS = 1000;

/**
 * One session over any number of sockets. It opens and watches a socket, renews the token, and reconnects after a loss.
 * @extends {Emitter<{status: Status, welcome: Frame, frame: Frame, down: void, fault: ChatError, roundTrip: number}>}
 */
export class Connection extends Emitter {
  /** @type {Status} */
  status = { state: 'idle' };
  /** How often a lost connection was replaced. */
  reconnects = 0;
  /** Whether a socket is open and welcomed. */
  connected = false;
  /** Whether the socket leads to a node past the gateway. */
  byTicket = false;
  #url;
  #tokens;
  #WebSocket;
  #clock;
  #probe;
  #tickets;
  #signal;
  /** @type {WebSocket|null} */
  #socket = null;
  #everConnected = false;
  #failures = 0;
  /** How many tokens in a row the server called expired before they carried anything. */
  #refusals = 0;
  #probing = false;
  #offline = false;
  #triedAt = -Infinity;
  #retryAt = 0;
  #welcomedAt = 0;
  /** Whether the next try needs a new token. */
  #fresh = false;
  /** Counts the sockets, so that calls for an earlier one are ignored. */
  #generation = 0;
  /** @type {number|null} when to leave a draining node */
  #leaveAt = null;
  #lastHeard = 0;
  #heartbeat = 0;
  #pings = 0;
  /** @type {{ref: string, at: number, within: number}|null} */
  #ping = null;
  /** @type {Record<string, any>} the present socket's, by purpose */
  #timers = {};

  /**
   * @param {{url: string, tokens: import('./api.js').Tokens, WebSocket: new (url: string, protocols?: string[]) => any, clock: Clock,
   *   probe: () => Promise<any>, tickets: import('./tickets.js').Tickets|null, signal: AbortSignal}} options `probe`: asks the API for anything
   */
  constructor({ url, tokens, WebSocket, clock, probe, tickets, signal }) {
    super();
    this.#url = url;
    this.#tokens = tokens;
    this.#WebSocket = WebSocket;
    this.#clock = clock;
    this.#probe = probe;
    this.#tickets = tickets;
    this.#signal = signal;
  }

  open() {
    if (this.status.state !== 'idle' && this.status.state !== 'closed') return;
    this.#failures = this.#refusals = 0;
    this.#open();
  }

  /** Ends the session until `open`, because another try would fail too. @param {ChatError} error @param {number} [code] */
  fail(error, code) {
    this.#end();
    this.#setStatus({ state: 'closed', code, reason: error.message, error });
    this.emit('fault', error);
  }

  /** Follows the browser's opinion of the network. @param {EventTarget} network @param {AbortSignal} signal */
  watchNetwork(network, signal) {
    network.addEventListener('offline', () => {
      this.#offline = true;
      if (this.connected) this.#sendPing(OFFLINE_PONG_WITHIN_MS);
      else if (this.#timers.retry !== undefined) this.#retryIn(OFFLINE_WAIT_MS);
    }, { signal });
    network.addEventListener('online', () => {
      this.#offline = false;
      if (!this.connected) this.#failures = 0;
      this.wake();
    }, { signal });
  }

  close() {
    this.#end();
    this.#setStatus({ state: 'closed', code: CLOSE.normal, reason: closeReason(CLOSE.normal) });
  }

  /** @param {Frame} frame @returns {boolean} false when there is no connection to send it on */
  send(frame) {
    if (!this.connected || this.#socket?.readyState !== 1) return false;
    this.#socket.send(encode(frame));
    return true;
  }

  /** The network may have changed. Retries now instead of later, or pings the server. */
  wake() {
    if (this.connected) return this.#sendPing();
    if (this.#timers.retry === undefined) return;
    const at = Math.max(this.#clock.now(), this.#triedAt + TRY_AT_MOST_EVERY_MS);
    if (at === this.#clock.now()) this.#open();
    else if (at < this.#retryAt) this.#retryIn(at - this.#clock.now());
  }

  /** Loses the connection, as a network would. */
  drop() {
    if (this.#socket) this.#lost(CLOSE.abnormal, 'dropped on purpose');
  }

  /** @param {string} name @param {() => void} run @param {number} ms */
  #timer(name, run, ms) {
    this.#clock.clear(this.#timers[name]);
    this.#timers[name] = this.#clock.set(run, ms);
  }

  async #open(withTicket = true) {
    const generation = this.#forget();
    this.#triedAt = this.#clock.now();
    this.#setStatus({ state: this.#everConnected || this.#failures > 0 ? 'reconnecting' : 'connecting' });
    let socket;
    let node = null;
    try {
      const token = await this.#tokens.get(this.#fresh);
      if (generation !== this.#generation) return;
      this.#fresh = false;
      if (withTicket && this.#tickets) node = await this.#tickets.get(this.#signal);
      if (generation !== this.#generation) return;
      this.byTicket = node !== null;
      // It throws for an address that the browser does not allow, such as an insecure one on a secure page.
      socket = this.#socket = new this.#WebSocket(node ?? this.#url, node ? [SUBPROTOCOL] : [SUBPROTOCOL, `bearer.${token}`]);
    } catch (error) {
      if (generation !== this.#generation) return;
      if (node !== null) return this.#throughGateway();
      const { message } = /** @type {Error} */ (error);
      if (!(error instanceof ChatError)) return this.fail(new ChatError('bad_option', message, { field: 'url' }));
      return error.fatal ? this.fail(error) : this.#lost(CLOSE.abnormal, message);
    }
    this.#timer('open', () => this.#lost(CLOSE.abnormal, 'no answer'), node ? NODE_WELCOME_WITHIN_MS : WELCOME_WITHIN_MS);
    socket.onmessage = (/** @type {any} */ event) => { if (generation === this.#generation) this.#receive(event.data); };
    socket.onclose = (/** @type {any} */ { code }) => { if (generation === this.#generation) this.#lost(code, closeReason(code)); };
    // Some WebSockets throw where nobody listens to errors. The close event follows.
    socket.onerror = () => {};
  }

  /** A node past the gateway did not let the client in. */
  #throughGateway() {
    this.#end();
    this.#tickets?.failed();
    this.#open(false);
  }

  /** @param {unknown} data */
  #receive(data) {
    this.#lastHeard = this.#clock.now();
    let frame;
    try {
      frame = decode(String(data), 'server');
    } catch (error) {
      // An unknown type is no fault, because the protocol may grow.
      const fault = /** @type {ChatError} */ (error);
      if (fault.code !== 'unknown_type') this.emit('fault', fault);
      return;
    }
    switch (frame.type) {
      case 'welcome': return this.#welcome(frame);
      case 'authenticated': return this.#renewTokenBefore(frame.expires);
      case 'reconnect': return this.#leaveIn(frame.after);
      case 'pong': return this.#pong(frame);
      default: if (this.connected) this.emit('frame', frame);
    }
  }

  /** @param {Frame} welcome */
  #welcome(welcome) {
    this.#clock.clear(this.#timers.open);
    this.connected = true;
    if (this.#everConnected) this.reconnects++;
    this.#everConnected = true;
    this.#welcomedAt = this.#clock.now();
    this.#triedAt = -Infinity;
    this.#refusals = 0;
    if (this.byTicket) this.#tickets?.succeeded();
    this.#heartbeat = Math.max(1, welcome.heartbeat) * 1000;
    this.#watch();
    this.#renewTokenBefore(welcome.expires);
    this.emit('welcome', welcome);
    if (!this.connected) return;
    this.#setStatus({ state: 'connected' });
    this.#sendPing();
  }

  // The browser itself answers the server's pings. Silence may mean a dead network, so this side pings too.
  #watch() {
    const silent = this.#clock.now() - this.#lastHeard;
    if (silent >= this.#heartbeat) this.#sendPing();
    this.#timer('watch', () => this.#watch(), silent >= this.#heartbeat ? this.#heartbeat : this.#heartbeat - silent);
  }

  /** @param {number} [within] a shorter time than that of a ping that is under way begins anew */
  #sendPing(within = PONG_WITHIN_MS) {
    if (this.#ping && this.#ping.within <= within) return;
    const { at, ref } = this.#ping = { ref: `ping-${++this.#pings}`, at: this.#clock.now(), within };
    this.send({ type: 'ping', ref });
    this.#timer('pong', () => {
      this.#ping = null;
      // Any frame since then proves that the connection is alive.
      if (this.#lastHeard <= at) this.#lost(CLOSE.abnormal, 'the connection fell silent');
    }, within);
  }

  /** @param {Frame} frame */
  #pong(frame) {
    if (!this.#ping || frame.ref !== this.#ping.ref) return;
    this.#clock.clear(this.#timers.pong);
    this.emit('roundTrip', this.#clock.now() - this.#ping.at);
    this.#ping = null;
  }

  /** @param {string} expires */
  #renewTokenBefore(expires) {
    this.#clock.clear(this.#timers.auth);
    const left = Date.parse(expires) - this.#clock.date();
    if (Number.isNaN(left)) return;
    const wait = left > 0 ? left - Math.min(RENEW_EARLY_MS, left * 0.2) : RENEW_AT_MOST_EVERY_MS;
    this.#timer('auth', () => this.#renewToken(0), Math.min(wait, 2 ** 31 - 1));
  }

  /** @param {number} attempt */
  async #renewToken(attempt) {
    const generation = this.#generation;
    try {
      const token = await this.#tokens.get(true);
      if (generation === this.#generation) this.send({ type: 'auth', token });
    } catch (error) {
      if (generation !== this.#generation) return;
      const fault = /** @type {ChatError} */ (error);
      this.emit('fault', fault);
      // The connection lives until its token expires. Then the session ends.
      if (!fault.fatal) this.#timer('auth', () => this.#renewToken(attempt + 1), backoff(this.#clock, attempt, 1000, 30_000));
    }
  }

  /** @param {number} after milliseconds, which the server spreads over its clients */
  #leaveIn(after) {
    this.#leaveAt = this.#clock.now() + after;
    this.#timer('leave', () => this.#lost(CLOSE.restart, closeReason(CLOSE.restart)), after);
  }

  /** @param {number} code @param {string} reason */
  #lost(code, reason) {
    const leaveAt = this.#leaveAt;
    const { connected } = this;
    const refused = this.#socket !== null && !connected;
    if (refused && this.byTicket && leaveAt === null && (code === CLOSE.tokenInvalid || !isFinalClose(code))) return this.#throughGateway();
    this.#end();
    if (isFinalClose(code)) return this.fail(new ChatError('closed', reason, { closeCode: code }), code);
    this.#fresh ||= code === CLOSE.tokenExpired;
    if (refused && code === CLOSE.tokenExpired) {
      // The token has been renewed since the first time.
      if (++this.#refusals > 1) return this.fail(new ChatError('token', reason, { closeCode: code }), code);
    } else if (refused) {
      this.#askWhy();
    }
    if (connected && this.#clock.now() - this.#welcomedAt >= STABLE_AFTER_MS) this.#failures = 0;
    const attempt = this.#failures++;
    let wait = backoff(this.#clock, attempt);
    if (leaveAt !== null) wait = Math.max(attempt && wait, leaveAt - this.#clock.now());
    else if (code === CLOSE.overloaded) wait += OVERLOADED_WAIT_MS * (0.5 + this.#clock.random() / 2);
    this.#retryIn(this.#offline ? OFFLINE_WAIT_MS : wait, { code, reason });
  }

  /** @param {number} ms @param {{code?: number, reason?: string}} [why] */
  #retryIn(ms, { code, reason } = this.status) {
    this.#retryAt = this.#clock.now() + ms;
    this.#timer('retry', () => this.#open(), ms);
    this.#setStatus({ state: 'reconnecting', code, reason, retryAt: this.#clock.date() + ms });
  }

  // A browser does not say why a handshake failed. The API says whether it was the token, and has asked for a new one by then.
  async #askWhy() {
    if (this.#probing) return;
    this.#probing = true;
    try {
      await this.#probe();
    } catch (error) {
      const { fatal, message, status } = /** @type {ChatError} */ (error);
      const final = fatal || status === 401 || status === 403;
      if (final && this.status.state !== 'closed' && !this.connected) this.fail(new ChatError('token', message, { status }));
    } finally {
      this.#probing = false;
    }
  }

  /** Ends the socket, if there is one, and its timers. */
  #end() {
    const socket = this.#socket;
    const { connected } = this;
    this.#forget();
    if (socket) {
      socket.onmessage = socket.onclose = null;
      // On a dead network its close event may come minutes later.
      if (socket.readyState < 2) socket.close(CLOSE.normal);
    }
    if (connected) this.emit('down', undefined);
  }

  #forget() {
    this.byTicket = false;
    for (const timer of Object.values(this.#timers)) this.#clock.clear(timer);
    this.#timers = {};
    this.#socket = this.#leaveAt = this.#ping = null;
    this.connected = false;
    return ++this.#generation;
  }

  /** @param {Status} status */
  #setStatus(status) {
    this.status = status;
    this.emit('status', status);
  }
}
