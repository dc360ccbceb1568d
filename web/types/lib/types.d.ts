export type * from './answers.js';
/** A conversation: a room, or the direct conversation with a user. */
export interface Where {
    /** The room's id. */
    room?: string;
    /** The other user's id. */
    to?: string;
}
/** A frame of the protocol. */
export interface Frame {
    /** What it is. */
    type: string;
    /** Its fields, as the protocol has them. */
    [field: string]: any;
}
/** How a user is shown. */
export interface Profile {
    /** The display name. */
    name?: string;
    /** An https URL. */
    picture?: string;
}
/** The users who reacted to a message with one emoji. */
export interface Reaction {
    /** The emoji. */
    emoji: string;
    /** How many users, exactly. */
    count: number;
    /** The first 100 of them. */
    users: string[];
}
/** An event of a conversation's log. */
export interface ChatEvent extends Where {
    /** A message in a room or to a user, or a change of one. */
    type: 'room' | 'dm' | 'edit' | 'delete' | 'react';
    /** Unique among all events. */
    id: string;
    /** Its place in the log: 1, 2, 3 … */
    seq: number;
    /** The user who caused it, or `SYSTEM`. */
    from: string;
    /** The sender's display name, on live events. */
    name?: string;
    /** The server's time, RFC 3339, UTC. */
    timestamp: string;
    /** The text of a message or an edit. In history, a message's current text. */
    content?: string;
    /** Only on the sender's own copies. */
    nonce?: string;
    /** The seq of the message that an edit, a deletion or a reaction changes. */
    target?: number;
    /** A reaction's. */
    emoji?: string;
    /** Whether the reaction is taken away. */
    remove?: boolean;
    /** In history: the seq of the message's last edit. */
    edited?: number;
    /** In history: whether the message was deleted. */
    deleted?: boolean;
    /** In history: the message's reactions. */
    reactions?: Reaction[];
    /** The seq of the event that it replies to. */
    replyTo?: number;
    /** Users. Of an edit: those from now on; absent: as before. */
    mentions?: string[];
    /** The product's own. Of an edit: from now on; absent: as before. */
    meta?: Record<string, any>;
}
/** What a message carries beside its text. */
export interface Details {
    /** The seq of an event of the same conversation. */
    replyTo?: number;
    /** At most 50 users. */
    mentions?: string[];
    /** The product's own, at most 4 KiB. Attachments travel as `meta.attachments`. */
    meta?: Record<string, any>;
}
/** What somebody may do in a room, from least to most. */
export type Role = 'member' | 'moderator' | 'owner';
/** Why a room was left that the user did not leave: by a moderator, with the room, or by a token that does not grant it. */
export type LeftReason = 'removed' | 'banned' | 'deleted' | 'forbidden';
/** What somebody changed about a member of a room. */
export interface MemberChange {
    /** The room. */
    room: string;
    /** Who was changed. */
    user: string;
    /** What happened. */
    change: 'added' | 'removed' | 'role' | 'banned' | 'unbanned' | 'muted' | 'unmuted';
    /** The role from now on. */
    role?: Role;
    /** When a ban or mute ends, RFC 3339. */
    until?: string;
    /** Who did it. */
    by: string;
}
/** A product's own event from another user, which is not stored. */
export interface Signal {
    /** Who sent it. */
    from: string;
    /** What the product calls it. */
    name: string;
    /** JSON. */
    data?: any;
}
/** The event is in the log: it has its final place and reaches everybody. */
export interface Receipt {
    /** The event's id. */
    id: string;
    /** Its place in the log. */
    seq: number;
    /** The log's name. */
    epoch: string;
    /** The server's time, RFC 3339, UTC. */
    timestamp: string;
    /** Whether an earlier try had put it there. */
    duplicate: boolean;
}
/** A message with its edits, deletion and reactions applied. */
export interface Message {
    /** Unique among all events. */
    id: string;
    /** Its place in the log. */
    seq: number;
    /** Its author. */
    from: string;
    /** The current text; empty once deleted. */
    content: string;
    /** The server's time, RFC 3339, UTC. */
    timestamp: string;
    /** The seq of the last edit, if there was one. */
    edited?: number;
    /** Whether it was deleted. */
    deleted: boolean;
    /** In the order in which they began. */
    reactions: Reaction[];
    /** The seq of the event that it replies to. */
    replyTo?: number;
    /** Users. */
    mentions: string[];
    /** The product's own. */
    meta?: Record<string, any>;
    /** Whether the user wrote it. */
    own: boolean;
    /** For the user's own messages of this session: `durable` is in the database, `accepted` in the log. */
    state?: 'accepted' | 'durable';
}
/** A message of the user's that is not in the timeline yet. */
export interface Pending {
    /** Its name until it has a seq. */
    nonce: string;
    /** The text. */
    content: string;
    /** Milliseconds since 1970, by this machine's clock. */
    created: number;
    /** `accepted`: it is in the log and its copy is about to come. */
    state: 'sending' | 'accepted' | 'failed';
    /** Its place in the log, once accepted. */
    seq?: number;
    /** Why it failed. */
    error?: Error;
    /** What it carries beside its text. */
    details?: Details;
}
/** What changed in a conversation, for the page that draws it. `messages` must be drawn, or drawn again. */
export type Change = {
    /** What changed. */
    kind: 'append' | 'update';
    /** New ones, or loaded ones that are different now. */
    messages: Message[];
} | {
    kind: 'prepend' | 'trim';
    /** How many messages were added in front, or dropped there. */
    count: number;
} | {
    kind: 'reset' | 'pending' | 'members' | 'typing' | 'read' | 'ready' | 'room';
};
/** What ends a wait. */
export interface Cancel {
    /** Ends the wait. */
    signal?: AbortSignal;
}
/** The session's state. */
export interface Status {
    /** `idle`: before `connect`. `closed`: until `connect` is called again. */
    state: 'idle' | 'connecting' | 'connected' | 'reconnecting' | 'closed';
    /** When the next try starts, while reconnecting, as `Date.now()` counts. */
    retryAt?: number;
    /** The close code of the last socket. */
    code?: number;
    /** Why the last socket ended. */
    reason?: string;
    /** Why the session is closed, unless the application closed it. */
    error?: Error;
}
/** The session's user and connection. */
export interface Info {
    /** The user; null until the first connection tells it. */
    user: string | null;
    /** The node that it is connected to. */
    node: string;
    /** The connection's id, for the server's logs. */
    connection: string;
    /** Milliseconds; null until the first one. */
    roundTrip: number | null;
    /** How often a lost connection was replaced. */
    reconnects: number;
    /** Whether the socket leads to the node itself and not through the gateway. */
    ticket: boolean;
}
/** Time and random numbers as dependencies, so that tests can control both. */
export interface Clock {
    /** Milliseconds of a clock that never jumps. All durations are measured by it. */
    now(): number;
    /** Milliseconds since 1970, by this machine's clock, which may be set at any time. */
    date(): number;
    /** Calls `run` once, in `ms` milliseconds. Gives what `clear` takes. */
    set(run: () => void, ms: number): any;
    /** Takes a call back. Ignores what is none. */
    clear(timer: any): void;
    /** From 0 to less than 1. */
    random(): number;
}
/**
 * Asks the application for a token. `fresh`: the last one was refused or is about to expire. An error with `fatal: true` ends the session.
 */
