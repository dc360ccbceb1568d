// What the hooks give, for editors and the generated `types/`.
import type { ChatClient, ChatError, Conversation, LeftReason, Message, Pending, Role, Status } from 'aspirechat';

/** A room, or the direct conversation with a user. */
export type Place =
  | {
    /** The room's id. */
    room: string;
    /** The other user's id. */
    to?: undefined;
  }
  | { to: string; room?: undefined };

/** The session as it is now. */
export interface Chat {
  /** The client of the `ChatProvider`. */
  client: ChatClient;
  /** The state of the connection. `error` is there when the session has ended. */
  status: Status;
  /** The session's user; null until the first connection tells it. */
  user: string | null;
  /** The client's conversations, in the order in which they began. */
  conversations: readonly Conversation[];
  /** How much is unread in all of them. */
  unread: number;
}

/** A conversation as it is now. */
export interface ConversationView {
  /** What sends, edits, reads and loads older messages; null until it is there. */
  conversation: Conversation | null;
  /** Loaded messages in the order of seq. One that was changed is another object, so that `memo` sees it. */
  messages: readonly Message[];
  /** The user's messages on their way, in order. */
  pending: readonly Pending[];
  /** Others' messages above the user's read cursor. */
  unread: number;
  /** How many of these mention the user. */
  mentions: number;
  /** Whether events can be sent now. A send waits for it. */
  ready: boolean;
  /** Whether the oldest message is loaded. */
  atStart: boolean;
  /** The room's online members, as far as the server named them. */
  members: readonly string[];
  /** How many members are online. */
  count: number;
  /** The user's role in the room. */
  role: Role | undefined;
  /** Why the room was left, if not by the user. */
  leftReason: LeftReason | undefined;
  /** Why the room could not be joined. */
  error: ChatError | null;
}

/** Who types in a conversation. */
export interface Typing {
  /** Who else is typing. */
  typingUsers: readonly string[];
  /** Call it at each key stroke. */
  typing: () => void;
  /** Call it when the text was emptied. */
  stopTyping: () => void;
}
