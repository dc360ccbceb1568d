/** Tickets for sockets that lead to a node past the gateway, where the system offers them. Without one the gateway is used. */
export class Tickets {
    /** @param {import('./api.js').Api['call']} call @param {Clock} clock */
    constructor(call: import("./api.js").Api["call"], clock: Clock);
    /** @param {AbortSignal} signal @returns {Promise<string|null>} the address of a node, with a ticket in it */
    get(signal: AbortSignal): Promise<string | null>;
    /** A node let the client in. */
    succeeded(): void;
    /** A node could not be reached, by its network or by the page's policy, or refused the ticket. */
    failed(): void;
    #private;
}
import type { Clock } from './types.js';
