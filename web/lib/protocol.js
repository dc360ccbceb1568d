// The frames of protocol aspirechat.v1 as tables: one decoder for both directions, so that what this client sends is held to the
// same rules as what it receives, and both to the golden set that the server's codec is tested with.

/** @typedef {{room?: string, to?: string}} Where A conversation: a room, or the direct one with a user. */
/** @typedef {{emoji: string, count: number, users: string[]}} Reaction */
/**
 * An event of a conversation's log. In history, `content` is the current one, `edited` the seq of the last edit.
 * @typedef {{type: 'room'|'dm'|'edit'|'delete'|'react', id: string, seq: number, from: string, timestamp: string, room?: string,
 *   to?: string, content?: string, nonce?: string, target?: number, emoji?: string, remove?: boolean, edited?: number,
 *   deleted?: boolean, reactions?: Reaction[]}} ChatEvent
 */
/** @typedef {{id: string, seq: number, epoch: string, timestamp: string, duplicate: boolean}} Receipt What an `ack` tells. */
/** @typedef {{type: string, [field: string]: any}} Frame */

export const SUBPROTOCOL = 'aspirechat.v1';
export const LIMITS = Object.freeze({ content: 8000, frame: 32 * 1024, nonce: 64, page: 200 });

const ID = /^[A-Za-z0-9_.-]{1,64}$/;
/** In a regular expression with the u flag a surrogate matches only where it stands alone. */
const NUL_OR_LONE_SURROGATE = /[\0\uD800-\uDFFF]/u;

/** @param {unknown} value */
export const isId = (value) => typeof value === 'string' && ID.test(value) && value !== '.' && value !== '..';
/** @param {unknown} value */
export const isText = (value) => typeof value === 'string' && !NUL_OR_LONE_SURROGATE.test(value);

const ID_RULE = '1 to 64 characters of A-Z a-z 0-9 _ . -, and not . or ..';
/** @type {Record<string, [(value: any) => boolean, string]>} */
const KINDS = {
  id: [isId, ID_RULE],
  string: [isText, 'a text'],
  name: [(v) => isText(v) && v.length > 0, 'a text that is not empty'],
  nonce: [(v) => isText(v) && v.length > 0 && v.length <= LIMITS.nonce, `1 to ${LIMITS.nonce} characters`],
  content: [isText, 'a text without NUL and lone surrogates'],
  seq: [(v) => Number.isSafeInteger(v) && v >= 0, 'a whole number from 0'],
  number: [(v) => Number.isFinite(v) && v >= 0, 'a number from 0'],
  bool: [(v) => typeof v === 'boolean', 'true or false'],
  users: [(v) => Array.isArray(v) && v.every((u) => typeof u === 'string'), 'a list of users'],
  list: [Array.isArray, 'a list'],
};

// Written as "field:kind", with "?" for an optional one and "=" for a default. "where" is room or to.
const EVENT = 'id:name seq:seq from:id where timestamp:name nonce:nonce? edited:seq? deleted:bool? reactions:list?';
const CLIENT = table({
  join: 'room:id since:seq? epoch:string? ref:string?',
  leave: 'room:id ref:string?',
  room: 'nonce:nonce room:id content:content',
  dm: 'nonce:nonce to:id content:content',
  edit: 'nonce:nonce where target:seq content:content',
  delete: 'nonce:nonce where target:seq',
  react: 'nonce:nonce where target:seq emoji:name remove:bool=false',
  typing: 'where active:bool=true',
  read: 'where seq:seq',
  resume: 'conversations:list ref:string?',
  auth: 'token:name',
  ping: 'ref:string?',
});
const RESUME_ENTRY = fields('where since:seq epoch:string?');
const SERVER = table({
  welcome: 'user:id connection:string node:string heartbeat:number expires:name',
  ack: 'nonce:nonce id:name seq:seq epoch:string timestamp:name where duplicate:bool=false',
  room: `${EVENT} content:string`,
  dm: `${EVENT} content:string`,
  edit: `${EVENT} target:seq content:string`,
  delete: `${EVENT} target:seq`,
  react: `${EVENT} target:seq emoji:name remove:bool=false`,
  durable: 'where seq:seq',
  joined: 'room:id seq:seq epoch:string members:users count:seq typing:users read:seq ref:string?',
  resumed: 'where seq:seq head:seq complete:bool epoch:string ref:string?',
  left: 'room:id ref:string?',
  online: 'room:id users:users count:seq',
  offline: 'room:id users:users count:seq',
  presence: 'room:id count:seq',
  typing: 'from:id where active:bool',
  read: 'from:id where seq:seq',
  error: 'code:name message:string nonce:string? ref:string? retryAfter:number?',
  reconnect: 'after:number',
  pong: 'ref:string?',
  authenticated: 'expires:name',
});

/** @typedef {{name: string, kind: string, optional: boolean, fallback: unknown}} Field */
/** @param {string} text @returns {Field[]} */
function fields(text) {
  return text.split(' ').map((word) => {
    const [, name, kind, mark, fallback] = /** @type {RegExpExecArray} */ (/^(\w+)(?::(\w+)(\?|=(\w+))?)?$/.exec(word));
    return { name, kind: kind ?? '', optional: mark !== undefined, fallback: fallback === undefined ? undefined : fallback === 'true' };
  });
}

