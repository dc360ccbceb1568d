// React's view of a ChatClient. docs/client.md
import { createContext, createElement, useContext, useEffect, useMemo, useState, useSyncExternalStore } from 'react';

/** @import {ChatClient, ChatError, Conversation} from 'aspirechat' */
/** @import {ReactNode} from 'react' */
/** The session as it is now. @typedef {import('./views.js').Chat} Chat */
/** A conversation as it is now. @typedef {import('./views.js').ConversationView} ConversationView */
/** A room, or the direct conversation with a user. @typedef {import('./views.js').Place} Place */
/** Who types in a conversation. @typedef {import('./views.js').Typing} Typing */

/** Presence is asked for again this often. The client takes an answer for 30 s. */
const PRESENCE_EVERY_MS = 20_000;

/** @type {import('react').Context<ChatClient|null>} */
const Context = createContext(/** @type {ChatClient|null} */ (null));

/**
 * Gives a client to the hooks below it, and connects it. It never closes it: whoever made the client does.
 * @param {{client: ChatClient, children?: ReactNode}} props
 */
export function ChatProvider({ client, children }) {
  // What ends the session is in `status.error`.
  useEffect(() => { client.connect().catch(() => {}); }, [client]);
  return createElement(Context.Provider, { value: client }, children);
}

/** The session: its state and its conversations. @returns {Chat} */
export function useChat() {
  const client = useClient();
  return useStore(client, '', (notify) => {
    const watch = (/** @type {Conversation} */ conversation) => conversation.on('change', ({ kind }) => {
      if (kind !== 'typing' && kind !== 'members') notify();
    });
    const offs = [...client.conversations.values()].map(watch);
    for (const name of /** @type {const} */ (['status', 'info', 'left'])) offs.push(client.on(name, notify));
    offs.push(client.on('conversation', (conversation) => { offs.push(watch(conversation)); notify(); }));
    return () => offs.forEach((off) => off());
  }, () => {
    const conversations = [...client.conversations.values()];
    const { status, user } = client;
    return { client, status, user, conversations, unread: conversations.reduce((sum, { unread }) => sum + unread, 0) };
  });
}

/**
 * A room, which is joined, or the direct conversation with a user. To unmount ends no membership, unless `leaveOnUnmount` says so; then the
 * last component that shows the room leaves it.
 * @param {Place & {leaveOnUnmount?: boolean}} place
 * @returns {ConversationView}
 */
export function useConversation({ room, to, leaveOnUnmount = false }) {
  const client = useClient();
  const key = keyOf(room, to);
  const [failed, setFailed] = useState(/** @type {{key: string, error: ChatError}|null} */ (null));
  useEffect(() => {
    let mounted = true;
    setFailed(null);
    if (room === undefined) {
      try { client.direct(/** @type {string} */ (to)); } catch (error) { setFailed({ key, error: /** @type {ChatError} */ (error) }); }
      return;
    }
    const users = usersOf(client);
    users.set(room, (users.get(room) ?? 0) + 1);
    client.join(room).catch((error) => { if (mounted) setFailed({ key, error }); });
    return () => {
      mounted = false;
      const others = (users.get(room) ?? 1) - 1;
      users.set(room, others);
      // A join that follows at once wins, as in React's strict mode.
      if (leaveOnUnmount && others === 0) client.leave(room).catch(() => {});
    };
  }, [client, key, leaveOnUnmount]);
  const view = useStore(client, key, (notify, forget) => watchConversation(client, key, notify, (change) => {
    if (change.kind === 'update') for (const message of change.messages) forget(message);
    return change.kind !== 'typing';
  }), (copyOf, last) => {
    // One that was left stays to be seen, with its `leftReason`.
    const conversation = client.conversations.get(key) ?? last?.conversation ?? null;
    return {
      conversation, messages: conversation?.messages.map(copyOf) ?? [], pending: conversation?.pending.map((each) => ({ ...each })) ?? [],
      unread: conversation?.unread ?? 0, mentions: conversation?.mentions ?? 0, ready: conversation?.ready ?? false,
      atStart: conversation?.atStart ?? false, members: [...(conversation?.members ?? [])], count: conversation?.count ?? 0,
      role: conversation?.role, leftReason: conversation?.leftReason,
    };
  });
  const error = failed?.key === key ? failed.error : null;
  return useMemo(() => ({ ...view, error }), [view, error]);
}

/**
 * Who else is typing in a conversation that `useConversation` shows, and what tells that the user is.
 * @param {Place} place @returns {Typing}
 */
