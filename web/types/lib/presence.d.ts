/** Who is online. Joined rooms tell it; the server is asked about others. @extends {Emitter<{change: void}>} */
export class Presence extends Emitter<{
    change: void;
}> {
    /**
     * @param {(user: string) => boolean} inRooms @param {import('./api.js').Api['presence']} ask @param {() => number} now
     */
    constructor(inRooms: (user: string) => boolean, ask: import("./api.js").Api["presence"], now: () => number);
    /** @param {string} user @returns {boolean|undefined} undefined when not known */
    isOnline(user: string): boolean | undefined;
    /** Asks the server, 500 users a call. @param {string[]} users @param {Cancel} [options] @returns {Promise<UserPresence[]>} */
    fetch(users: string[], options?: Cancel): Promise<UserPresence[]>;
    /** A room said that these came or went, so older answers do not hold. @param {string[]} users */
    changed(users: string[]): void;
    #private;
}
import { Emitter } from './util.js';
import type { Cancel } from './types.js';
import type { UserPresence } from './types.js';
