import { ChatError, CLOSE, closeReason, decode, encode, isFinalClose, SUBPROTOCOL } from './protocol.js';
import { backoff, Emitter } from './util.js';

/** @import {Clock, Frame, Status} from './types.js' */

const WELCOME_WITHIN_MS = 10_000;
const PONG_WITHIN_MS = 10_000;
/** After a connection that lived this long, the next loss starts with a short wait again. */
const STABLE_AFTER_MS = 10_000;
/** Browsers do not tell why a handshake failed. The token may be the reason, so an older one is renewed first. */
const RENEW_TOKEN_AFTER_MS = 30_000;
const RENEW_EARLY_MS = 60_000;
const OVERLOADED_WAIT_MS = 5000;

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
  #url;
  #tokens;
  #WebSocket;
  #clock;
  /** @type {WebSocket|null} */
  #socket = null;
  #everConnected = false;
  #failures = 0;
  /** Counts the sockets, so that calls for an earlier one are ignored. */
  #generation = 0;
  /** @type {number|null} when to leave a draining node */
  #leaveAt = null;
  #lastHeard = 0;
  #heartbeat = 0;
  #pings = 0;
  /** @type {{ref: string, at: number}|null} */
  #ping = null;
  /** @type {Record<string, any>} the present socket's, by purpose */
  #timers = {};

  /** @param {string} url @param {import('./api.js').Tokens} tokens @param {typeof WebSocket} WebSocket @param {Clock} clock */
  constructor(url, tokens, WebSocket, clock) {
    super();
    this.#url = url;
    this.#tokens = tokens;
    this.#WebSocket = WebSocket;
    this.#clock = clock;
  }

  open() {
    if (this.status.state === 'idle' || this.status.state === 'closed') this.#open(false);
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
    if (this.connected) this.#sendPing();
    else if (this.#timers.retry !== undefined) this.#open(false);
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

  /** @param {boolean} fresh whether a new token is needed */
  async #open(fresh) {
    const generation = this.#forget();
    this.#setStatus({ state: this.#everConnected || this.#failures > 0 ? 'reconnecting' : 'connecting' });
    let token;
    try {
      token = await this.#tokens.get(fresh || (this.#failures > 0 && this.#tokens.age > RENEW_TOKEN_AFTER_MS));
    } catch (fault) {
      if (generation !== this.#generation) return;
      const { fatal, message: reason } = /** @type {any} */ (fault);
      if (!fatal) return this.#lost(CLOSE.abnormal, reason);
      this.#end();
      return this.#setStatus({ state: 'closed', reason });
    }
    if (generation !== this.#generation) return;
    const socket = new this.#WebSocket(this.#url, [SUBPROTOCOL, `bearer.${token}`]);
    this.#socket = socket;
    this.#timer('open', () => this.#lost(CLOSE.abnormal, 'no answer'), WELCOME_WITHIN_MS);
    socket.onmessage = (event) => { if (generation === this.#generation) this.#receive(event.data); };
    socket.onclose = (event) => { if (generation === this.#generation) this.#lost(event.code, closeReason(event.code)); };
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
    this.#timer('stable', () => { this.#failures = 0; }, STABLE_AFTER_MS);
    this.#heartbeat = Math.max(1, welcome.heartbeat) * 1000;
    this.#watch();
    this.#renewTokenBefore(welcome.expires);
    this.emit('welcome', welcome);
    this.#setStatus({ state: 'connected' });
    this.#sendPing();
  }

  // The browser itself answers the server's pings. Silence may mean a dead network, so this side pings too.
  #watch() {
    const silent = this.#clock.now() - this.#lastHeard;
    if (silent >= this.#heartbeat) this.#sendPing();
    this.#timer('watch', () => this.#watch(), silent >= this.#heartbeat ? this.#heartbeat : this.#heartbeat - silent);
  }

  #sendPing() {
    if (this.#ping) return;
    const { at, ref } = this.#ping = { ref: `ping-${++this.#pings}`, at: this.#clock.now() };
    this.send({ type: 'ping', ref });
    this.#timer('pong', () => {
      this.#ping = null;
      // Any frame since then proves that the connection is alive.
      if (this.#lastHeard <= at) this.#lost(CLOSE.abnormal, 'the connection fell silent');
    }, PONG_WITHIN_MS);
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
    const left = Date.parse(expires) - this.#clock.now();
    if (Number.isNaN(left)) return;
    // A clock that runs ahead would find each new token expired, so it asks every 30 s. The server closes with 4002 if it is.
    const wait = left > 0 ? left - Math.min(RENEW_EARLY_MS, left * 0.2) : RENEW_TOKEN_AFTER_MS;
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
      this.emit('fault', new ChatError('token', String(error)));
      this.#timer('auth', () => this.#renewToken(attempt + 1), backoff(this.#clock, attempt, 1000, 30_000));
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
    this.#end();
    if (isFinalClose(code)) return this.#setStatus({ state: 'closed', code, reason });
    const attempt = this.#failures++;
    let wait = backoff(this.#clock, attempt);
    if (leaveAt !== null) wait = Math.max(attempt && wait, leaveAt - this.#clock.now());
    else if (code === CLOSE.overloaded) wait += OVERLOADED_WAIT_MS * (0.5 + this.#clock.random() / 2);
    this.#timer('retry', () => this.#open(code === CLOSE.tokenExpired), wait);
    this.#setStatus({ state: 'reconnecting', code, reason, retryAt: this.#clock.now() + wait });
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