export function useTyping({ room, to }) {
  const client = useClient();
  const key = keyOf(room, to);
  const typingUsers = useStore(client, key, (notify) => watchConversation(client, key, notify, ({ kind }) => kind === 'typing'),
    (_, last) => ifOther(client.conversations.get(key)?.typingUsers ?? [], last));
  return useMemo(() => ({
    typingUsers,
    typing: () => client.conversations.get(key)?.typing(),
    stopTyping: () => client.conversations.get(key)?.stopTyping(),
  }), [client, key, typingUsers]);
}

/**
 * Who of these users is online; undefined: not known yet. Asked again every 20 s while the page is visible.
 * @param {readonly string[]} users @returns {Readonly<Record<string, boolean|undefined>>}
 */
export function usePresence(users) {
  const client = useClient();
  const key = JSON.stringify([...new Set(users)].sort());
  useEffect(() => {
    const names = JSON.parse(key);
    const ask = () => {
      const isVisible = globalThis.document?.visibilityState !== 'hidden';
      if (names.length > 0 && isVisible && client.status.state === 'connected') client.presence.fetch(names).catch(() => {});
    };
    ask();
    const timer = setInterval(ask, PRESENCE_EVERY_MS);
    const off = client.on('status', ask);
    return () => { clearInterval(timer); off(); };
  }, [client, key]);
  return useStore(client, key, (notify) => client.presence.on('change', notify),
    (_, last) => ifOther(Object.fromEntries(JSON.parse(key).map((/** @type {string} */ user) => [user, client.presence.isOnline(user)])), last));
}

function useClient() {
  const client = useContext(Context);
  if (!client) throw new Error('There is no ChatProvider above this component.');
  return client;
}

/** @param {string|undefined} room @param {string|undefined} to */
const keyOf = (room, to) => (room !== undefined ? `room:${room}` : `to:${to}`);

/** The last value if the next one says the same, so that React draws nothing. @template T @param {T} next @param {T|undefined} last @returns {T} */
const ifOther = (next, last) => (last !== undefined && JSON.stringify(next) === JSON.stringify(last) ? last : next);

/** How many components show each room, by client. @type {WeakMap<ChatClient, Map<string, number>>} */
const shown = new WeakMap();
/** @param {ChatClient} client */
function usersOf(client) {
  const users = shown.get(client) ?? new Map();
  shown.set(client, users);
  return users;
}

/**
 * Follows the conversation with this key, and its successor after a leave and a join.
 * @param {ChatClient} client @param {string} key @param {() => void} notify
 * @param {(change: import('aspirechat').Change) => boolean} matters
 */
function watchConversation(client, key, notify, matters) {
  let off = () => {};
  const follow = () => {
    off();
    off = client.conversations.get(key)?.on('change', (change) => { if (matters(change)) notify(); }) ?? (() => {});
    notify();
  };
  const offs = [client.on('conversation', (each) => { if (each.key === key) follow(); }), client.on('left', (each) => { if (each.key === key) notify(); })];
  follow();
  return () => [...offs, off].forEach((each) => each());
}

/**
 * State that lives outside React. Many changes in one turn, such as a replay's, are one.
 * @template T
 * @param {ChatClient} client @param {string} key
 * @param {(notify: () => void, forget: (message: object) => void) => () => void} watch
 * @param {(copyOf: <M extends object>(message: M) => M, last: T|undefined) => T} read
 * @returns {T}
 */
function useStore(client, key, watch, read) {
  const { subscribe, get } = useMemo(() => {
    /** The client changes its messages in place, and React compares objects. @type {WeakMap<object, any>} */
    const copies = new WeakMap();
    const copyOf = (/** @type {any} */ message) => {
      const copy = copies.get(message) ?? { ...message };
      copies.set(message, copy);
      return copy;
    };
    /** @type {T|undefined} */
    let last;
    let current = false;
    const get = () => {
      if (current && last !== undefined) return last;
      current = true;
      return last = read(copyOf, last);
    };
    const subscribe = (/** @type {() => void} */ listener) => {
      let scheduled = false;
      let done = false;
      // Something may have changed since the component was drawn.
      current = false;
      const notify = () => {
        current = false;
        if (scheduled) return;
        scheduled = true;
        queueMicrotask(() => { scheduled = false; if (!done) listener(); });
      };
      const off = watch(notify, (message) => { copies.delete(message); });
      return () => { done = true; off(); };
    };
    return { subscribe, get };
  }, [client, key]);
  return useSyncExternalStore(subscribe, get, get);
}
