import { Emitter } from './emitter.js';

/** @import {Cancel, UserPresence} from './types.js' */

/** The server's answer about a user holds this long. Rooms tell changes by themselves. */
const FRESH_MS = 30_000;
const AT_ONCE = 500;

/** Who is online. Joined rooms tell it; the server is asked about others. `change`: somebody came or went. @extends {Emitter<{change: void}>} */
export class Presence extends Emitter {
  #inRooms;
  #ask;
  #now;
  /** @type {Map<string, UserPresence & {at: number}>} */
  #known = new Map();
  /** Users of whom rooms told something since a question to the server, for each one that is under way. @type {Set<Set<string>>} */
  #asking = new Set();

  /** The client makes it; `listen` gets what rooms tell. @private */
  constructor(
    /** @type {(user: string) => boolean} */ inRooms, /** @type {import('./api.js').Api['presence']} */ ask,
    /** @type {() => number} */ now, /** @type {(changed: (users: string[]) => void) => void} */ listen,
  ) {
    super();
    listen((users) => this.#changed(users));
    this.#inRooms = inRooms;
    this.#ask = ask;
    this.#now = now;
  }

  /** Whether a user is online. @param {string} user @returns {boolean|undefined} undefined when not known */
  isOnline(user) {
    if (this.#inRooms(user)) return true;
    const known = this.#known.get(user);
    return known && this.#now() - known.at < FRESH_MS ? known.online : undefined;
  }

  /** Asks the server, 500 users a call. @param {string[]} users @param {Cancel} [options] @returns {Promise<UserPresence[]>} */
  async fetch(users, options) {
    const all = [];
    /** @type {Set<string>} */
    const newer = new Set();
    this.#asking.add(newer);
    try {
      for (let i = 0; i < users.length; i += AT_ONCE) all.push(...(await this.#ask(users.slice(i, i + AT_ONCE), options)).items);
    } finally {
      this.#asking.delete(newer);
    }
    for (const item of all) if (!newer.has(item.user)) this.#known.set(item.user, { ...item, at: this.#now() });
    this.emit('change', undefined);
    return all;
  }

  /** A room said that these came or went, so older answers do not hold. @param {string[]} users */
  #changed(users) {
    for (const user of users) {
      this.#known.delete(user);
      for (const newer of this.#asking) newer.add(user);
    }
    this.emit('change', undefined);
  }
}
