import { avatar, h, listNames } from './dom.js';

/** Others are counted where many are named. */
const NAMED = 20;

/** How a user is shown: the name of the profile, or the id. @param {any} client @param {string} user @returns {string} */
export const nameOf = (client, user) => client.profiles.get(user)?.name ?? user;

/** The user's picture, or initials. @param {any} client @param {string} user */
export const face = (client, user) => avatar(user, client.profiles.get(user));

/** A user's name, and the id where the name is not it. @param {any} client @param {string} user */
export function who(client, user) {
  const name = nameOf(client, user);
  return h('span', { class: 'who' }, h('span', { class: 'name' }, name), name !== user && h('span', { class: 'id muted small' }, user));
}

/** "Alice, Bob and 3 others". @param {any} client @param {string[]} users */
export function namesOf(client, users, most = NAMED) {
  const named = users.slice(0, most).map((user) => nameOf(client, user));
  const others = users.length - named.length;
  return others > 0 ? `${named.join(', ')} and ${others} ${others > 1 ? 'others' : 'other'}` : listNames(named);
}

/** The same for what shows these users: as long as it is, so is what is shown. @param {any} client @param {string[]} users */
export const looksOfPeople = (client, users) => users.map((user) => Object.values(client.profiles.get(user) ?? {}));
