/** Named events. @template {Record<string, any>} Events the type of each event's value */
export class Emitter {
  /** @type {Map<keyof Events, Map<(value: any) => void, (value: any) => void>>} by event, what was given and what is called */
  #listeners = new Map();

  /**
   * Calls `listener` at each event of this name. The same function is called once, however often it is added.
   * @template {keyof Events} Name
   * @param {Name} name @param {(value: Events[Name]) => void} listener @param {{signal?: AbortSignal}} [options] the signal removes it
   * @returns {() => void} removes the listener
   */
  on(name, listener, options) { return this.#add(name, listener, listener, options); }

  /**
   * Calls `listener` at the next event of this name, and then no more.
   * @template {keyof Events} Name
   * @param {Name} name @param {(value: Events[Name]) => void} listener @param {{signal?: AbortSignal}} [options] the signal removes it
   * @returns {() => void} removes the listener
   */
  once(name, listener, options) {
    return this.#add(name, listener, (value) => { this.off(name, listener); listener(value); }, options);
  }

  /**
   * Removes a listener that `on` or `once` added.
   * @template {keyof Events} Name @param {Name} name @param {(value: Events[Name]) => void} listener
   */
  off(name, listener) { this.#listeners.get(name)?.delete(listener); }

  /** @protected @template {keyof Events} Name @param {Name} name @param {Events[Name]} value */
  emit(name, value) {
    for (const [listener, run] of [...(this.#listeners.get(name) ?? [])]) {
      // An earlier listener may have removed it.
      if (this.#listeners.get(name)?.get(listener) !== run) continue;
      try {
        run(value);
      } catch (error) {
        // An application's error must not keep the event from other listeners.
        queueMicrotask(() => { throw error; });
      }
    }
  }

  /**
   * @param {keyof Events} name @param {(value: any) => void} listener @param {(value: any) => void} run
   * @param {{signal?: AbortSignal}} [options]
   */
  #add(name, listener, run, { signal } = {}) {
    if (signal?.aborted) return () => {};
    const listeners = this.#listeners.get(name) ?? new Map();
    this.#listeners.set(name, listeners.set(listener, run));
    const off = () => { if (listeners.get(listener) === run) listeners.delete(listener); };
    signal?.addEventListener('abort', off, { once: true });
    return off;
  }
}
