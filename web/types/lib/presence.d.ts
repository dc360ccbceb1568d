/** Who is online. Joined rooms tell it; the server is asked about others. `change`: somebody came or went. @extends {Emitter<{change: void}>} */
export class Presence extends Emitter<{
    change: void;
}> {
    /** The client makes it; `listen` gets what rooms tell. @private */
    private constructor();
    /** Whether a user is online. @param {string} user @returns {boolean|undefined} undefined when not known */
    isOnline(user: string): boolean | undefined;
    /** Asks the server, 500 users a call. @param {string[]} users @param {Cancel} [options] @returns {Promise<UserPresence[]>} */
    fetch(users: string[], options?: Cancel): Promise<UserPresence[]>;
    #private;
}
import { Emitter } from './emitter.js';
import type { Cancel } from './types.js';
import type { UserPresence } from './types.js';
