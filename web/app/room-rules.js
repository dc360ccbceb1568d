import { isRoomId, isUserId } from '../lib/protocol.js';
import { ask, choose, field, select } from './ask.js';
import { h } from './dom.js';
import { nameOf } from './people.js';

const SUGGEST_AFTER_MS = 200;
const SUGGESTED_MOST = 8;
const HOUR_MS = 3_600_000;
const RANKS = { owner: 2, moderator: 1 };
const VISIBILITIES = { public: 'Everybody may find and join it', private: 'Members only' };
const SENDERS = { members: 'Every member', moderators: 'Owners and moderators' };

/** Ids are not words. */
const AS_TYPED = { autocapitalize: 'none', autocomplete: 'off', spellcheck: false };

const rank = (role) => RANKS[role] ?? 0;

/** Whether a role runs a room. @param {string|undefined} role */
export const isModerator = (role) => rank(role) > 0;

/** Whether the user may not write there, and why. @param {any} conversation @returns {string} empty: they may */
export function whyReadOnly({ kind, sending, role }) {
  return kind === 'room' && sending === 'moderators' && !isModerator(role) ? 'Only moderators write here.' : '';
}

/**
 * Asks for a new room and makes it.
 * @param {any} client @param {string} id the room's, as far as the user has typed it @returns {Promise<string|null>} its id; null: none
 */
export async function createRoom(client, id) {
  const values = await ask({ title: 'New room', confirm: 'Create', fields: [
    ...describing({}),
    field('Id', h('input', { name: 'room', value: id, maxLength: 64, ...AS_TYPED, oninput: check(isRoomId, 'Letters, digits and _ . - only.') }),
      'Part of its address. Without one the server makes it.'),
    field('Who may read', select('visibility', VISIBILITIES, 'public')),
    field('Who may write', select('sending', SENDERS, 'members')),
    field('People', h('input', { name: 'members', ...AS_TYPED }), 'User names, separated by spaces.'),
  ] });
  if (!values) return null;
  const { room, name, topic, visibility, sending, members } = values;
  const made = await client.rooms.create({
    ...(room && { room }), ...(name && { name }), ...(topic && { topic }), visibility, sending, members: words(members),
  });
  return made.room;
}

/** Asks how a room shall be, and changes it. @param {any} client @param {any} conversation */
export async function changeRoom(client, { name: room }) {
  const now = await client.rooms.get(room);
  const values = await ask({ title: `#${room}`, confirm: 'Save', fields: [
    ...describing(now),
    field('Who may read', select('visibility', VISIBILITIES, now.visibility)),
    field('Who may write', select('sending', SENDERS, now.sending)),
  ] });
  if (!values) return;
  const changed = Object.fromEntries(Object.entries(values).filter(([key, value]) => value !== (now[key] ?? '')));
  if (Object.keys(changed).length > 0) await client.rooms.update(room, changed);
}

/** Asks whom to add to a room, and adds them. @param {any} client @param {any} conversation */
export async function addPeople(client, { name: room }) {
  const found = h('datalist', { id: 'suggested' });
  let timer;
  const input = h('input', {
    name: 'users', required: true, ...AS_TYPED,
    oninput: () => { clearTimeout(timer); timer = setTimeout(() => suggest(client, input.value, found), SUGGEST_AFTER_MS); },
  });
  input.setAttribute('list', 'suggested');
  const values = await ask({ title: `Add people to #${room}`, confirm: 'Add', fields: [
    field('Users', input, 'User names, separated by spaces.'), found,
  ] });
  clearTimeout(timer);
  for (const user of words(values?.users ?? '')) await client.rooms.addMember(room, user);
}

/**
 * What somebody who runs a room may do about a member, and what it is called. Nobody acts on somebody of the same or a higher role.
 * @param {string|undefined} own role @param {string|undefined} other role @returns {{value: string, label: string}[]} none: nothing
 */
export function powersOver(own, other) {
  if (!isModerator(own) || rank(own) <= rank(other)) return [];
  const roles = rank(own) < RANKS.owner ? [] : [
    { value: 'owner', label: 'Make an owner' },
    other === 'moderator' ? { value: 'member', label: 'Make a plain member' } : { value: 'moderator', label: 'Make a moderator' },
  ];
  return [...roles,
    { value: 'hour', label: 'Mute for an hour' }, { value: 'mute', label: 'Mute' }, { value: 'unmute', label: 'Unmute' },
    { value: 'remove', label: 'Remove from the room' }, { value: 'ban', label: 'Ban' }];
}

/**
 * Offers what may be done about a member, and does it.
 * @param {any} client @param {any} conversation @param {string} user @param {{value: string, label: string}[]} powers of the user over them
 */
export async function manage(client, { name: room }, user, powers) {
  const { rooms } = client;
  const power = await choose(nameOf(client, user), powers);
  if (power === null) return;
  if (power === 'hour') await rooms.mute(room, user, { until: new Date(Date.now() + HOUR_MS) });
  else if (power === 'mute') await rooms.mute(room, user);
  else if (power === 'unmute') await rooms.unmute(room, user);
  else if (power === 'remove') await rooms.removeMember(room, user);
  else if (power === 'ban') await ban(client, room, user);
  else await rooms.setRole(room, user, /** @type {any} */ (power));
}

async function ban(client, room, user) {
  const values = await ask({
    title: `Ban ${nameOf(client, user)}?`, text: `They leave #${room} at once and cannot come back until somebody ends the ban.`, confirm: 'Ban',
    fields: [field('Why', h('input', { name: 'reason', maxLength: 200, autocomplete: 'off' }), 'Moderators see it.')],
  });
  if (values) await client.rooms.ban(room, user, { ...(values.reason && { reason: values.reason }) });
}

const describing = ({ name = '', topic = '' }) => [
  field('Name', h('input', { name: 'name', value: name, maxLength: 100, autocomplete: 'off' })),
  field('Topic', h('input', { name: 'topic', value: topic, maxLength: 200, autocomplete: 'off' })),
];

/** @param {(text: string) => boolean} isRight @param {string} hint */
const check = (isRight, hint) => ({ target }) => target.setCustomValidity(target.value === '' || isRight(target.value) ? '' : hint);

/** @param {string} text @returns {string[]} */
const words = (text) => text.split(/[\s,]+/).filter(isUserId);

async function suggest(client, query, list) {
  try {
    const { items } = await client.users(query.trim(), { limit: SUGGESTED_MOST });
    list.replaceChildren(...items.map(({ user, name }) => h('option', { value: user }, name ?? user)));
  } catch { /* It can be typed. */ }
}
