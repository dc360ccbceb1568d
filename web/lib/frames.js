import { ChatError, isRoomId, isUserId, LIMITS, SYSTEM } from './protocol.js';

/** @import {Frame, Where} from './types.js' */
// The frames of aspirechat.v1 as tables, for both directions. The golden frames that test the server's codec test these too.

export const SUBPROTOCOL = 'aspirechat.v1';

/** Whether this can stand in an event: a user's id, or the server's own. @param {unknown} value */
export const isSender = (value) => value === SYSTEM || isUserId(value);
/** With the u flag a surrogate matches only where it stands alone. @param {any} v */
const isText = (v) => typeof v === 'string' && !/[\0\uD800-\uDFFF]/u.test(v);

/** @param {any} v @param {number} levels */
const isShallow = (v, levels) => Object(v) !== v || (levels > 0 && Object.values(v).every((each) => isShallow(each, levels - 1)));

/** @type {Record<string, [(v: any) => boolean, string]>} */
const KINDS = {
  room: [isRoomId, '1 to 64 of A-Z a-z 0-9 _ . -, and not . or ..'],
  user: [isSender, '1 to 128 of A-Z a-z 0-9 _ . - @ | : + = ~, and not . or ..'],
  string: [isText, 'a text without NUL and lone surrogates'],
  name: [(v) => isText(v) && v !== '', 'a text that is not empty'],
  nonce: [(v) => isText(v) && v !== '' && v.length <= LIMITS.nonce, `1 to ${LIMITS.nonce} characters`],
  seq: [(v) => Number.isSafeInteger(v) && v >= 0, 'a whole number from 0'],
  number: [(v) => Number.isFinite(v) && v >= 0, 'a number from 0'],
  bool: [(v) => typeof v === 'boolean', 'true or false'],
  users: [(v) => Array.isArray(v) && v.every((u) => typeof u === 'string'), 'a list of users'],
  list: [Array.isArray, 'a list'],
  map: [(v) => typeof v === 'object' && v !== null && !Array.isArray(v), 'an object'],
  label: [(v) => isText(v) && v !== '' && v.length <= LIMITS.nonce, `1 to ${LIMITS.nonce} characters`],
  target: [(v) => Number.isSafeInteger(v) && v >= 1, 'a whole number from 1'],
  mentions: [(v) => Array.isArray(v) && v.length <= LIMITS.mentions && v.every(isUserId), `a list of at most ${LIMITS.mentions} user ids`],
  object: [(v) => Object(v) === v && !Array.isArray(v) && isShallow(v, LIMITS.depth), `an object of at most ${LIMITS.depth} levels`],
  json: [(v) => isShallow(v, LIMITS.depth), `of at most ${LIMITS.depth} levels`],
};

// "field:kind", with "?" for an optional one and "=" for a default. "where" is room or to.
const SEND = 'nonce:nonce where ';
const EVENT = 'id:name seq:seq from:user name:string? where timestamp:name nonce:nonce? edited:seq? deleted:bool? reactions:list? ';
// What a message or an edit carries beside its text.
const DETAILS = ' replyTo:target? mentions:mentions? meta:object?';
const TABLES = {
  client: table({
    join: 'room:room since:seq? epoch:string? ref:string?',
    leave: 'room:room ref:string?',
    room: 'nonce:nonce room:room content:string' + DETAILS,
    dm: 'nonce:nonce to:user content:string' + DETAILS,
    edit: SEND + 'target:seq content:string' + DETAILS,
    delete: SEND + 'target:seq',
    react: SEND + 'target:seq emoji:name remove:bool=false',
    typing: 'where active:bool=true',
    read: 'where seq:seq',
    resume: 'conversations:list ref:string?',
    auth: 'token:name',
    ping: 'ref:string?',
    signal: 'where name:label data:json?',
  }),
  server: table({
    welcome: 'user:user connection:string node:string heartbeat:number expires:name',
    ack: 'nonce:nonce id:name seq:seq epoch:string timestamp:name where duplicate:bool=false',
    room: EVENT + 'content:string' + DETAILS,
    dm: EVENT + 'content:string' + DETAILS,
    edit: EVENT + 'target:seq content:string' + DETAILS,
    delete: EVENT + 'target:seq',
    react: EVENT + 'target:seq emoji:name remove:bool=false',
    durable: 'where seq:seq',
    joined: 'room:room seq:seq epoch:string members:users count:seq typing:users read:seq role:name? visibility:name? sending:name? name:string? topic:string? ' +
      'profiles:map? ref:string?',
    resumed: 'where seq:seq head:seq complete:bool epoch:string ref:string?',
    left: 'room:room reason:name? ref:string?',
    member: 'room:room user:user change:name role:name? until:name? by:user',
    online: 'room:room users:users count:seq profiles:map?',
    offline: 'room:room users:users count:seq',
    presence: 'room:room count:seq',
    profile: 'user:user name:string? picture:string?',
    typing: 'from:user where active:bool',
    read: 'from:user where seq:seq',
    signal: 'from:user where name:name data:json?',
    error: 'code:name message:string nonce:string? ref:string? retryAfter:number?',
    reconnect: 'after:number',
    pong: 'ref:string?',
    authenticated: 'expires:name',
  }),
};
const RESUME_ENTRY = fields('where since:seq epoch:string?');

