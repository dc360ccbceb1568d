/** The current token for the socket and HTTP. Concurrent callers share one call of the provider. */
export class Tokens {
    /** @param {TokenProvider} provider @param {Clock} clock @param {AbortSignal} signal */
    constructor(provider: TokenProvider, clock: Clock, signal: AbortSignal);
    /** @returns {Promise<string>} rejects with a `ChatError` `token`, which is `fatal` when asking again is of no use */
    get(fresh?: boolean): Promise<string>;
    #private;
}
/** The HTTP part of the protocol. It throws `ChatError`s with code `http`, and `status` 0 when there is no answer. */
export class Api {
    /** @param {string} base @param {Tokens} tokens @param {typeof fetch} fetch @param {Clock} clock @param {(profiles: Record<string, Profile>|undefined) => void} learn */
    constructor(base: string, tokens: Tokens, fetch: typeof globalThis.fetch, clock: Clock, learn?: (profiles: Record<string, Profile> | undefined) => void);
    /**
     * A page of history, oldest first with `after`, else newest first.
     * @param {Where} where @param {{before?: number|string, after?: number|string, limit?: number, signal?: AbortSignal}} [options]
     * @returns {Promise<Page>}
     */
    messages(where: Where, { signal, ...query }?: {
        before?: number | string;
        after?: number | string;
        limit?: number;
        signal?: AbortSignal;
    }): Promise<Page>;
    /** @param {PageQuery} [options] @returns {Promise<ConversationPage>} */
    conversations({ signal, ...query }?: PageQuery): Promise<ConversationPage>;
    /** All of the user's conversations, or the 10,000 with the last messages. @param {AbortSignal} signal @returns {Promise<Overview[]>} */
    allConversations(signal: AbortSignal): Promise<Overview[]>;
    /** @param {string} room @param {PageQuery} [options] @returns {Promise<MemberPage>} */
    members(room: string, { signal, ...query }?: PageQuery): Promise<MemberPage>;
    /** @param {string[]} users at most 500 @param {Cancel} [options] @returns {Promise<{items: UserPresence[]}>} */
    presence(users: string[], options?: Cancel): Promise<{
        items: UserPresence[];
    }>;
    /**
     * @param {string} path
     * @param {{method?: string, query?: object, body?: object, signal?: AbortSignal, within?: number}} [options] `within`: milliseconds
     * @returns {Promise<any>} undefined where the answer has no body
     */
    call(path: string, { body, method, query, signal, within: ms }?: {
        method?: string;
        query?: object;
        body?: object;
        signal?: AbortSignal;
        within?: number;
    }): Promise<any>;
    #private;
}
/**
 * A page of history.
 */
export type Page = {
    items: import("./types.js").ChatEvent[];
    profiles?: Record<string, Profile>;
    epoch: string;
    head: number;
    next: string | null;
};
import type { TokenProvider } from './types.js';
import type { Clock } from './types.js';
import type { Where } from './types.js';
import type { PageQuery } from './types.js';
import type { ConversationPage } from './types.js';
import type { Overview } from './types.js';
import type { MemberPage } from './types.js';
import type { Cancel } from './types.js';
import type { UserPresence } from './types.js';
import type { Profile } from './types.js';
