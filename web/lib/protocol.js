/**
 * Limits of the protocol: UTF-16 code units of `content`, bytes of a `frame`, characters of a `nonce`, items of a `page`, users in
 * `mentions`, bytes of `meta` and of a signal's data (`json`), and their levels (`depth`).
 */
export const LIMITS = /* @__PURE__ */ Object.freeze({ content: 8000, frame: 32 * 1024, nonce: 64, page: 200, mentions: 50, json: 4096, depth: 32 });

/** The sender of what the server itself writes. It can be read, and not be written to. */
export const SYSTEM = 'system';

/** Whether this can be a room's id. @param {unknown} value */
export function isRoomId(value) { return typeof value === 'string' && /^(?!\.\.?$)[\w.-]{1,64}$/.test(value); }
/** Whether this can be a user's id. @param {unknown} value */
export function isUserId(value) { return typeof value === 'string' && value !== SYSTEM && /^(?!\.\.?$)[\w.@|:+=~-]{1,128}$/.test(value); }

/**
 * A failure that the protocol, the server or this library names by a `code`: one of the protocol, or `http`, `token`, `closed`, `expired`,
 * `bad_option`, `store`.
 */
export class ChatError extends Error {
  /** What went wrong, for programs. @type {string} */ code;
  /** The frame's field or the option at fault. @type {string|undefined} */ field;
  /** When the server takes it again, in milliseconds. @type {number|undefined} */ retryAfter;
  /** The answer over HTTP; 0: none came. @type {number|undefined} */ status;
  /** The socket's close code. @type {number|undefined} */ closeCode;
  /** Trying again is of no use. @type {boolean|undefined} */ fatal;

  /** @param {string} code @param {string} message @param {Partial<ChatError>} [more] */
  constructor(code, message, more) {
    super(message);
    this.name = 'ChatError';
    this.code = code;
    Object.assign(this, more);
  }
}