export type TokenProvider = (request: {
    fresh: boolean;
    signal: AbortSignal;
}) => Promise<string | {
    token: string;
}>;
/** An event on its way into the log, as it is stored over a reload. */
export interface Stored {
    /** Whose it is: the user and the gateway. */
    owner: string;
    /** The event's name until it has a seq. Unique. */
    nonce: string;
    /** What is sent. */
    frame: Frame;
    /** Milliseconds since 1970, by this machine's clock. */
    created: number;
}
/** Stores unacknowledged events. A failure only causes a `fault`. */
export interface OutboxStore {
    /** An owner's events in the order of `put`. */
    load(owner: string): Promise<Stored[]>;
    /** Adds one. */
    put(stored: Stored): Promise<void>;
    /** Removes one, if it is there. */
    remove(nonce: string): Promise<void>;
}
/** What a `ChatClient` is made with. */
export interface ChatOptions {
    /** Called at the start, before the token expires, and when it is refused. */
    getToken: TokenProvider;
    /** The token's user, if the application knows it. Else the first connection tells it. */
    user?: string;
    /** The gateway's address; default: the page's origin. */
    url?: string;
    /** Closes the client. */
    signal?: AbortSignal;
    /** Tells `online` and `offline`; default: the browser's window. */
    network?: EventTarget | null;
    /** Stores sends over a reload; default: IndexedDB if there is one. null keeps them in memory only. */
    store?: OutboxStore | null;
    /** Whether to ask for a ticket and connect to a node past the gateway, where the system offers it. Default: true. */
    tickets?: boolean;
    /** For runtimes that have none, such as Node before 22: `ws` fits. */
    WebSocket?: {
        new (url: string, protocols?: string[]): any;
    };
    /** For runtimes that have none, and for tests. */
    fetch?: typeof fetch;
    /** For tests. */
    clock?: Clock;
}
