// The shapes of this library's data, for editors, the type check and the generated `types/`. No browser loads this file.

/** A conversation: a room, or the direct conversation with a user. */
export interface Where { room?: string; to?: string; }

/** A frame of the protocol. */
export interface Frame { type: string; [field: string]: any; }

/** How a user is shown. `picture` is an https URL. */
export interface Profile { name?: string; picture?: string; }

/** The first 100 users who reacted so; `count` is exact. */
export interface Reaction { emoji: string; count: number; users: string[]; }

/** An event of a conversation's log. In history, `content` is the current text and `edited` the seq of the last edit. */
export interface ChatEvent extends Where {
  type: 'room' | 'dm' | 'edit' | 'delete' | 'react';
  id: string;
  seq: number;
  from: string;
  /** The sender's display name, on live events. */
  name?: string;
  /** The server's time, RFC 3339, UTC. */
  timestamp: string;
  content?: string;
  /** Only on the sender's own copies. */
  nonce?: string;
  target?: number;
  emoji?: string;
  remove?: boolean;
  edited?: number;
  deleted?: boolean;
  reactions?: Reaction[];
  /** The seq of the event that it replies to. */
  replyTo?: number;
  /** Users. Of an edit: those from now on; absent: as before. */
  mentions?: string[];
  /** The product's own. Of an edit: from now on; absent: as before. */
  meta?: Record<string, any>;
}

/** What a message carries beside its text. */
export interface Details { replyTo?: number; mentions?: string[]; meta?: Record<string, any>; }

/** What somebody may do in a room, from least to most. */
export type Role = 'member' | 'moderator' | 'owner';

/** Why a room was left that the user did not leave: by a moderator, with the room, or by a token that does not grant it. */
export type LeftReason = 'removed' | 'banned' | 'deleted' | 'forbidden';

/** What somebody changed about a member of a room. `until`: when a ban or mute ends. */
export interface MemberChange {
  room: string; user: string; by: string; role?: Role; until?: string;
  change: 'added' | 'removed' | 'role' | 'banned' | 'unbanned' | 'muted' | 'unmuted';
}

/** A product's own event from another user, which is not stored. */
export interface Signal { from: string; name: string; data?: any; }

/** A room as the server keeps it. `members`: how many; `joined`: whether the caller is one; `role`: the caller's. */
export interface Room {
  room: string;
  name?: string;
  topic?: string;
  visibility: 'public' | 'private';
  sending: 'members' | 'moderators';
  /** The product's own. Lists leave it out. */
  meta?: Record<string, any>;
  /** RFC 3339. */
  created?: string;
  members: number;
  head: number;
  joined: boolean;
  role?: Role;
}

/** What can be set of a room. In a change, null takes a value away, and what is not named stays. */
export interface RoomSettings {
  name?: string | null;
  topic?: string | null;
  visibility?: 'public' | 'private';
  sending?: 'members' | 'moderators';
  /** At most 4 KiB. */
  meta?: Record<string, any> | null;
}

/** A user who may not join a room. */
export interface Ban { user: string; by: string; /** RFC 3339; absent: for ever. */ until?: string; reason?: string; }

/** What an `ack` tells: the event is in the log at `seq`. */
export interface Receipt { id: string; seq: number; epoch: string; timestamp: string; duplicate: boolean; }

/** A message with its edits, deletion and reactions applied. */
export interface Message {
  id: string;
  seq: number;
  from: string;
  content: string;
  timestamp: string;
  edited?: number;
  deleted: boolean;
  reactions: Reaction[];
  replyTo?: number;
  mentions: string[];
  meta?: Record<string, any>;
  own: boolean;
  /** For the user's own messages of this session: `durable` is in the database, `accepted` in the log. */
  state?: 'accepted' | 'durable';
}

/** A message of the user's that is not in the timeline yet. `accepted`: it is in the log and its copy is about to come. */
export interface Pending {
  nonce: string;
  content: string;
  /** Milliseconds since 1970, by this machine's clock. */
  created: number;
  state: 'sending' | 'accepted' | 'failed';
  seq?: number;
  error?: Error;
  details?: Details;
}

