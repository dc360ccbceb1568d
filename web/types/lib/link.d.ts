/** A conversation as the client sees it: takes its frames and keeps its state. The application sees the `conversation` in front of it. */
export class Link {
    /** @param {Host} host @param {Where} where */
    constructor(host: Host, where: Where);
    /** The user's messages on their way, in order. @type {Pending[]} */
    pending: Pending[];
    /** The room's online members, as far as the server named them. @type {Set<string>} */
    members: Set<string>;
    /** How many are online. */
    count: number;
    /** What the last `joined`, or a call since, said of the room. @type {{role?: Role, visibility?: any, sending?: any, name?: string, topic?: string}} */
    room: {
        role?: Role;
        visibility?: any;
        sending?: any;
        name?: string;
        topic?: string;
    };
    /** Why it ended, if not by the user's own `leave`. @type {LeftReason|undefined} */
    leftReason: LeftReason | undefined;
    /** Tells the application. @type {(name: any, value: any) => void} */
    tell: (name: any, value: any) => void;
    where: Where;
    key: string;
    /** @type {'room'|'direct'} */
    kind: "room" | "direct";
    seat: RoomSeat;
    typingSender: TypingSender;
    typingUsers: TypingUsers;
    cursors: ReadCursors;
    sync: Sync;
    /** @type {Conversation} */
    conversation: Conversation;
    get me(): string | null;
    get messages(): Message[];
    /** The seq of the newest event given out; 0 when unknown. */
    get head(): number;
    get epoch(): string | null;
    /** Whether events can be sent now. */
    get ready(): boolean;
    get disposed(): boolean;
    /** The seq from which on all is loaded; Infinity when nothing is. */
    get first(): number;
    /** Whether the server must be asked about the user's cursor. */
    get isInexact(): boolean;
    /** Whether a `join` is under way. */
    get isJoining(): boolean;
    /** Events do not name their log. Only the answer to `resume` does. */
    get isNameless(): boolean;
    /** @param {string} content @param {Cancel & Details} options @returns {Promise<Receipt>} */
    send(content: string, { signal, ...details }: Cancel & Details): Promise<Receipt>;
    /** Sends an edit, a deletion or a reaction. @param {Frame} event @param {AbortSignal} [signal] @returns {Promise<Receipt>} */
    act(event: Frame, signal?: AbortSignal): Promise<Receipt>;
    /** Sends what has no answer. @param {Frame} frame @returns {boolean} false without a connection */
    tryToSend(frame: Frame): boolean;
    /** @param {string} nonce */
    discard(nonce: string): Pending | undefined;
    /** @param {number} seq @returns {Promise<void>} */
    markRead(seq: number): Promise<void>;
    /** @param {number} keep how many messages stay */
    trim(keep: number): void;
    /** @param {Cancel} [options] @returns {Promise<Member[]>} */
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
    /** @returns {Frame|null} this conversation's entry in `resume` */
    resume(): Frame | null;
    disconnected(): void;
    /** @param {Frame} error @returns {boolean} whether it answers this room's join */
    joinRefused(error: Frame): boolean;
    /** A send was answered `not_joined`. @returns {boolean} whether the room is joined again */
    joinAgain(): boolean;
    /** @param {Overview} [overview] none when the server knows no event here */
    applyOverview(overview?: Overview): void;
    /** @param {Frame} frame a frame of this conversation */
    receive(frame: Frame): void;
    /** @param {boolean} forget false when a later page shall send what is not acknowledged @param {LeftReason} [reason] */
    dispose(forget: boolean, reason?: LeftReason): void;
    /** What a call says of the room. @param {Room} room */
    learnRoom({ role, visibility, sending, name, topic }: Room): void;
    #private;
}
/**
 * `leaving`: whether the room's `leave` is unanswered; `recount`: what is known of the
 *   user's cursor is not exact, so the server is asked
 */
export type Host = {
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
import type { Pending } from './types.js';
import type { Role } from './types.js';
import type { LeftReason } from './types.js';
import type { Where } from './types.js';
import { RoomSeat } from './seat.js';
import { TypingSender } from './typing.js';
import { TypingUsers } from './typing.js';
import { ReadCursors } from './reading.js';
import { Sync } from './sync.js';
import { Conversation } from './conversation.js';
import type { Message } from './types.js';
import type { Cancel } from './types.js';
import type { Details } from './types.js';
import type { Receipt } from './types.js';
import type { Frame } from './types.js';
import type { Member } from './types.js';
import type { Stored } from './types.js';
import type { Overview } from './types.js';
import type { Room } from './types.js';
import type { Clock } from './types.js';
