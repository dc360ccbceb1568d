// Sign-in at an OpenID Connect provider: the authorization code flow with PKCE (RFC 7636), for this tab alone.

const BEGUN = 'aspirechat.sign-in';
const SESSION = 'aspirechat.session';
/** A token that ends sooner is renewed first. */
const RENEW_BEFORE_MS = 30_000;

/** @typedef {{authorization: string, token: string, clientId: string, scope: string, userClaim: string}} Provider */

/** Leads the browser to the provider. @param {Provider} provider @param {string} hash where the page goes on afterwards */
export async function begin(provider, hash) {
  // Browsers have it on https and on this machine only.
  if (!crypto.subtle) throw new Error('Signing in needs https.');
  const [verifier, state] = [random(), random()];
  sessionStorage.setItem(BEGUN, JSON.stringify({ provider, verifier, state, hash }));
  const challenge = base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)));
  const query = new URLSearchParams({
    response_type: 'code', client_id: provider.clientId, redirect_uri: `${location.origin}/`, scope: provider.scope, state,
    code_challenge: challenge, code_challenge_method: 'S256',
  });
  location.assign(`${provider.authorization}${provider.authorization.includes('?') ? '&' : '?'}${query}`);
}

/** Ends what `begin` began, if the provider has just sent the user back. */
export async function finish() {
  const answer = new URLSearchParams(location.search);
  if (!answer.has('state')) return;
  const begun = JSON.parse(sessionStorage.getItem(BEGUN) ?? 'null');
  sessionStorage.removeItem(BEGUN);
  // The code works once. It must not stay in the address.
  history.replaceState(null, '', `/${begun?.hash ?? ''}`);
  if (begun?.state !== answer.get('state')) throw new Error('This sign-in was not begun in this tab. Please try again.');
  if (answer.has('error')) throw new Error(answer.get('error_description') ?? `The provider says ${answer.get('error')}.`);
  const { provider, verifier } = begun;
  await exchange(provider, { grant_type: 'authorization_code', code: answer.get('code') ?? '', redirect_uri: `${location.origin}/`, code_verifier: verifier });
}

/** The user of this tab's session; null: there is none. @returns {string|null} */
export const sessionUser = () => session()?.user ?? null;

export const endSession = () => sessionStorage.removeItem(SESSION);

/** The session's token, renewed in time. @param {AbortSignal} [signal] @returns {Promise<{token: string, expires: string}>} */
export async function sessionToken(signal) {
  let now = session();
  if (now && now.expires - Date.now() < RENEW_BEFORE_MS && now.refresh) {
    now = await exchange(now.provider, { grant_type: 'refresh_token', refresh_token: now.refresh }, signal);
  }
  if (!now || now.expires <= Date.now()) throw Object.assign(new Error('Your session has ended. Please sign in again.'), { fatal: true });
  return { token: now.token, expires: new Date(now.expires).toISOString() };
}

/** @param {Provider} provider @param {Record<string, string>} grant @param {AbortSignal} [signal] */
async function exchange(provider, grant, signal) {
  const response = await fetch(provider.token, { method: 'POST', body: new URLSearchParams({ client_id: provider.clientId, ...grant }), signal });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    // The provider has said no. Anything else may pass.
    const fatal = response.status >= 400 && response.status < 500 && response.status !== 429;
    throw Object.assign(new Error(answer.error_description ?? `The provider gave no token (HTTP ${response.status}).`), { fatal });
  }
  const { [provider.userClaim]: user, exp } = claimsOf(answer.access_token);
  const made = { provider, user, token: answer.access_token, expires: exp * 1000, refresh: answer.refresh_token ?? session()?.refresh };
  sessionStorage.setItem(SESSION, JSON.stringify(made));
  return made;
}

function claimsOf(token) {
  try {
    const payload = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(payload), (c) => c.charCodeAt(0))));
  } catch {
    throw Object.assign(new Error('The provider gave something that is no JSON Web Token.'), { fatal: true });
  }
}

/** @returns {{provider: Provider, user: string, token: string, expires: number, refresh?: string}|null} */
function session() {
  try { return JSON.parse(sessionStorage.getItem(SESSION) ?? 'null'); } catch { return null; }
}

const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)).buffer);

/** @param {ArrayBuffer} bytes */
const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
