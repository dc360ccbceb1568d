/** @import {Cancel, ChatOptions, ConversationPage, PageQuery, SearchPage, SearchQuery, UserPage} from './types.js' */
/** A chat session with all that the server offers: also its rooms, search, users, and tickets to connect past the gateway. */
export class ChatClient extends ChatSession {
    /** Nothing is opened before `connect`. @param {ChatOptions} options */
    constructor(options: ChatOptions);
    /** Rooms, their members, roles, bans and mutes. @type {Rooms} */
    rooms: Rooms;
    /** A page of the user's conversations, that with the last message first. @param {PageQuery} [options] @returns {Promise<ConversationPage>} */
    listConversations({ signal, ...query }?: PageQuery): Promise<ConversationPage>;
    /** Messages that have all words of `q`, of those that the user may read, newest first. @param {SearchQuery} query @returns {Promise<SearchPage>} */
    search({ signal, ...query }: SearchQuery): Promise<SearchPage>;
    /** Known users by the start of id or name. @param {string} query @param {Cancel & {limit?: number}} [options] @returns {Promise<UserPage>} */
    users(query: string, { signal, limit }?: Cancel & {
        limit?: number;
    }): Promise<UserPage>;
    #private;
}
import { ChatSession } from './session.js';
import { Rooms } from './rooms.js';
import type { PageQuery } from './types.js';
import type { ConversationPage } from './types.js';
import type { SearchQuery } from './types.js';
import type { SearchPage } from './types.js';
import type { Cancel } from './types.js';
import type { UserPage } from './types.js';
import type { ChatOptions } from './types.js';
