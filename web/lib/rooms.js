/** @import {Ban, Cancel, MemberPage, PageQuery, Role, Room, RoomPage, RoomSettings} from './types.js' */

/**
 * Rooms and who may do what in them, over HTTP. A refusal is a `ChatError` `http` with the `status`: 403 for what the user may not do,
 * 404 for a room that does not exist or that the user must not see, 409 for an id that is taken and for the last owner.
 */
export class Rooms {
  #call;
  #learn;

  /** The client makes it; `learn` takes what an answer says of a room. @private */
  constructor(/** @type {import('./api.js').Api['call']} */ call, /** @type {(room: Room) => void} */ learn) {
    this.#call = call;
    this.#learn = learn;
  }

  /**
   * Rooms that the user may see.
   * @param {PageQuery & {query?: string}} [options] `query`: beginnings of words in id and name @returns {Promise<RoomPage>}
   */
  list({ signal, ...query } = {}) { return this.#call('/api/rooms', { query, signal }); }

  /**
   * Creates a room, whose owner is the user. `join` begins to receive its events.
   * @param {RoomSettings & {room?: string, members?: string[]}} [settings] `room`: its id, else the server makes one; `members`: who is added
   * @param {Cancel} [options] @returns {Promise<Room>}
   */
  create(settings = {}, options) { return this.#call('/api/rooms', { ...options, body: settings }); }

  /** A room. @param {string} room @param {Cancel} [options] @returns {Promise<Room>} */
  get(room, options) { return this.#know(this.#call(path(room), options)); }

  /** Changes what is named. @param {string} room @param {RoomSettings} settings @param {Cancel} [options] @returns {Promise<Room>} */
  update(room, settings, options) { return this.#know(this.#call(path(room), { ...options, method: 'PATCH', body: settings })); }

  /** Deletes a room and its history. @param {string} room @param {Cancel} [options] @returns {Promise<void>} */
  delete(room, options) { return this.#call(path(room), { ...options, method: 'DELETE' }); }

  /** A page of the members, with role, presence and read cursor. @param {string} room @param {PageQuery} [options] @returns {Promise<MemberPage>} */
  members(room, { signal, ...query } = {}) { return this.#call(path(room, 'members'), { query, signal }); }

  /** Adds a member. @param {string} room @param {string} user @param {Cancel} [options] @returns {Promise<void>} */
  addMember(room, user, options) { return this.#put(path(room, 'members', user), {}, options); }

  /** Gives a member a role; adds the user if needed. @param {string} room @param {string} user @param {Role} role @param {Cancel} [options] @returns {Promise<void>} */
  setRole(room, user, role, options) { return this.#put(path(room, 'members', user), { role }, options); }

  /** Removes a member. @param {string} room @param {string} user @param {Cancel} [options] @returns {Promise<void>} */
  removeMember(room, user, options) { return this.#call(path(room, 'members', user), { ...options, method: 'DELETE' }); }

  /** Who is banned. @param {string} room @param {Cancel} [options] @returns {Promise<{items: Ban[]}>} */
  bans(room, options) { return this.#call(path(room, 'bans'), options); }

  /**
   * Removes a user, who can then not join, read or send.
   * @param {string} room @param {string} user
   * @param {Cancel & {until?: Date|string, reason?: string}} [options] `until`: RFC 3339; default: for ever @returns {Promise<void>}
   */
  ban(room, user, { signal, ...body } = {}) { return this.#put(path(room, 'bans', user), body, { signal }); }

  /** Ends a ban. @param {string} room @param {string} user @param {Cancel} [options] @returns {Promise<void>} */
  unban(room, user, options) { return this.#call(path(room, 'bans', user), { ...options, method: 'DELETE' }); }

  /**
   * Lets a member read, and not send, edit or react.
   * @param {string} room @param {string} user @param {Cancel & {until?: Date|string}} [options] `until`: RFC 3339; default: for ever
   * @returns {Promise<void>}
   */
  mute(room, user, { signal, ...body } = {}) { return this.#put(path(room, 'mutes', user), body, { signal }); }

  /** Ends a mute. @param {string} room @param {string} user @param {Cancel} [options] @returns {Promise<void>} */
  unmute(room, user, options) { return this.#call(path(room, 'mutes', user), { ...options, method: 'DELETE' }); }

  /** @param {Promise<Room>} asked */
  async #know(asked) {
    const room = await asked;
    this.#learn(room);
    return room;
  }

  /** @param {string} url @param {object} body @param {Cancel} [options] */
  async #put(url, body, options) { await this.#call(url, { ...options, method: 'PUT', body }); }
}

/** @param {string[]} parts */
const path = (...parts) => `/api/rooms/${parts.map(encodeURIComponent).join('/')}`;
