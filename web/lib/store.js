/** @import {OutboxStore, Stored} from './types.js' */

const NAME = 'aspirechat';
const TABLE = 'outbox';

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** Unacknowledged events in the browser's database, so that they outlive the page. @implements {OutboxStore} */
export class IndexedDbStore {
  /** @type {Promise<IDBDatabase>|null} */
  #opening = null;

  /** @param {string} owner @returns {Promise<Stored[]>} */
  async load(owner) {
    // The key is a counter, so this is the order of sending.
    return done((await this.#table('readonly')).index('owner').getAll(owner));
  }

  /** @param {Stored} stored */
  async put(stored) { await done((await this.#table('readwrite')).add(stored)); }

  /** @param {string} nonce */
  async remove(nonce) {
    const table = await this.#table('readwrite');
    const key = await done(table.index('nonce').getKey(nonce));
    if (key !== undefined) await done(table.delete(key));
  }

  /** @param {IDBTransactionMode} mode */
  async #table(mode) {
    this.#opening ??= this.#open();
    try {
      return (await this.#opening).transaction(TABLE, mode).objectStore(TABLE);
    } catch (error) {
      // A browser may close a page's database. The next call opens it again.
      this.#opening = null;
      throw error;
    }
  }

  #open() {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      const table = request.result.createObjectStore(TABLE, { autoIncrement: true });
      for (const index of ['owner', 'nonce']) table.createIndex(index, index);
    };
    return done(request);
  }
}