/** @param {string} text */
function fields(text) {
  return text.split(' ').map((word) => {
    const [, name, kind = '', mark, fallback] = /** @type {string[]} */ (/^(\w+)(?::(\w+)(\?|=(\w+))?)?$/.exec(word));
    return { name, kind, optional: !!mark, fallback: fallback && fallback === 'true' };
  });
}

/** @param {Record<string, string>} types */
function table(types) {
  return new Map(Object.entries(types).map(([type, text]) => [type, fields(text)]));
}

/** @param {string} field @param {string} rule @returns {never} */
function bad(field, rule) {
  throw new ChatError('bad_request', `${field}: must be ${rule}.`, { field });
}

/** @param {ReturnType<typeof fields>} spec @param {any} source @param {any} target */
function take(spec, source, target) {
  for (const { name, kind, optional, fallback } of spec) {
    if (name === 'where') {
      // With both room and to, room wins.
      const field = source.room === undefined && source.to !== undefined ? 'to' : 'room';
      const [test, rule] = KINDS[field === 'to' ? 'user' : 'room'];
      if (!test(source[field])) bad(field, rule);
      target[field] = source[field];
      continue;
    }
    // Null means what absence means where the field may be absent.
    const value = source[name] === null && ['target', 'mentions', 'object', 'json'].includes(kind) ? undefined : source[name];
    if (value === undefined && (optional || fallback !== undefined)) {
      if (fallback !== undefined) target[name] = fallback;
      continue;
    }
    const [test, rule] = KINDS[kind];
    if (!test(value)) bad(name, rule);
    target[name] = value;
  }
  return target;
}

/**
 * Checks a frame's fields and fills in defaults. Unknown fields are left out.
 * @param {any} value @param {'client'|'server'} direction who sends it @returns {Frame}
 * @throws {ChatError} `bad_request`, `too_large` or `unknown_type`
 */
export function check(value, direction) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) bad('frame', 'one JSON object');
  const { type } = value;
  if (typeof type !== 'string') bad('type', 'a text');
  const spec = TABLES[direction].get(type);
  if (!spec) throw new ChatError('unknown_type', `Unknown type "${type}".`, { field: 'type' });
  const frame = take(spec, value, { type });
  if (direction === 'server') return frame;
  if (frame.to === SYSTEM && type !== 'read') bad('to', 'a user: what the server wrote can only be read');
  if (frame.content?.length > LIMITS.content) {
    throw new ChatError('too_large', `content: at most ${LIMITS.content} UTF-16 code units.`, { field: 'content' });
  }
  if (frame.mentions) frame.mentions = [...new Set(frame.mentions)];
  for (const field of ['meta', 'data']) {
    if (frame[field] !== undefined && new TextEncoder().encode(JSON.stringify(frame[field])).length > LIMITS.json) {
      throw new ChatError('too_large', `${field}: at most ${LIMITS.json} bytes.`, { field });
    }
  }
  frame.conversations &&= frame.conversations.map((/** @type {any} */ entry) => (
    Object(entry) === entry ? take(RESUME_ENTRY, entry, {}) : bad('conversations', 'a list of objects')));
  return frame;
}

/** @param {string} text @param {'client'|'server'} direction @returns {Frame} @throws {ChatError} */
export function decode(text, direction) {
  let value;
  try { value = JSON.parse(text); } catch { /* no object, then */ }
  return check(value, direction);
}

/**
 * The text of a client's frame. A frame that the server would refuse is refused here, because an oversized one that is retried would
 * close the socket (1009) each time.
 * @param {Frame} frame @returns {string} @throws {ChatError}
 */
export function encode(frame) {
  check(frame, 'client');
  const text = JSON.stringify(frame);
  const { length } = new TextEncoder().encode(text);
  if (length > LIMITS.frame) throw new ChatError('too_large', `A frame holds at most ${LIMITS.frame} bytes.`);
  return text;
}

export const CLOSE = Object.freeze({ normal: 1000, abnormal: 1006, restart: 1012, overloaded: 1013, tokenInvalid: 4001, tokenExpired: 4002, tooSlow: 4008 });

/** @type {Record<number, string>} */
const CLOSE_REASONS = {
  1000: 'closed', 1001: 'the server is shutting down', 1002: 'protocol error', 1003: 'binary message', 1006: 'connection lost',
  1007: 'invalid UTF-8', 1009: 'message too big', 1011: 'server error', 1012: 'the server restarts', 1013: 'the server is overloaded',
  4001: 'the token is missing or invalid', 4002: 'the token has expired', 4003: 'disconnected by an operator',
  4008: 'this client reads too slowly', 4009: 'this client sends too fast',
};
/** @param {number} code */
export const closeReason = (code) => CLOSE_REASONS[code] ?? `closed with code ${code}`;

/** Whether a client must stay away after this close code, until its user asks again. @param {number} code */
export const isFinalClose = (code) => code >= 4000 && code <= 4099 && code !== CLOSE.tokenExpired && code !== CLOSE.tooSlow;

/** The key of a conversation in maps. @param {Where} where */
export const keyOf = (where) => (where.room !== undefined ? `room:${where.room}` : `to:${where.to}`);
