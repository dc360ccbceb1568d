/**
 * Gives a client to the hooks below it, and connects it. It never closes it: whoever made the client does.
 * @param {{client: ChatClient, children?: ReactNode}} props
 */
export function ChatProvider({ client, children }: {
    client: ChatClient;
    children?: ReactNode;
}): import("react").FunctionComponentElement<import("react").ProviderProps<ChatClient | null>>;
/**
 * The session. `conversations` are those of the client, in the order in which they began; `unread` counts all of them.
 * @typedef {{client: ChatClient, status: Status, user: string|null, conversations: readonly Conversation[], unread: number}} Chat
 */
/** The session: its state and its conversations. @returns {Chat} */
export function useChat(): Chat;
/**
 * A conversation as it is now. `conversation` does everything (`send`, `edit`, `markRead`, `older` …); null until it is there. An object in
 * `messages` is another one after an edit, so that `memo` sees it. `error`: why the room could not be joined.
 * @typedef {{conversation: Conversation|null, messages: readonly Message[], pending: readonly Pending[], unread: number, mentions: number,
 *   ready: boolean, atStart: boolean, members: readonly string[], count: number, role: Role|undefined, leftReason: LeftReason|undefined,
 *   error: ChatError|null}} ConversationView
 */
/**
 * A room, which is joined, or the direct conversation with a user. To unmount ends no membership, unless `leaveOnUnmount` says so; then the
 * last component that shows the room leaves it.
 * @param {{room: string, to?: undefined, leaveOnUnmount?: boolean}|{to: string, room?: undefined, leaveOnUnmount?: boolean}} place
 * @returns {ConversationView}
 */
export function useConversation({ room, to, leaveOnUnmount }: {
    room: string;
    to?: undefined;
    leaveOnUnmount?: boolean;
} | {
    to: string;
    room?: undefined;
    leaveOnUnmount?: boolean;
}): ConversationView;
/**
 * Who else is typing in a conversation that `useConversation` shows, and what to call at each key stroke (`typing`) and when the text was
 * emptied (`stopTyping`).
 * @param {{room?: string, to?: string}} place
 * @returns {{typingUsers: readonly string[], typing: () => void, stopTyping: () => void}}
 */
export function useTyping({ room, to }: {
    room?: string;
    to?: string;
}): {
    typingUsers: readonly string[];
    typing: () => void;
    stopTyping: () => void;
};
/**
 * Who of these users is online; undefined: not known yet. Asked again every 20 s while the page is visible.
 * @param {readonly string[]} users @returns {Readonly<Record<string, boolean|undefined>>}
 */
export function usePresence(users: readonly string[]): Readonly<Record<string, boolean | undefined>>;
/**
 * The session. `conversations` are those of the client, in the order in which they began; `unread` counts all of them.
 */
export type Chat = {
    client: ChatClient;
    status: Status;
    user: string | null;
    conversations: readonly Conversation[];
    unread: number;
};
/**
 * A conversation as it is now. `conversation` does everything (`send`, `edit`, `markRead`, `older` …); null until it is there. An object in
 * `messages` is another one after an edit, so that `memo` sees it. `error`: why the room could not be joined.
 */
export type ConversationView = {
    conversation: Conversation | null;
    messages: readonly Message[];
    pending: readonly Pending[];
    unread: number;
    mentions: number;
    ready: boolean;
    atStart: boolean;
    members: readonly string[];
    count: number;
    role: Role | undefined;
    leftReason: LeftReason | undefined;
    error: ChatError | null;
};
import type { ChatClient } from 'aspirechat';
import type { ReactNode } from 'react';
import type { Status } from 'aspirechat';
import type { Conversation } from 'aspirechat';
import type { Message } from 'aspirechat';
import type { Pending } from 'aspirechat';
import type { Role } from 'aspirechat';
import type { LeftReason } from 'aspirechat';
import type { ChatError } from 'aspirechat';
