/**
 * A room or the direct conversation with a user: its messages in order and once each, pending sends, members and typing users. `event`
 * gives each event of the log after the join once, in the order of `seq`. `change` says what to draw. `lost` names events that neither
 * the socket nor history has.
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
    /** @param {Session} session @param {Where} where */
    constructor(session: Session, where: Where);
    /** The user's messages on their way, in order. @type {Pending[]} */
    pending: Pending[];
    /** The room's online members, as far as the server named them. @type {Set<string>} */
    members: Set<string>;
    /** How many are online. */
    count: number;
    where: Where;
    key: string;
    /** @type {'room'|'direct'} */
    kind: "room" | "direct";
    /** The room, or the other user. @type {string} */
    name: string;
    /** Loaded messages in the order of seq. @returns {readonly Message[]} */
    get messages(): readonly Message[];
    /** The seq of the newest event given out; 0 when unknown. */
    get head(): number;
    /** @returns {string|null} */
    get epoch(): string | null;
    /** Whether the oldest message is loaded. */
    get atStart(): boolean;
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
    /** The user's own read cursor; 0 while `readKnown` is false. */
    get read(): number;
    get readKnown(): boolean;
    /** Others' read cursors, as far as known. */
    get reads(): Map<string, number>;
    /** Others' messages above the own read cursor. */
    get unread(): number;
    /** Whether `unread` is exact, or the best guess until the server is asked. */
    get unreadKnown(): boolean;
    /** Other users who have read up to `seq`, as far as known. @param {number} seq @returns {string[]} */
    readBy(seq: number): string[];
    /**
     * Sends a message, and repeats it over any number of connections and reloads until it is in the log.
     * @param {string} content @param {Cancel & Details} [options] the signal takes back a message that was not sent yet; `replyTo`,
     * `mentions` and `meta` are what the message carries beside its text
     * @returns {Promise<Receipt>} resolves when it is in the log; rejects with a ChatError when it is refused for good
     */
    send(content: string, { signal, ...details }?: Cancel & Details): Promise<Receipt>;
    /** Sends a failed message again, as a new one. @param {string} nonce @returns {Promise<Receipt>|undefined} */
    retry(nonce: string): Promise<Receipt> | undefined;
    /** Removes a failed message. @param {string} nonce */
    discard(nonce: string): Pending | undefined;
    /**
     * @param {number} target the message's seq @param {string} content
     * @param {Cancel & {mentions?: string[], meta?: Record<string, any>}} [options] those that it does not name stay
     * @returns {Promise<Receipt>}
     */
    edit(target: number, content: string, { signal, ...details }?: Cancel & {
        mentions?: string[];
        meta?: Record<string, any>;
    }): Promise<Receipt>;
    /** @param {number} target the message's seq @param {Cancel} [options] @returns {Promise<Receipt>} */
    delete(target: number, options?: Cancel): Promise<Receipt>;
    /** @param {number} target @param {string} emoji @param {Cancel & {remove?: boolean}} [options] @returns {Promise<Receipt>} */
    react(target: number, emoji: string, { remove, signal }?: Cancel & {
        remove?: boolean;
    }): Promise<Receipt>;
    /** Call it at each key stroke. It sends few frames. */
    typing(): void;
    /**
     * Sends the others an event of the product's own, which is not stored and may be lost. They get it as `signal`.
     * @param {string} name @param {any} [data] JSON, at most 4 KiB @returns {boolean} false without a connection
     */
    signal(name: string, data?: any): boolean;
    stopTyping(): void;
    /** Moves the user's read cursor forward. @param {number} [seq] default: the newest */
    markRead(seq?: number): void;
    /** Loads older messages. @param {Cancel & {limit?: number}} [options] @returns how many; 0 at the start */
    older({ limit, signal }?: Cancel & {
        limit?: number;
    }): Promise<number>;
    /** Drops the oldest loaded messages. @param {number} keep how many stay */
    trim(keep: number): void;
    /** The room's first 200 members, with their read cursors. @param {Cancel} [options] @returns {Promise<Member[]>} */
    loadMembers(options?: Cancel): Promise<Member[]>;
    /** @param {AbortSignal} [signal] stops only the wait @returns {Promise<void>} resolves when joined */
    join(signal?: AbortSignal): Promise<void>;
    /** Takes over a send that an earlier page left. @param {Stored} stored */
    adopt({ nonce, frame, created }: Stored): {
        resolve: () => void;
        reject: (error: Error) => void;
    };
    /** The client is connected. */
    connected(): void;
    /** A `leave` of this room was answered after the room was joined again. */
    leftBefore(): void;
    /** Whether a `join` is under way. */
    get isJoining(): boolean;
    /** Events do not name their log. Only the answer to `resume` does. */
    get isNameless(): boolean;
    /** @returns {Frame|null} this conversation's entry in `resume` */
    resume(): Frame | null;
    disconnected(): void;
    /** A `resume` of this conversation was refused. */
    resumeRefused(): void;
    /** @param {Frame} error @returns {boolean} whether it answers this room's join */
    joinRefused(error: Frame): boolean;
    /** A send was answered `not_joined`. @returns {boolean} whether the room is joined again */
    joinAgain(): boolean;
    /** @param {Overview} [overview] none when the server knows no event here */
    applyOverview(overview?: Overview): void;
    /** @param {Frame} frame a frame of this conversation */
    receive(frame: Frame): void;
    /** @param {boolean} forget false when a later page shall send what is not acknowledged */
    dispose(forget: boolean): void;
    #private;
}
/**
 * `leaving`: whether the room's `leave` is unanswered; `recount`: `unread` is not
 *   exact, so the server is asked
 */
export type Session = {
    clock: Clock;
    api: import("./api.js").Api;
    outbox: import("./outbox.js").Outbox;
    me: () => string | null;
    connected: () => boolean;
    send: (frame: Frame) => boolean;
    ref: () => string;
    leaving: () => boolean;
    recount: () => void;
};
import type { ChatEvent } from './types.js';
import type { Change } from './types.js';
import type { Signal } from './types.js';
import type { MemberChange } from './types.js';
import { ChatError } from './protocol.js';
import { Emitter } from './util.js';
import type { Pending } from './types.js';
import type { Where } from './types.js';
import type { Message } from './types.js';
import type { Cancel } from './types.js';
import type { Details } from './types.js';
import type { Receipt } from './types.js';
import type { Member } from './types.js';
import type { Stored } from './types.js';
import type { Frame } from './types.js';
import type { Overview } from './types.js';
import type { Clock } from './types.js';
