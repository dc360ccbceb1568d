import { ChatClient } from '../lib/client.js';
import { isRoomId, isUserId } from '../lib/protocol.js';
import './conversation.js';
import './finder.js';
import { h, refuseImages } from './dom.js';
import { Drafts } from './drafts.js';
import { Notices } from './notices.js';
import { endSession, finish, sessionToken, sessionUser } from './provider.js';
import { developmentToken, forgetUser, hashOf, placeOf, storeConversations, storeUser, storedConversations, storedUser } from './session.js';
import './sidebar.js';

const FIRST_ROOM = 'lobby';
const ROOMS_MAX = 200;
const LEFT = {
  removed: 'you were removed by a moderator.', banned: 'you were banned by a moderator.', deleted: 'the room was deleted.', forbidden: 'you may not be there.',
};

async function showSignIn(message = '') {
  // Most visitors are signed in.
  await import('./sign-in.js');
  const signIn = h('chat-sign-in', { message, 'onsign-in': ({ detail: user }) => { storeUser(user); startByName(user); } });
  document.body.replaceChildren(signIn);
}

const startByName = (user) => start(user, (signal) => developmentToken(user, signal));

/** @param {string} user @param {(signal?: AbortSignal) => Promise<{token: string, expires: string}>} tokenOf */
function start(user, tokenOf) {
  // A page's own origin is always reached; a node's address may not be.
  const client = new ChatClient({ user, tickets: false, getToken: ({ signal }) => tokenOf(signal) });
  const sidebar = h('chat-sidebar', {});
  const drafts = new Drafts(user);
  const notices = new Notices(client, user);
  const view = h('chat-conversation', { client, drafts });
  const banner = h('chat-banner', {});
  const finder = h('chat-finder', { client, conversations: () => sidebar.order });
  const nothing = h('main', { class: 'nothing' }, h('p', { class: 'muted' }, 'Pick a conversation, or find one.'),
    h('button', { type: 'button', class: 'small-button', onclick: () => finder.open() }, 'Find a room, a person or a message'));
  const skip = h('a', {
    class: 'skip', href: '#composer', onclick: (event) => { event.preventDefault(); view.focus(); },
  }, 'Skip to the message field');
  const shell = h('div', { class: 'shell' }, skip, banner, sidebar, nothing, view, finder);
  document.body.replaceChildren(shell);
  sidebar.addEventListener('unread', ({ detail }) => view.showUnread(detail));
  sidebar.watch(client, user, notices);
  banner.watch(client);
  view.hidden = true;
  const page = new AbortController();

  const join = (room) => client.join(room).catch((error) => {
    if (error.code !== 'closed') alertUser(`#${room}: ${error.message}`);
  });
  const alertUser = (text) => {
    const toast = h('p', { class: 'toast', role: 'alert' }, text);
    shell.append(toast);
    setTimeout(() => toast.remove(), 6000);
  };
  addEventListener('pagehide', () => drafts.flush(), page);
  view.addEventListener('sent', () => {
    const question = shell.querySelector('.ask') ? null : notices.question();
    if (question) banner.after(question);
  });
  const remember = () => storeConversations(user, [...client.conversations.keys()]);
  client.on('conversation', remember);
  client.on('left', (conversation) => {
    remember();
    const why = LEFT[conversation.leftReason];
    if (why) alertUser(`#${conversation.name}: ${why}`);
    if (location.hash !== hashOf(conversation)) return;
    location.hash = '';
    show();
    // What had the focus is gone.
    const seen = nothing.offsetWidth > 1 ? nothing : sidebar;
    if (document.activeElement === document.body || view.contains(document.activeElement)) seen.querySelector('button:not(.round)').focus();
  });
  // The user's rooms, whichever device joined them: the newest ones, as many as a connection may have.
  client.on('overview', (items) => { for (const { room } of items.slice(0, ROOMS_MAX)) if (room !== undefined) join(room); });
  // Somebody has added the user to a room.
  client.on('member', ({ room, user: who, change }) => { if (who === user && change === 'added') join(room); });
  client.on('fault', (fault) => console.warn('AspireChat:', fault.code, fault.message));

  const show = () => {
    const { kind, name } = placeOf(location.hash);
    const open = isPlace(kind, name);
    if (!open && location.hash.length > 1) alertUser(wrongAddress(location.hash));
    shell.classList.toggle('open', open);
    view.hidden = !open;
    nothing.hidden = open;
    if (!open) return sidebar.select(null);
    if (kind === 'room') join(name);
    const conversation = kind === 'room' ? client.conversations.get(`room:${name}`) : client.direct(name);
    sidebar.select(conversation?.key ?? null);
    if (!conversation) return;
    view.show(conversation);
    view.focus();
  };
  addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => {
    if (effectiveDirective === 'img-src') refuseImages(blockedURI);
  }, page);
  addEventListener('hashchange', show, page);
  sidebar.addEventListener('find', () => finder.open());
  finder.addEventListener('find', ({ detail: { place, seq } }) => {
    go(hashOf(place));
    if (seq === undefined) return;
    // The address is followed a moment later.
    show();
    view.reveal(seq);
  });
  sidebar.addEventListener('trouble', ({ detail }) => alertUser(detail));
  sidebar.addEventListener('open', ({ detail: { kind, name } }) => go(hashOf({ kind, name })));
  view.addEventListener('direct', ({ detail }) => go(hashOf({ kind: 'direct', name: detail })));
  view.addEventListener('trouble', ({ detail }) => alertUser(detail));
  view.addEventListener('leave', ({ detail }) => client.leave(detail.name).catch((error) => {
    alertUser(error.code === 'forbidden' ? `#${detail.name}: its last owner cannot leave. Make somebody else an owner first.` : error.message);
  }));
  const go = (hash) => (location.hash === hash ? show() : (location.hash = hash));

  addEventListener('keydown', (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== 'k') return;
    finder.open();
    event.preventDefault();
  }, page);

  // Alt with an arrow key moves through the conversations.
  addEventListener('keydown', (event) => {
    if (!event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
    const { order } = sidebar;
    const at = order.findIndex((c) => hashOf(c) === location.hash);
    const next = order.at((at + (event.key === 'ArrowDown' ? 1 : -1)) % order.length);
    if (next) go(hashOf(next));
    event.preventDefault();
  }, page);
  document.addEventListener('visibilitychange', () => { if (document.visibilityState === 'visible') client.wake(); }, page);

  const end = (message) => {
    page.abort();
    client.close();
    forgetUser();
    endSession();
    history.replaceState(null, '', location.pathname);
    showSignIn(message);
  };
  sidebar.addEventListener('sign-out', () => { drafts.forget(); end(''); });
  client.connect().catch((error) => { if (client.info.node === '' && !page.signal.aborted) end(error.message); });

  for (const key of storedConversations(user) ?? [`room:${FIRST_ROOM}`]) {
    const [kind, name] = [key.slice(0, key.indexOf(':')), key.slice(key.indexOf(':') + 1)];
    if (!isPlace(kind === 'room' ? 'room' : 'direct', name)) continue;
    if (kind === 'room') join(name);
    else client.direct(name);
  }
  // Wide screens show a conversation beside the list. Narrow ones show the list first.
  if (!location.hash && matchMedia('(min-width: 720px)').matches && sidebar.order[0]) {
    history.replaceState(null, '', hashOf(sidebar.order[0]));
  }
  show();
}

const isPlace = (kind, name) => (kind === 'room' ? isRoomId(name) : kind === 'direct' && isUserId(name));

/** Why an address leads nowhere. @param {string} hash */
function wrongAddress(hash) {
  const { kind, name } = placeOf(hash);
  if (kind === undefined) return 'This address leads to no conversation.';
  return `“${name}” cannot be the name of a ${kind === 'room' ? 'room' : 'user'}: letters, digits and ${kind === 'room' ? '_ . -' : '_ . - @ | : + = ~'} only.`;
}

async function enter() {
  try {
    await finish();
  } catch (error) {
    return showSignIn(error.message);
  }
  const [user, name] = [sessionUser(), storedUser()];
  if (user !== null) start(user, sessionToken);
  else if (name !== null && isUserId(name)) startByName(name);
  else showSignIn();
}

enter();