/** @param {Record<string, string>} types @returns {Map<string, Field[]>} */
function table(types) {
  return new Map(Object.entries(types).map(([type, text]) => [type, fields(text)]));
}

/** A failure that the protocol, the server or this library names by a code. */
export class ChatError extends Error {
  /** @param {string} code @param {string} message @param {{field?: string, retryAfter?: number, status?: number}} [more] */
  constructor(code, message, more = {}) {
    super(message);
    this.name = 'ChatError';
    this.code = code;
    this.field = more.field;
    this.retryAfter = more.retryAfter;
    this.status = more.status;
  }
}

/** @param {string} field @param {string} rule @returns {never} */
function bad(field, rule) {
  throw new ChatError('bad_request', `${field}: must be ${rule}.`, { field });
}

/**
 * @param {Field[]} spec @param {Record<string, any>} source @param {Frame} target
 * @param {boolean} strict whether the limits of what clients may send apply
 */
function take(spec, source, target, strict) {
  for (const { name, kind, optional, fallback } of spec) {
    if (name === 'where') {
      const field = source.room === undefined && source.to !== undefined ? 'to' : 'room';
      if (!isId(source[field])) bad(field, ID_RULE);
      target[field] = source[field];
      // A direct message names its addressee; a room's event that also had a "to" would be ambiguous, so room wins.
      continue;
    }
    const value = source[name];
    if (value === undefined && optional) {
      if (fallback !== undefined) target[name] = fallback;
      continue;
    }
    const [test, rule] = KINDS[kind];
    if (!test(value)) bad(name, rule);
    if (strict && kind === 'content' && value.length > LIMITS.content) {
      throw new ChatError('too_large', `content: at most ${LIMITS.content} UTF-16 code units.`, { field: name });
    }
    target[name] = value;
  }
}

/**
 * Checks a frame's fields and fills in defaults; unknown fields are left out.
 * @param {any} value @param {'client'|'server'} direction who sends it @returns {Frame}
 * @throws {ChatError} `bad_request`, `too_large` or `unknown_type`
 */
export function check(value, direction) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ChatError('bad_request', 'A frame is one JSON object.');
  }
  if (typeof value.type !== 'string') bad('type', 'a text');
  const spec = (direction === 'client' ? CLIENT : SERVER).get(value.type);
  if (!spec) throw new ChatError('unknown_type', `Unknown type "${value.type}".`, { field: 'type' });
  /** @type {Frame} */
  const frame = { type: value.type };
  take(spec, value, frame, direction === 'client');
  if (direction === 'client' && frame.type === 'resume') {
    frame.conversations = frame.conversations.map((/** @type {any} */ entry) => {
      if (typeof entry !== 'object' || entry === null) bad('conversations', 'a list of objects');
      /** @type {any} */
      const copy = {};
      take(RESUME_ENTRY, entry, copy, true);
      return copy;
    });
  }
  return frame;
}

/** @param {string} text @param {'client'|'server'} direction @returns {Frame} @throws {ChatError} */
export function decode(text, direction) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ChatError('bad_request', 'A frame is one JSON object.');
  }
  return check(value, direction);
}

/**
 * The text of a client's frame. What the server would refuse is refused here, before it is queued: an oversized frame that were
 * retried forever would close the socket (1009) each time.
 * @param {Frame} frame @returns {string} @throws {ChatError}
 */
export function encode(frame) {
  check(frame, 'client');
  const text = JSON.stringify(frame);
  // A code unit takes at most three bytes of UTF-8, so most frames need no exact count.
  if (text.length * 3 > LIMITS.frame && new TextEncoder().encode(text).length > LIMITS.frame) {
    throw new ChatError('too_large', `A frame holds at most ${LIMITS.frame} bytes.`);
  }
  return text;
}

/** Whether a client must stay away after this close code, until its user asks again. @param {number} code */
export const isFinalClose = (code) => code >= 4000 && code <= 4099 && code !== CLOSE.tokenExpired && code !== CLOSE.tooSlow;

export const CLOSE = Object.freeze({ normal: 1000, abnormal: 1006, restart: 1012, overloaded: 1013, tokenExpired: 4002, tooSlow: 4008 });

/** @type {Record<number, string>} */
const CLOSE_REASONS = {
  1000: 'closed', 1001: 'the server is shutting down', 1002: 'protocol error', 1003: 'binary message', 1006: 'connection lost',
  1007: 'invalid UTF-8', 1009: 'message too big', 1011: 'server error', 1012: 'the server restarts', 1013: 'the server is overloaded',
  4001: 'the token is missing or invalid', 4002: 'the token has expired', 4003: 'disconnected by an operator',
  4008: 'this client reads too slowly', 4009: 'this client sends too fast',
};
/** @param {number} code */
export const closeReason = (code) => CLOSE_REASONS[code] ?? `closed with code ${code}`;

/** The key of a conversation in maps. @param {Where} where */
export const keyOf = (where) => (where.room !== undefined ? `room:${where.room}` : `to:${where.to}`);
