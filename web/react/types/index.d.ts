/**
 * Gives a client to the hooks below it, and connects it. It never closes it: whoever made the client does.
 * @param {{client: ChatClient, children?: ReactNode}} props
 */
export function ChatProvider({ client, children }: {
    client: ChatClient;
    children?: ReactNode;
}): import("react").FunctionComponentElement<import("react").ProviderProps<ChatClient | null>>;
/** The session: its state and its conversations. @returns {Chat} */
export function useChat(): Chat;
/**
 * A room, which is joined, or the direct conversation with a user. To unmount ends no membership, unless `leaveOnUnmount` says so; then the
 * last component that shows the room leaves it.
 * @param {Place & {leaveOnUnmount?: boolean}} place
 * @returns {ConversationView}
 */
export function useConversation({ room, to, leaveOnUnmount }: Place & {
    leaveOnUnmount?: boolean;
}): ConversationView;
/**
 * Who else is typing in a conversation that `useConversation` shows, and what tells that the user is.
 * @param {Place} place @returns {Typing}
 */
export function useTyping({ room, to }: Place): Typing;
/**
 * Who of these users is online; undefined: not known yet. Asked again every 20 s while the page is visible.
 * @param {readonly string[]} users @returns {Readonly<Record<string, boolean|undefined>>}
 */
export function usePresence(users: readonly string[]): Readonly<Record<string, boolean | undefined>>;
/**
 * The session as it is now.
 */
export type Chat = import("./views.js").Chat;
/**
 * A conversation as it is now.
 */
export type ConversationView = import("./views.js").ConversationView;
/**
 * A room, or the direct conversation with a user.
 */
export type Place = import("./views.js").Place;
/**
 * Who types in a conversation.
 */
export type Typing = import("./views.js").Typing;
import type { ChatClient } from 'aspirechat';
import type { ReactNode } from 'react';
