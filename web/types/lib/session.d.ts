/**
 * A chat session that outlives its connections: rooms stay joined, events come in order and once, and a send is repeated until it is
 * acknowledged, even by the next page.
 *
 * - `status`, `info`: the connection changed
 * - `conversation`: a new one; `left`: one that ended
 * - `member`: what somebody changed about a member of a room; also that this user was added to one
 * - `profile`: this user is shown in another way
 * - `overview`: the server's list of the user's conversations, after each connection
 * - `fault`: an error that the client works around
 * @extends {Emitter<{status: Status, info: Info, conversation: Conversation, left: Conversation, member: MemberChange, profile: string, overview: Overview[], fault: ChatError}>}
 */
export class ChatSession extends Emitter<{
    status: Status;
    info: Info;
    conversation: Conversation;
    left: Conversation;
    member: MemberChange;
    profile: string;
    overview: Overview[];
    fault: ChatError;
}> {
    /**
     * `plug` gets what calls the API and what learns a room's settings, and gives the tickets, if there are any.
     * @protected @param {ChatOptions} options @param {(call: any, clock: Clock, learnRoom: (room: Room) => void) => any} [plug]
     */
    protected constructor();
    /** By key, `room:…` or `to:…`. @type {ReadonlyMap<string, Conversation>} */
    conversations: ReadonlyMap<string, Conversation>;
    /** The session's user and connection. @type {Info} */
    info: Info;
    /** Who is online. @type {Presence} */
    presence: Presence;
    /** How users are shown, as far as the server has told, by user. @type {ReadonlyMap<string, Profile>} */
    profiles: ReadonlyMap<string, Profile>;
    /** The session's user; null until the first connection tells it. @returns {string|null} */
    get user(): string | null;
    /** The state of the connection. @returns {Status} */
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
    /**
     * Joins a room, and joins it again on every connection until it is left.
     * @param {string} room @param {Cancel} [options] stops waiting @returns {Promise<Conversation>} resolves when joined
     */
    join(room: string, { signal }?: Cancel): Promise<Conversation>;
    /**
     * Ends the membership in a room, on all of the user's devices.
     * @param {string} room @param {Cancel} [options] stops waiting
     * @returns {Promise<void>} resolves when the server has ended it, over any number of connections; rejects when it is refused for good, for
     * example the last owner's, and then the room is joined again
     */
    leave(room: string, { signal }?: Cancel): Promise<void>;
    /** The direct conversation with a user. @param {string} user @returns {Conversation} */
    direct(user: string): Conversation;
    /** The network may be back. Retries now. */
    wake(): void;
    /** Loses the connection, to see it come back. */
    drop(): void;
    #private;
}
import type { Status } from './types.js';
import type { Info } from './types.js';
import type { Conversation } from './conversation.js';
import type { MemberChange } from './types.js';
import type { Overview } from './types.js';
import { ChatError } from './protocol.js';
import { Emitter } from './emitter.js';
import { Presence } from './presence.js';
import type { Profile } from './types.js';
import type { Cancel } from './types.js';
