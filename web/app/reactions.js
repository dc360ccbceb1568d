import { h } from './dom.js';
import { namesOf } from './people.js';

/** Others are counted. A message may have thousands of reactions by thousands of people, and each row is compared at every drawing. */
const SHOWN = 20;
const NAMED = 20;

/** All of a message's reactions that its row shows: as long as this is the same, so is the row. */
export const looksOf = (reactions, me) => [reactions.length,
  ...reactions.slice(0, SHOWN).map(({ emoji, count, users }) => [emoji, count, users.includes(me), ...users.slice(0, NAMED)])];

/** @param {(emoji: string) => void} react gives a reaction, or takes the own one back @returns {Node|false} */
export function reactionList(reactions, client, react) {
  if (reactions.length === 0) return false;
  const more = reactions.length - SHOWN;
  return h('ul', { class: 'reactions', 'aria-label': 'Reactions' },
    ...reactions.slice(0, SHOWN).map((reaction) => item(reaction, client, react)), more > 0 && h('li', { class: 'muted small' }, `and ${more} more`));
}

function item({ emoji, count, users }, client, react) {
  const who = namesOf(client, users, NAMED);
  return h('li', {}, h('button', {
    type: 'button', class: 'reaction', title: who, 'aria-label': `${emoji} ${count}: ${who}`,
    'aria-pressed': users.includes(client.user), onclick: () => react(emoji),
  }, `${emoji} ${count}`));
}
