import { ChatError } from './protocol.js';
import { backoff } from './util.js';

/** @import {Clock} from './types.js' */

/** The gateway is there for those who get no ticket in this time. */
const TICKET_WITHIN_MS = 5000;
/** After a node that could not be reached, the gateway is used for this long, and twice as long each further time. */
const AVOID_MS = 60_000;
const AVOID_AT_MOST_MS = 3600_000;

/** Tickets for sockets that lead to a node past the gateway, where the system offers them. Without one the gateway is used. */
export class Tickets {
  #call;
  #clock;
  #offered = true;
  #failures = 0;
  #avoidUntil = -Infinity;

  /** @param {import('./api.js').Api['call']} call @param {Clock} clock */
  constructor(call, clock) {
    this.#call = call;
    this.#clock = clock;
  }

  /** @param {AbortSignal} signal @returns {Promise<string|null>} the address of a node, with a ticket in it */
  async get(signal) {
    if (!this.#offered || this.#clock.now() < this.#avoidUntil) return null;
    try {
      const { url, ticket } = await this.#call('/api/socket-tickets', { method: 'POST', signal, within: TICKET_WITHIN_MS });
      if (!/^wss?:/.test(url)) return null;
      return `${url}?${new URLSearchParams({ ticket })}`;
    } catch (error) {
      // What is wrong with a token shows at the gateway too.
      if (error instanceof ChatError && error.status === 404) this.#offered = false;
      return null;
    }
  }

  /** A node let the client in. */
  succeeded() { this.#failures = 0; }

  /** A node could not be reached, by its network or by the page's policy, or refused the ticket. */
  failed() { this.#avoidUntil = this.#clock.now() + backoff(this.#clock, this.#failures++, AVOID_MS, AVOID_AT_MOST_MS); }
}
