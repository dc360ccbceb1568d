/** Named events. @template {Record<string, any>} Events the type of each event's value */
export class Emitter<Events extends Record<string, any>> {
    /**
     * Calls `listener` at each event of this name. The same function is called once, however often it is added.
     * @template {keyof Events} Name
     * @param {Name} name @param {(value: Events[Name]) => void} listener @param {{signal?: AbortSignal}} [options] the signal removes it
     * @returns {() => void} removes the listener
     */
    on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void, options?: {
        signal?: AbortSignal;
    }): () => void;
    /**
     * Calls `listener` at the next event of this name, and then no more.
     * @template {keyof Events} Name
     * @param {Name} name @param {(value: Events[Name]) => void} listener @param {{signal?: AbortSignal}} [options] the signal removes it
     * @returns {() => void} removes the listener
     */
    once<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void, options?: {
        signal?: AbortSignal;
    }): () => void;
    /**
     * Removes a listener that `on` or `once` added.
     * @template {keyof Events} Name @param {Name} name @param {(value: Events[Name]) => void} listener
     */
    off<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void): void;
    /** @protected @template {keyof Events} Name @param {Name} name @param {Events[Name]} value */
    protected emit<Name extends keyof Events>(name: Name, value: Events[Name]): void;
    #private;
}
