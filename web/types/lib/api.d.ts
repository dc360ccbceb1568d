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
    /** @param {Cancel} [options] @returns {Promise<{items: Overview[]}>} */
    conversations(options?: Cancel): Promise<{
        items: Overview[];
    }>;
    /**
     * Messages that have all words of `q`, of those that the user may read, newest first.
     * @param {{q: string, room?: string, to?: string, from?: string, before?: string, limit?: number, signal?: AbortSignal}} options
     * @returns {Promise<SearchPage>}
     */
    search({ signal, ...query }: {
        q: string;
        room?: string;
        to?: string;
        from?: string;
        before?: string;
        limit?: number;
        signal?: AbortSignal;
    }): Promise<SearchPage>;
    /** The first 200 members. @param {string} room @param {Cancel} [options] @returns {Promise<{items: Member[]}>} */
    members(room: string, options?: Cancel): Promise<{
        items: Member[];
    }>;
    /** Known users by the start of id or name. @param {string} query @param {Cancel} [options] @returns {Promise<{items: ({user: string} & Profile)[]}>} */
    users(query: string, options?: Cancel): Promise<{
        items: ({
            user: string;
        } & Profile)[];
    }>;
    /** @param {string[]} users at most 500 @param {Cancel} [options] @returns {Promise<{items: UserPresence[]}>} */
    presence(users: string[], options?: Cancel): Promise<{
        items: UserPresence[];
    }>;
    /** @param {string} path @param {{query?: object, body?: object, signal?: AbortSignal}} [options] @returns {Promise<any>} */
    call(path: string, { query, body, signal }?: {
        query?: object;
        body?: object;
        signal?: AbortSignal;
    }): Promise<any>;
    #private;
}
import type { TokenProvider } from './types.js';
import type { Clock } from './types.js';
import type { Where } from './types.js';
import type { Page } from './types.js';
import type { Cancel } from './types.js';
import type { Overview } from './types.js';
import type { SearchPage } from './types.js';
import type { Member } from './types.js';
import type { Profile } from './types.js';
import type { UserPresence } from './types.js';
