import { Rooms } from './rooms.js';
import { ChatSession } from './session.js';
import { Tickets } from './tickets.js';

/** @import {Cancel, ChatOptions, ConversationPage, PageQuery, SearchPage, SearchQuery, UserPage} from './types.js' */

/** A chat session with all that the server offers: also its rooms, search, users, and tickets to connect past the gateway. */
export class ChatClient extends ChatSession {
  /** Rooms, their members, roles, bans and mutes. @type {Rooms} */
  rooms;
  #call;

  /** Nothing is opened before `connect`. @param {ChatOptions} options */
  constructor(options) {
    /** @type {any} */
    let call, learn;
    super(options, (given, clock, learnRoom) => {
      [call, learn] = [given, learnRoom];
      return options.tickets === false ? null : new Tickets(given, clock);
    });
    this.#call = call;
    // Its constructor is private for applications.
    this.rooms = new (/** @type {any} */ (Rooms))(call, learn);
  }

  /** A page of the user's conversations, that with the last message first. @param {PageQuery} [options] @returns {Promise<ConversationPage>} */
  listConversations({ signal, ...query } = {}) { return this.#call('/api/conversations', { query, signal }); }

  /** Messages that have all words of `q`, of those that the user may read, newest first. @param {SearchQuery} query @returns {Promise<SearchPage>} */
  search({ signal, ...query }) { return this.#call('/api/search', { query, signal }); }

  /** Known users by the start of id or name. @param {string} query @param {Cancel & {limit?: number}} [options] @returns {Promise<UserPage>} */
  users(query, { signal, limit } = {}) { return this.#call('/api/users', { query: { query, limit }, signal }); }
}
