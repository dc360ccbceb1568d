// What the user began to write, by user and conversation: a reload keeps it. Signing out forgets it.

const SAVE_AFTER_MS = 300;
const prefixOf = (user) => `aspirechat.draft.${user}.`;

export class Drafts {
  #storage;
  #user;
  /** @type {Map<string, string>} */
  #all = new Map();
  /** @type {Map<string, any>} */
  #timers = new Map();

  /** @param {string} user @param {Storage} [storage] may be forbidden or full: then drafts live as long as the page */
  constructor(user, storage = localStorage) {
    this.#user = user;
    this.#storage = storage;
  }

  /** @param {string} key the conversation's */
  get(key) { return this.#all.get(key) ?? this.#try(() => this.#storage.getItem(prefixOf(this.#user) + key)) ?? ''; }

  /** @param {string} key @param {string} text */
  set(key, text) {
    this.#all.set(key, text);
    clearTimeout(this.#timers.get(key));
    this.#timers.set(key, setTimeout(() => this.#save(key), SAVE_AFTER_MS));
  }

  /** Stores what waits to be stored. */
  flush() { for (const key of this.#timers.keys()) this.#save(key); }

  forget() {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#all.clear();
    this.#try(() => {
      for (const name of Object.keys(this.#storage)) if (name.startsWith(prefixOf(this.#user))) this.#storage.removeItem(name);
    });
  }

  #save(key) {
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
    const text = this.#all.get(key);
    this.#try(() => (text ? this.#storage.setItem(prefixOf(this.#user) + key, text) : this.#storage.removeItem(prefixOf(this.#user) + key)));
  }

  #try(action) { try { return action(); } catch { return null; } }
}
