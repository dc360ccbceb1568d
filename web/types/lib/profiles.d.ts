/** @import {Profile} from './types.js' */
/** How users are shown: what answers and frames said of them last. @extends {Map<string, Profile>} */
export class Profiles extends Map<string, Profile> {
    constructor();
    constructor(entries?: readonly (readonly [string, Profile])[] | null | undefined);
    constructor();
    constructor(iterable?: Iterable<readonly [string, Profile]> | null | undefined);
    /** @param {Record<string, Profile>|undefined} said @param {(user: string) => void} changed */
    learn(said: Record<string, Profile> | undefined, changed: (user: string) => void): void;
}
import type { Profile } from './types.js';
