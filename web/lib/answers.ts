// What the HTTP API takes and answers. No browser loads this file.
import type { Cancel, ChatEvent, Profile, Role, Where } from './types.js';

/** A room as the server keeps it. */
export interface Room {
  /** Its id. */
  room: string;
  /** How it is shown. */
  name?: string;
  /** What it is about. */
  topic?: string;
  /** Whether any user may read and join, or members only. */
  visibility: 'public' | 'private';
  /** Who may send. */
  sending: 'members' | 'moderators';
  /** The product's own. */
  meta?: Record<string, any>;
  /** RFC 3339. */
  created?: string;
  /** How many members it has. */
  members: number;
  /** The seq of its newest event. */
  head: number;
  /** Whether the user is a member. */
  joined: boolean;
  /** The user's role, if they are a member. */
  role?: Role;
}

/** What can be set of a room. In a change, null takes a value away, and what is not named stays. */
export interface RoomSettings {
  /** How it is shown. */
  name?: string | null;
  /** What it is about. */
  topic?: string | null;
  /** Whether any user may read and join, or members only. Default: `public`. */
  visibility?: 'public' | 'private';
  /** Who may send. Default: `members`. */
  sending?: 'members' | 'moderators';
  /** The product's own, at most 4 KiB. */
  meta?: Record<string, any> | null;
}

/** A user who may not join a room. */
export interface Ban {
  /** Who is banned. */
  user: string;
  /** Who banned them. */
  by: string;
  /** When it ends, RFC 3339; absent: never. */
  until?: string;
  /** Why. */
  reason?: string;
}

/** Which page of a list. */
export interface PageQuery extends Cancel {
  /** The `next` of the page before. */
  after?: string;
  /** 1 to 200. */
  limit?: number;
}

/** One of the user's conversations. */
export interface Overview extends Where {
  /** The seq of its newest event. */
  head: number;
  /** The user's read cursor. */
  read: number;
  /** Others' messages above the cursor. */
  unread: number;
  /** How many of these mention the user. */
  mentions: number;
  /** The newest message that was not deleted, as it now reads. */
  last: ChatEvent | null;
}

/** A page of the user's conversations. */
export interface ConversationPage {
  /** That with the last message first. */
  items: Overview[];
  /** For `after` of the next page; null at the end. */
  next: string | null;
}

/** What to search for. */
export interface SearchQuery extends Cancel {
  /** Whole words, 1 to 200 characters. All must be there. */
  q: string;
  /** Only in this room. */
  room?: string;
  /** Only in the direct conversation with this user. */
  to?: string;
  /** Only from this sender. */
  from?: string;
  /** The `next` of the page before. */
  before?: string;
  /** 1 to 200. */
  limit?: number;
}

/** What was found. */
export interface SearchPage {
  /** Newest first. */
  items: ChatEvent[];
  /** For `before` of the next page; null at the end. */
  next: string | null;
}

/** A page of rooms. */
export interface RoomPage {
  /** By id. */
  items: Room[];
  /** For `after` of the next page; null at the end. */
  next: string | null;
}

/** A member of a room. */
export interface Member {
  /** Who. */
  user: string;
  /** Whether they are online. */
  online: boolean;
  /** Their read cursor. */
  read: number;
  /** What they may do. */
  role?: Role;
}

/** A page of members. */
export interface MemberPage {
  /** The members. */
  items: Member[];
  /** For `after` of the next page; null at the end. */
  next: string | null;
}

/** Users that were found. */
export interface UserPage {
  /** By id, each with how they are shown. */
  items: ({ user: string } & Profile)[];
}

/** Whether a user is online. */
export interface UserPresence {
  /** Who. */
  user: string;
  /** Whether they are online. */
  online: boolean;
  /** RFC 3339; null: never seen, or online. */
  lastSeen: string | null;
}