/** What changed in a conversation, for the page that draws it. `messages` must be drawn, or drawn again. */
export type Change =
  | { kind: 'append' | 'update'; messages: Message[] }
  /** How many messages were added in front, or dropped there. */
  | { kind: 'prepend' | 'trim'; count: number }
  | { kind: 'reset' | 'pending' | 'members' | 'typing' | 'read' | 'ready' | 'room' };

/** A page of history. */
export interface Page { items: ChatEvent[]; profiles?: Record<string, Profile>; epoch: string; head: number; next: string | null; }

/** `after`: the `next` of the page before. `limit`: 1 to 200. */
export interface PageQuery extends Cancel { after?: string; limit?: number; }

/** One of the user's conversations. `mentions`: how many of the unread messages mention the user. `last`: the newest message, as it now reads. */
export interface Overview extends Where { head: number; read: number; unread: number; mentions: number; last: ChatEvent | null; }

/** That with the last message first. `next` is null at the end. */
export interface ConversationPage { items: Overview[]; next: string | null; }

/** All words of `q` (1 to 200 characters) must be there. `before`: the `next` of the page before. */
export interface SearchQuery extends Cancel { q: string; room?: string; to?: string; from?: string; before?: string; limit?: number; }

/** `items`: newest first. `next`: for `before` of the next page; null at the end. */
export interface SearchPage { items: ChatEvent[]; next: string | null; }

/** A page of rooms. `next` is null at the end. */
export interface RoomPage { items: Room[]; next: string | null; }

/** A member of a room. */
export interface Member { user: string; online: boolean; read: number; role?: Role; }

/** A page of members. `next` is null at the end. */
export interface MemberPage { items: Member[]; next: string | null; }

/** Users and how they are shown. */
export interface UserPage { items: ({ user: string } & Profile)[]; }

/** Whether a user is online. */
export interface UserPresence { user: string; online: boolean; /** RFC 3339; null: never seen, or online. */ lastSeen: string | null; }

/**
 * The session's state. `retryAt`: when the next try starts, while reconnecting, as `Date.now()` counts. `code` and `reason`: why the last
 * socket ended. `error`: why the session is closed, unless the application closed it.
 */
export interface Status {
  state: 'idle' | 'connecting' | 'connected' | 'reconnecting' | 'closed';
  retryAt?: number;
  code?: number;
  reason?: string;
  error?: Error;
}

/** `roundTrip` in milliseconds, null until the first one. `ticket`: whether the socket leads to the node itself and not through the gateway. */
export interface Info { user: string | null; node: string; connection: string; roundTrip: number | null; reconnects: number; ticket: boolean; }

/** Time and random numbers as dependencies, so that tests can control both. */
export interface Clock {
  /** Milliseconds of a clock that never jumps. All durations are measured by it. */
  now(): number;
  /** Milliseconds since 1970, by this machine's clock, which may be set at any time. */
  date(): number;
  set(run: () => void, ms: number): any;
  clear(timer: any): void;
  random(): number;
}

/** The signal ends the wait. */
export interface Cancel { signal?: AbortSignal; }

/**
 * Asks the application for a token. `fresh`: the last one was refused or is about to expire. An error with `fatal: true` ends the session.
 */
export type TokenProvider = (request: { fresh: boolean; signal: AbortSignal }) => Promise<string | { token: string }>;

/** An event on its way into the log, as it is stored over a reload. */
export interface Stored { owner: string; nonce: string; frame: Frame; created: number; }

/** Stores unacknowledged events. `load` gives an owner's events in the order of `put`. A failure only causes a `fault`. */
export interface OutboxStore {
  load(owner: string): Promise<Stored[]>;
  put(stored: Stored): Promise<void>;
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
  WebSocket?: { new (url: string, protocols?: string[]): any };
  /** For runtimes that have none, and for tests. */
  fetch?: typeof fetch;
  /** For tests. */
  clock?: Clock;
}
