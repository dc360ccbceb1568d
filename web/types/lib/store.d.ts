/** Unacknowledged events in the browser's database, so that they outlive the page. @implements {OutboxStore} */
export class IndexedDbStore implements OutboxStore {
    /** @param {string} owner @returns {Promise<Stored[]>} */
    load(owner: string): Promise<Stored[]>;
    /** @param {Stored} stored */
    put(stored: Stored): Promise<void>;
    /** @param {string} nonce */
    remove(nonce: string): Promise<void>;
    #private;
}
import type { OutboxStore } from './types.js';
import type { Stored } from './types.js';
