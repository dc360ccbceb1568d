import { avatar, listNames } from './dom.js';

/** Others are counted where many are named. */
const NAMED = 20;

/** How a user is shown: the name of the profile, or the id. @param {any} client @param {string} user @returns {string} */
export const nameOf = (client, user) => client.profiles.get(user)?.name ?? user;

/** The user's picture, or initials. @param {any} client @param {string} user */
export const face = (client, user) => avatar(user, client.profiles.get(user));

/** "Alice, Bob and 3 others". @param {any} client @param {string[]} users */
export function namesOf(client, users, most = NAMED) {
  const named = users.slice(0, most).map((user) => nameOf(client, user));
  const others = users.length - named.length;
  return others > 0 ? `${named.join(', ')} and ${others} ${others > 1 ? 'others' : 'other'}` : listNames(named);
}

/** The same for what shows these users: as long as it is, so is what is shown. @param {any} client @param {string[]} users */
export const looksOfPeople = (client, users) => users.map((user) => Object.values(client.profiles.get(user) ?? {}));
