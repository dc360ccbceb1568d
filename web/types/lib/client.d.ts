/**
 * A chat session that outlives its connections: rooms stay joined, events come in order and once, and a send is repeated until it is
 * acknowledged, even by the next page. `conversation`: a new one; `left`: one that ended; `profile`: a user is shown in another way; `overview`: the server's list of the user's
 * conversations, after each connection; `fault`: an error that the client works around.
 * @extends {Emitter<{status: Status, info: Info, conversation: Conversation, left: Conversation, profile: string, overview: Overview[], fault: ChatError}>}
 */
export class ChatClient extends Emitter<{
    status: Status;
    info: Info;
    conversation: Conversation;
    left: Conversation;
    profile: string;
    overview: Overview[];
    fault: ChatError;
}> {
    /** @param {ChatOptions} options */
    constructor({ getToken, user, url, signal, WebSocket, fetch, clock, store, network, }: ChatOptions);
    /** By key, `room:…` or `to:…`. @type {Map<string, Conversation>} */
    conversations: Map<string, Conversation>;
    /** The session's user and connection. @type {Info} */
    info: Info;
    /** Who is online. @type {Presence} */
    presence: Presence;
    /** How users are shown, as far as the server has told. @type {Profiles} */
    profiles: Profiles;
    get user(): string | null;
    get status(): Status;
    /** How many events are not acknowledged yet. */
    get unacknowledged(): number;
    /**
     * Connects and stays connected.
     * @param {Cancel} [options] stops waiting
     * @returns {Promise<void>} resolves when connected; rejects with a `ChatError` when there will be no connection: `bad_option` names the
     * option in `field`, `token` is a refused or malformed one, `closed` has the socket's `closeCode`
     */
    connect({ signal }?: Cancel): Promise<void>;
    /** Ends the session. Unacknowledged sends reject with `closed`; the user's next session sends those that are stored. */
    close(): void;
    /** Joins a room, and joins it again on every connection until it is left. @param {string} room @param {Cancel} [options] */
    join(room: string, { signal }?: Cancel): Promise<Conversation>;
    /** Ends the membership in a room, on all of the user's devices. @param {string} room */
    leave(room: string): void;
    /** The direct conversation with a user. @param {string} user @returns {Conversation} */
    direct(user: string): Conversation;
    /**
     * Messages that have all words of `q`, of those that the user may read, newest first.
     * @param {Parameters<import('./api.js').Api['search']>[0]} options
     */
    search(options: Parameters<import("./api.js").Api["search"]>[0]): Promise<import("./types.js").SearchPage>;
    /** The network may be back. Retries now. */
    wake(): void;
    /** Loses the connection, to see it come back. */
    drop(): void;
    /** Known users by the start of id or name. @param {string} query @param {Cancel} [options] */
    users(query: string, options?: Cancel): Promise<{
        items: ({
            user: string;
        } & Profile)[];
    }>;
    #private;
}
import type { Status } from './types.js';
import type { Info } from './types.js';
import { Conversation } from './conversation.js';
import type { Overview } from './types.js';
import { ChatError } from './protocol.js';
import { Emitter } from './util.js';
import { Presence } from './presence.js';
import { Profiles } from './profiles.js';
import type { Cancel } from './types.js';
import type { Profile } from './types.js';
import type { ChatOptions } from './types.js';
