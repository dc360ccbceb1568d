/** @import {Cancel, Change, ChatEvent, Details, LeftReason, Member, MemberChange, Message, Pending, Receipt, Role, Signal, Where} from './types.js' */
/** @import {ChatError} from './protocol.js' */
/**
 * A room or the direct conversation with a user: its messages in order and once each, pending sends, members and typing users.
 *
 * - `event`: each event of the log after the join, once, in the order of `seq`
 * - `change`: what to draw
 * - `lost`: events that neither the socket nor history has
 * - `signal`: another user's signal
 * - `member`: what somebody changed about a member of the room
 * - `fault`: an error that the client works around
 * @extends {Emitter<{event: ChatEvent, change: Change, lost: {from: number, to: number}, signal: Signal, member: MemberChange, fault: ChatError}>}
 */
export class Conversation extends Emitter<{
    event: ChatEvent;
    change: Change;
    lost: {
        from: number;
        to: number;
    };
    signal: Signal;
    member: MemberChange;
    fault: ChatError;
}> {
    /** The client makes them: `join` and `direct`. @private */
    private constructor();
    /** The room or the other user, as frames name it. @type {Where} */
    where: Where;
    /** The key in `ChatClient.conversations`. @type {string} */
    key: string;
    /** What it is. @type {'room'|'direct'} */
    kind: "room" | "direct";
    /** The id of the room, or of the other user. @type {string} */
    name: string;
    /** Loaded messages in the order of seq. @returns {readonly Message[]} */
    get messages(): readonly Message[];
    /** The user's messages on their way, in order. @returns {readonly Pending[]} */
    get pending(): readonly Pending[];
    /** The seq of the newest event given out; 0 when unknown. */
    get head(): number;
    /** The log's name, which changes only if the log was rebuilt; null when unknown. @returns {string|null} */
    get epoch(): string | null;
    /** Whether the oldest message is loaded. */
    get atStart(): boolean;
    /** The room's online members, as far as the server named them. @returns {ReadonlySet<string>} */
    get members(): ReadonlySet<string>;
    /** How many members are online. */
    get count(): number;
    /** Who else is typing. */
    get typingUsers(): string[];
    /** Whether the room is subscribed on this connection. */
    get joined(): boolean;
    /** Whether to join the room on every connection. */
    get wanted(): boolean;
    /** Whether events can be sent now. */
    get ready(): boolean;
    /** Whether the conversation was left or its client closed. */
    get disposed(): boolean;
    /** Why the room was left, if not by the user: `removed`, `banned`, `deleted` or `forbidden`. @returns {LeftReason|undefined} */
    get leftReason(): LeftReason | undefined;
    /** The user's role in the room, as the server said it last. @returns {Role|undefined} */
    get role(): Role | undefined;
    /** Who may see the room, as it was at the last join, or at a call of `rooms.get` or `update` since. @returns {'public'|'private'|undefined} */
    get visibility(): "public" | "private" | undefined;
    /** Who may send in the room, as it was at the last join, or at a call of `rooms.get` or `update` since. @returns {'members'|'moderators'|undefined} */
    get sending(): "members" | "moderators" | undefined;
    /** The room's `name`, if it has one, as it was at the last join, or at a call of `rooms.get` or `update` since. @returns {string|undefined} */
    get title(): string | undefined;
    /** What the room is about, as it was at the last join, or at a call of `rooms.get` or `update` since. @returns {string|undefined} */
    get topic(): string | undefined;
    /** The user's own read cursor; 0 while `readKnown` is false. */
    get read(): number;
    /** Whether the server has told the user's own read cursor. */
    get readKnown(): boolean;
    /** Others' read cursors, as far as known. @returns {ReadonlyMap<string, number>} */
    get reads(): ReadonlyMap<string, number>;
    /** Others' messages above the own read cursor. */
    get unread(): number;
    /** How many of the unread messages mention the user. */
    get mentions(): number;
    /** Whether `unread` and `mentions` are exact, or the best guess until the server is asked. */
    get unreadKnown(): boolean;
    /** Other users who have read up to `seq`, as far as known. @param {number} seq @returns {string[]} */
    readBy(seq: number): string[];
    /**
     * Sends a message, and repeats it over any number of connections and reloads until it is in the log.
     * @param {string} content @param {Cancel & Details} [options] the signal takes back a message that was not sent yet; `replyTo`,
     * `mentions` and `meta` are what the message carries beside its text
     * @returns {Promise<Receipt>} resolves when it is in the log; rejects with a ChatError when it is refused for good
     */
    send(content: string, options?: Cancel & Details): Promise<Receipt>;
    /** Sends a failed message again, as a new one. @param {string} nonce @returns {Promise<Receipt>|undefined} undefined when there is none */
    retry(nonce: string): Promise<Receipt> | undefined;
    /** Removes a failed message. @param {string} nonce @returns {Pending|undefined} */
    discard(nonce: string): Pending | undefined;
    /**
     * Changes a message of the user's own.
     * @param {number} target the message's seq @param {string} content
     * @param {Cancel & {mentions?: string[], meta?: Record<string, any>}} [options] those that it does not name stay
     * @returns {Promise<Receipt>} resolves when the edit is in the log
     */
    edit(target: number, content: string, { signal, ...details }?: Cancel & {
        mentions?: string[];
        meta?: Record<string, any>;
    }): Promise<Receipt>;
    /**
     * Deletes a message of the user's own, or, as a moderator, anybody's.
     * @param {number} target the message's seq @param {Cancel} [options] @returns {Promise<Receipt>} resolves when the deletion is in the log
     */
    delete(target: number, { signal }?: Cancel): Promise<Receipt>;
    /**
     * Adds a reaction of the user's, or takes it away.
     * @param {number} target the message's seq @param {string} emoji @param {Cancel & {remove?: boolean}} [options]
     * @returns {Promise<Receipt>} resolves when the reaction is in the log
     */
    react(target: number, emoji: string, { remove, signal }?: Cancel & {
        remove?: boolean;
    }): Promise<Receipt>;
    /** Call it at each key stroke. It sends few frames. */
    typing(): void;
    /** The text was emptied. A send does this too. */
    stopTyping(): void;
    /**
     * Sends the others an event of the product's own, which is not stored and may be lost. They get it as `signal`.
     * @param {string} name @param {any} [data] JSON, at most 4 KiB @returns {boolean} false without a connection
     */
    signal(name: string, data?: any): boolean;
    /**
     * Moves the user's read cursor forward. The server hears of it at most once a second.
     * @param {number} [seq] default: the newest @param {Cancel} [options] stops waiting
     * @returns {Promise<void>} resolves when the server has it, over any number of connections
     */
    markRead(seq?: number, { signal }?: Cancel): Promise<void>;
    /** Loads older messages. @param {Cancel & {limit?: number}} [options] @returns {Promise<number>} how many; 0 at the start */
    older({ limit, signal }?: Cancel & {
        limit?: number;
    }): Promise<number>;
    /** Drops the oldest loaded messages. @param {number} keep how many stay */
    trim(keep: number): void;
    /** The room's first 200 members, with their read cursors, which `readBy` then knows. @param {Cancel} [options] @returns {Promise<Member[]>} */
    loadMembers(options?: Cancel): Promise<Member[]>;
    #private;
}
import type { ChatEvent } from './types.js';
import type { Change } from './types.js';
import type { Signal } from './types.js';
import type { MemberChange } from './types.js';
import type { ChatError } from './protocol.js';
import { Emitter } from './emitter.js';
import type { Where } from './types.js';
import type { Message } from './types.js';
import type { Pending } from './types.js';
import type { LeftReason } from './types.js';
import type { Role } from './types.js';
import type { Cancel } from './types.js';
import type { Details } from './types.js';
import type { Receipt } from './types.js';
import type { Member } from './types.js';
