/**
 * One session over any number of sockets. It opens and watches a socket, renews the token, and reconnects after a loss.
 * @extends {Emitter<{status: Status, welcome: Frame, frame: Frame, down: void, fault: ChatError, roundTrip: number}>}
 */
export class Connection extends Emitter<{
    status: Status;
    welcome: Frame;
    frame: Frame;
    down: void;
    fault: ChatError;
    roundTrip: number;
}> {
    /**
     * @param {{url: string, tokens: import('./api.js').Tokens, WebSocket: new (url: string, protocols?: string[]) => any, clock: Clock,
     *   probe: () => Promise<any>, tickets: import('./tickets.js').Tickets|null, signal: AbortSignal}} options `probe`: asks the API for anything
     */
    constructor({ url, tokens, WebSocket, clock, probe, tickets, signal }: {
        url: string;
        tokens: import("./api.js").Tokens;
        WebSocket: new (url: string, protocols?: string[]) => any;
        clock: Clock;
        probe: () => Promise<any>;
        tickets: import("./tickets.js").Tickets | null;
        signal: AbortSignal;
    });
    /** @type {Status} */
    status: Status;
    /** How often a lost connection was replaced. */
    reconnects: number;
    /** Whether a socket is open and welcomed. */
    connected: boolean;
    /** Whether the socket leads to a node past the gateway. */
    byTicket: boolean;
    open(): void;
    /** Ends the session until `open`, because another try would fail too. @param {ChatError} error @param {number} [code] */
    fail(error: ChatError, code?: number): void;
    /** Follows the browser's opinion of the network. @param {EventTarget} network @param {AbortSignal} signal */
    watchNetwork(network: EventTarget, signal: AbortSignal): void;
    close(): void;
    /** @param {Frame} frame @returns {boolean} false when there is no connection to send it on */
    send(frame: Frame): boolean;
    /** The network may have changed. Retries now instead of later, or pings the server. */
    wake(): void;
    /** Loses the connection, as a network would. */
    drop(): void;
    #private;
}
import type { Status } from './types.js';
import type { Frame } from './types.js';
import { ChatError } from './protocol.js';
import { Emitter } from './emitter.js';
import type { Clock } from './types.js';
