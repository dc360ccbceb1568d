// The tab's user and open conversations. sessionStorage lets two tabs be two users.

const USER = 'aspirechat.user';

export const storedUser = () => read(sessionStorage, USER);
export const storeUser = (user) => write(sessionStorage, USER, user);
export const forgetUser = () => sessionStorage.removeItem(USER);

export function storedConversations(user) {
  try {
    const keys = JSON.parse(read(localStorage, `aspirechat.open.${user}`) ?? 'null');
    return Array.isArray(keys) ? keys.filter((k) => typeof k === 'string') : null;
  } catch {
    return null;
  }
}

export const storeConversations = (user, keys) => write(localStorage, `aspirechat.open.${user}`, JSON.stringify(keys));

/** The address of a conversation in this page. @param {{kind: string, name: string}} place */
export const hashOf = ({ kind, name }) => `#${kind}/${encodeURIComponent(name)}`;

/** The conversation at such an address; empty when it is none. @param {string} hash @returns {{kind?: string, name?: string}} */
export function placeOf(hash) {
  const [, kind, name] = /^#(room|direct)\/(.+)$/.exec(hash) ?? [];
  try { return kind === undefined ? {} : { kind, name: decodeURIComponent(name) }; } catch { return {}; }
}

/**
 * Asks the development endpoint for a token. A product asks its own sign-in here.
 * @param {string} user @param {AbortSignal} [signal]
 * @returns {Promise<{token: string, expires: string}>}
 */
export async function developmentToken(user, signal) {
  const response = await fetch('/dev/token', {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ user }), signal,
  });
  if (response.ok) return response.json();
  const message = response.status === 400 ? 'This name cannot be used.'
    : response.status === 404 ? 'This server gives no development tokens, because it is not in the Development environment.'
    : `The server gave no token (HTTP ${response.status}).`;
  throw Object.assign(new Error(message), { fatal: response.status === 400 || response.status === 404 });
}

/** Storage can be forbidden or full. The page works without it. @param {Storage} storage @param {string} key */
function read(storage, key) {
  try { return storage.getItem(key); } catch { return null; }
}

function write(storage, key, value) {
  try { storage.setItem(key, value); } catch { /* see read */ }
}
