import { ChatError } from './protocol.js';

/** The first option that cannot work. @param {Record<string, any>} options @returns {ChatError|null} */
export function misuseOf({ getToken, url, WebSocket, fetch, store }) {
  /** @type {[string, boolean, string][]} */
  const rules = [
    ['getToken', typeof getToken === 'function', 'must be a function'],
    ['url', /^https?:\/\/[^/]/.test(String(url)), 'must be the http or https address of the gateway'],
    ['WebSocket', typeof WebSocket === 'function', 'this runtime has none, so one must be given'],
    ['fetch', typeof fetch === 'function', 'this runtime has none, so one must be given'],
    ['store', !store || ['load', 'put', 'remove'].every((name) => typeof store[name] === 'function'), 'must have load, put and remove'],
  ];
  const broken = rules.find(([, holds]) => !holds);
  return broken ? new ChatError('bad_option', `${broken[0]}: ${broken[2]}.`, { field: broken[0] }) : null;
}
