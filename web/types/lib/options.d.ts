/** The first option that cannot work. @param {Record<string, any>} options @returns {ChatError|null} */
export function misuseOf({ getToken, url, WebSocket, fetch, store }: Record<string, any>): ChatError | null;
import { ChatError } from './protocol.js';
