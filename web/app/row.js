import { dayLabel, dayOf, h, timeElement } from './dom.js';
import { face, looksOfPeople, nameOf, namesOf } from './people.js';
import { looksOfQuote, quote } from './quote.js';
import { looksOf, reactionList } from './reactions.js';
import { format, isEmojiOnly } from './text.js';

const GROUP_WITHIN_MS = 5 * 60_000;
const SEEN_NAMED = 3;
const STATES = {
  sending: ['○', 'Sending'], accepted: ['✓', 'Accepted'], durable: ['✓✓', 'Stored'], failed: ['!', 'Not sent'], waiting: ['○', 'The change waits to be sent'],
};

/**
 * A message's row.
 * @param {{client: any, conversation: any, message: any, previous: any, next: any, isNew: boolean, isFound: boolean, readers: string[], waiting: {content?: string}|undefined,
 *   react: (emoji: string) => void, reveal: (seq: number) => void, old?: {li: HTMLElement, signature: string}}} row `waiting`: a change that is on its way
 * @returns {{li: HTMLElement, signature: string}} `old` if it is right
 */
export function messageRow({ client, conversation, message, previous, next, isNew, isFound, readers, waiting, react, reveal, old }) {
  const { seq, own, from, deleted, content, edited, reactions, timestamp, state, replyTo } = message;
  const newDay = !previous || dayOf(previous.timestamp) !== dayOf(timestamp);
  const grouped = !newDay && !isNew && follows(previous, message);
  // A group shows its time once, with its last message. A state that will still change always shows.
  const silent = Boolean(next) && follows(message, next) && state !== 'accepted' && !edited && !waiting;
  const text = waiting?.content ?? content;
  const signature = JSON.stringify([
    newDay, isNew, isFound, grouped, silent, edited, deleted, waiting && text, looksOf(reactions, client.user), state, readers.length,
    readers.slice(0, SEEN_NAMED), looksOfPeople(client, own ? readers.slice(0, SEEN_NAMED) : [from]), looksOfQuote(client, conversation, replyTo),
    looksOfPeople(client, message.mentions)]);
  if (old?.signature === signature) return old;
  const li = h('li', { class: `message${own ? ' own' : ''}${grouped ? ' grouped' : ''}${isFound ? ' found' : ''}`, 'data-seq': seq, tabIndex: -1 },
    newDay && h('div', { class: 'line' }, dayLabel(timestamp)),
    isNew && h('div', { class: 'line new' }, 'New messages'),
    h('div', { class: 'content' },
      own ? null : grouped ? h('span', { class: 'avatar-space' }) : face(client, from),
      h('div', { class: 'body' },
        h('span', { class: grouped || own ? 'sr-only' : 'author', title: own ? undefined : from }, own ? 'You: ' : nameOf(client, from)),
        !deleted && quote(client, conversation, replyTo, reveal),
        bubble(text, deleted, message.mentions, client),
        reactionList(reactions, client, react),
        h('span', { class: 'meta', hidden: silent }, timeElement(timestamp), edited && !deleted && ' edited',
          waiting ? mark(...STATES.waiting, 'waiting')
            : readers.length > 0 ? mark('✓✓', `Seen by ${namesOf(client, readers, SEEN_NAMED)}`, 'read')
            : state && mark(...STATES[state], state)))));
  return { li, signature };
}

/** A message on its way as its neighbours see it. @param {number} created @param {string} user */
export const asMessage = (created, user) => ({ own: true, from: user, timestamp: new Date(created).toISOString() });

/**
 * The row of a message that is not in the log yet. It is as high as it will be then.
 * @param {any} client @param {any} conversation
 * @param {{nonce: string, content: string, created: number, state: string, details?: {replyTo?: number, mentions?: string[]}, error?: Error}} pending
 * @param {any} previous the message above @param {{again: () => void, remove: () => void, reveal: (seq: number) => void}} actions
 */
export function pendingRow(client, conversation, { content, created, state, details, error }, previous, { again, remove, reveal }) {
  const grouped = previous && follows(previous, asMessage(created, client.user));
  const action = (label, onclick) => h('button', { type: 'button', class: 'link', onclick }, label);
  return h('li', { class: `message own pending ${state}${grouped ? ' grouped' : ''}` }, h('div', { class: 'content' }, h('div', { class: 'body' },
    h('span', { class: 'sr-only' }, 'You: '),
    quote(client, conversation, details?.replyTo, reveal),
    bubble(content, false, details?.mentions, client),
    h('span', { class: 'meta' }, timeElement(created), mark(...STATES[state], state), ...(state !== 'failed' ? [] : [
      ` Not sent: ${error?.message ?? ''} `, action('Try again', again), action('Remove', remove)])))));
}

/** What stands above the first message. @param {''|'loading'|'failed'} state @param {any} conversation @param {any} client @returns {string} */
export function edgeText(state, { atStart, messages, kind, name }, client) {
  const what = kind === 'room' ? `#${name}` : `your conversation with ${nameOf(client, name)}`;
  return state === 'loading' ? 'Loading older messages…'
    : state === 'failed' ? 'Older messages could not be loaded. Try again'
    : !atStart ? '' : messages.length > 0 ? `This is the start of ${what}.` : `Nothing here yet. Say hello in ${what}.`;
}

function bubble(content, deleted, mentions, client) {
  if (deleted) return h('div', { class: 'bubble deleted' }, 'This message was deleted.');
  return h('div', { class: `bubble${isEmojiOnly(content) ? ' jumbo' : ''}` }, ...format(content, mentions, (user) => nameOf(client, user)));
}

/** A sign for the eye, with its meaning in words for the pointer and for screen readers. */
function mark(sign, label, kind) {
  return h('span', { class: `state ${kind}`, title: label },
    h('span', { 'aria-hidden': 'true' }, sign), h('span', { class: 'sr-only' }, label));
}

const follows = (one, next) => one.from === next.from && dayOf(one.timestamp) === dayOf(next.timestamp)
  && Date.parse(next.timestamp) - Date.parse(one.timestamp) < GROUP_WITHIN_MS;
