/**
 * A room or the direct conversation with a user: its messages in order and once each, those still on their way, who is there, who is
 * typing. `event` gives each event of the log that comes after the join, in the order of `seq`, once. `change` says what to draw.
 * `lost` names events that neither the socket nor history has.
 * @extends {Emitter<{event: ChatEvent, change: Change, lost: {from: number, to: number}, fault: ChatError}>}
 */
export class Conversation extends Emitter<{
    event: ChatEvent;
    change: Change;
    lost: {
        from: number;
        to: number;
    };
    fault: ChatError;
}> {
    /** Made by its client. @param {Session} session @param {Where} where */
    constructor(session: Session, where: Where);
    /** Own messages on their way, in the order of sending. @type {Pending[]} */
    pending: Pending[];
    /** Members of the room that are online, at most those that the server named. @type {Set<string>} */
    members: Set<string>;
    /** How many members are online. */
    count: number;
    /** The user's own read cursor; 0 while `readKnown` is false. */
    read: number;
    readKnown: boolean;
    /** Others' read cursors, as far as known. @type {Map<string, number>} */
    reads: Map<string, number>;
    /** Whether the room is subscribed on this connection. */
    joined: boolean;
    /** Whether the room is to be joined on every connection. */
    wanted: boolean;
    where: Where;
    key: string;
    /** @type {'room'|'direct'} */
    kind: "room" | "direct";
    /** The room, or the other user. @type {string} */
    name: string;
    /** Loaded messages in the order of seq. @returns {readonly Message[]} */
    get messages(): readonly Message[];
    /** The seq of the newest event that was given out; 0 when unknown. */
    get head(): number;
    /** @returns {string|null} */
    get epoch(): string | null;
    /** Whether the oldest message is loaded. */
    get atStart(): boolean;
    /** Who else is typing. */
    get typingUsers(): string[];
    /** Whether events can be sent now. */
    get ready(): boolean;
    /** Whether the conversation was left or its client closed. */
    get disposed(): boolean;
    /** Messages by others above the read cursor, as far as the client knows. */
    get unread(): number;
    /** Other users who have read up to `seq`, as far as known. @param {number} seq @returns {string[]} */
    readBy(seq: number): string[];
    /**
     * Sends a message: it is kept, and sent again over any number of connections and reloads, until it is in the log.
     * @param {string} content @param {Cancel} [options] the signal takes the message back while it has not been sent
     * @returns {Promise<Receipt>} when it is in the log; rejects with a ChatError when it is refused for good
     */
    send(content: string, { signal }?: Cancel): Promise<Receipt>;
    /** Sends a failed message again, as a new one. @param {string} nonce @returns {Promise<Receipt>|undefined} */
    retry(nonce: string): Promise<Receipt> | undefined;
    /** Removes a failed message. @param {string} nonce */
    discard(nonce: string): Pending | undefined;
    /** @param {number} target the message's seq @param {string} content @param {Cancel} [options] @returns {Promise<Receipt>} */
    edit(target: number, content: string, options?: Cancel): Promise<Receipt>;
    /** @param {number} target the message's seq @param {Cancel} [options] @returns {Promise<Receipt>} */
    delete(target: number, options?: Cancel): Promise<Receipt>;
    /** @param {number} target @param {string} emoji @param {Cancel & {remove?: boolean}} [options] @returns {Promise<Receipt>} */
    react(target: number, emoji: string, { remove, signal }?: Cancel & {
        remove?: boolean;
    }): Promise<Receipt>;
    /** Call it at each key stroke; the frames are sent sparingly. */
    typing(): void;
    stopTyping(): void;
    /** Moves the own read cursor forward. @param {number} [seq] default: the newest */
    markRead(seq?: number): void;
    /** Loads older messages; concurrent calls share one. @param {Cancel & {limit?: number}} [options] @returns how many; 0 at the start */
    older({ limit, signal }?: Cancel & {
        limit?: number;
    }): Promise<number>;
    /** Drops the oldest loaded messages, which `older` loads again. @param {number} keep so many stay */
    trim(keep: number): void;
    /** The room's first 200 members, online or not; their read cursors are learnt. @param {Cancel} [options] @returns {Promise<Member[]>} */
    loadMembers(options?: Cancel): Promise<Member[]>;
    /** @param {AbortSignal} [signal] stops waiting; the room stays wanted @returns {Promise<void>} when joined */
    join(signal?: AbortSignal): Promise<void>;
    /** Takes up what an earlier life of the page left unsent. @param {Stored} stored */
    adopt({ nonce, frame, created }: Stored): {
        resolve: () => void;
        reject: (error: Error) => void;
    };
    /** The client is connected. */
    connected(): void;
    /** Events do not name their log; the answer to `resume` does. */
    get isNameless(): boolean;
    /** @returns {Frame|null} what `resume` says of this conversation */
    resume(): Frame | null;
    disconnected(): void;
    /** A `resume` that held this conversation was refused. */
    resumeRefused(): void;
    /** @param {Frame} error @returns {boolean} whether it answers this room's join */
    joinRefused(error: Frame): boolean;
    /** A send was answered `not_joined`. @returns {boolean} whether the room is joined again */
    joinAgain(): boolean;
    /** @param {Overview} [overview] none: the server knows of no event here */
    applyOverview({ unread, head, read }?: Overview): void;
    /** @param {Frame} frame a frame of this conversation */
    receive(frame: Frame): void;
    /** @param {boolean} forget false: what is not acknowledged is sent by a later life of the page */
    dispose(forget: boolean): void;
    #private;
}
/**
 * What a conversation needs from its client.
 */
export type Session = {
    clock: Clock;
    api: import("./api.js").Api;
    outbox: import("./outbox.js").Outbox;
    me: () => string | null;
    connected: () => boolean;
    send: (frame: Frame) => boolean;
    ref: () => string;
};
import type { ChatEvent } from './types.js';
import type { Change } from './types.js';
import { ChatError } from './protocol.js';
import { Emitter } from './util.js';
import type { Pending } from './types.js';
import type { Where } from './types.js';
import type { Message } from './types.js';
import type { Cancel } from './types.js';
import type { Receipt } from './types.js';
import type { Member } from './types.js';
import type { Stored } from './types.js';
import type { Frame } from './types.js';
import type { Overview } from './types.js';
import type { Clock } from './types.js';
