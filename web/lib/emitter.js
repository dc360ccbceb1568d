/**
 * Named events with listeners that may be bound to an AbortSignal.
 * @template {Record<string, any>} Events event name to the type of its argument
 */
export class Emitter {
  /** @type {Map<keyof Events, Set<(value: any) => void>>} */
  #listeners = new Map();

  /**
   * @template {keyof Events} Name
   * @param {Name} name @param {(value: Events[Name]) => void} listener @param {{signal?: AbortSignal}} [options]
   * @returns {() => void} removes the listener
   */
  on(name, listener, { signal } = {}) {
    if (signal?.aborted) return () => {};
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set.add(listener));
    const off = () => void set.delete(listener);
    signal?.addEventListener('abort', off, { once: true });
    return off;
  }

  /**
   * @template {keyof Events} Name
   * @param {Name} name @param {Events[Name]} value
   */
  emit(name, value) {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        listener(value);
      } catch (error) {
        // A listener's fault is the application's: it is reported, and it must not stop the delivery to the others.
        queueMicrotask(() => { throw error; });
      }
    }
  }
}
