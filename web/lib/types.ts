// The shapes of this library's data. No browser loads this file: it is for editors, for the type check, and for the generated `types/`.

/** A conversation: a room, or the direct one with a user. */
export interface Where { room?: string; to?: string; }

export interface Frame { type: string; [field: string]: any; }

export interface Reaction { emoji: string; count: number; users: string[]; }

/** An event of a conversation's log. In history, `content` is the current one and `edited` the seq of the last edit. */
export interface ChatEvent extends Where {
  type: 'room' | 'dm' | 'edit' | 'delete' | 'react';
  id: string;
  seq: number;
  from: string;
  /** RFC 3339, UTC, of the server. */
  timestamp: string;
  content?: string;
  /** On the sender's own copies only. */
  nonce?: string;
  target?: number;
  emoji?: string;
  remove?: boolean;
  edited?: number;
  deleted?: boolean;
  reactions?: Reaction[];
}

/** What an `ack` tells: the event is in the log at `seq`. */
export interface Receipt { id: string; seq: number; epoch: string; timestamp: string; duplicate: boolean; }

/** A message as it stands now: its edits, deletion and reactions applied. */
export interface Message {
  id: string;
  seq: number;
  from: string;
  content: string;
  timestamp: string;
  edited?: number;
  deleted: boolean;
  reactions: Reaction[];
  own: boolean;
  /** Of own messages of this session: `durable` is in the database, `accepted` in the log. */
  state?: 'accepted' | 'durable';
}

/** An own message that is not in the timeline yet. `accepted`: it is in the log and its copy is about to come. */
export interface Pending {
  nonce: string;
  content: string;
  /** Milliseconds since 1970, by this machine's clock. */
  created: number;
  state: 'sending' | 'accepted' | 'failed';
  seq?: number;
  error?: Error;
}

/** What changed in a conversation, for those who draw it. `messages`: to draw, or to draw again. */
export type Change =
  | { kind: 'append' | 'update'; messages: Message[] }
  /** So many messages came in front, or were dropped there. */
  | { kind: 'prepend' | 'trim'; count: number }
  | { kind: 'reset' | 'pending' | 'members' | 'typing' | 'read' | 'ready' };

export interface Page { items: ChatEvent[]; epoch: string; head: number; next: string | null; }

export interface Overview extends Where { head: number; read: number; unread: number; last: ChatEvent | null; }

export interface Member { user: string; online: boolean; read: number; }

export interface UserPresence { user: string; online: boolean; /** RFC 3339; null: never seen, or online. */ lastSeen: string | null; }

/**
 * Where the session stands. `retryAt`: when the next try starts, while reconnecting. `code` and `reason`: why the last socket ended.
 */
export interface Status {
  state: 'idle' | 'connecting' | 'connected' | 'reconnecting' | 'closed';
  retryAt?: number;
  code?: number;
  reason?: string;
}

/** `roundTrip` in milliseconds, null until the first one. */
export interface Info { user: string | null; node: string; connection: string; roundTrip: number | null; reconnects: number; }

/** Time and chance as dependencies, so that tests can drive both. */
export interface Clock {
  now(): number;
  set(run: () => void, ms: number): any;
  clear(timer: any): void;
  random(): number;
}

export interface Cancel { signal?: AbortSignal; }

/**
 * Asks the application for a token. `fresh`: the last one is refused or about to expire. An error with `fatal: true` ends the session.
 */
export type TokenProvider = (request: { fresh: boolean; signal: AbortSignal }) => Promise<string | { token: string }>;

/** An event on its way into the log, as it is kept over a reload. */
export interface Stored { owner: string; nonce: string; frame: Frame; created: number; }

/** Keeps unacknowledged events; `load` gives an owner's in the order in which they were put. Failures are told as `fault`, no more. */
export interface OutboxStore {
  load(owner: string): Promise<Stored[]>;
  put(stored: Stored): Promise<void>;
  remove(nonce: string): Promise<void>;
}

export interface ChatOptions {
  /** Asked at the start, before the token expires, and when it is refused. */
  getToken: TokenProvider;
  /** Whose the token is, where the application knows; else the first connection tells. */
  user?: string;
  /** Where the gateway is; default: where the page came from. */
  url?: string;
  /** Closes the client. */
  signal?: AbortSignal;
  /** Keeps sends over a reload; default: IndexedDB where there is one. null: memory only. */
  store?: OutboxStore | null;
  /** For tests, and for runtimes without their own. */
  WebSocket?: typeof WebSocket;
  fetch?: typeof fetch;
  clock?: Clock;
}
