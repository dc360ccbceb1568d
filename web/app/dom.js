/**
 * Makes an element. Texts become text nodes, never HTML. The page builds elements in no other way.
 * @param {string} tag
 * @param {Record<string, any>} [properties] `class`, `on…` listeners, `aria-…`/`data-…`/`role`/`for` as attributes, the rest as properties
 * @param {...any} children null, undefined and false are left out
 * @returns {any}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name === 'class') element.className = value;
    else if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (/^(aria-|data-|role$|for$|autocapitalize$|enterkeyhint$)/.test(name)) element.setAttribute(name, String(value));
    else element[name] = value;
  }
  element.append(...children.filter((c) => c !== null && c !== undefined && c !== false));
  return element;
}

const ICONS = {
  back: 'M15 5l-7 7 7 7',
  bell: 'M6 17v-6a6 6 0 0 1 12 0v6l2 2H4zM10 21h4',
  down: 'M12 5v14M5 12l7 7 7-7',
  up: 'M12 19V5M5 12l7-7 7 7',
  people: 'M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20a6.5 6.5 0 0 1 13 0M16 4.3a3.5 3.5 0 0 1 0 6.4M18 14.2a6.5 6.5 0 0 1 3.5 5.8',
  plus: 'M12 5v14M5 12h14',
  reply: 'M10 8L4 13l6 5v-3c5 0 8 1 10 5 0-7-4-9-10-9z',
  send: 'M5 12h13M12 5l7 7-7 7',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l5 5',
  smile: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8 14a4.5 4.5 0 0 0 8 0M9 9.5v.01M15 9.5v.01',
  edit: 'M4 20h4L19 9l-4-4L4 16zM13 7l4 4',
  bin: 'M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13',
  gear: 'M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM12 2v4M12 18v4M2 12h4M18 12h4M5 5l2.8 2.8M16.2 16.2L19 19M5 19l2.8-2.8M16.2 7.8L19 5',
  minus: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8 12h8',
  more: 'M5 12v.01M12 12v.01M19 12v.01',
  exit: 'M10 4H5v16h5M15 8l4 4-4 4M19 12H9',
};
const SVG = 'http://www.w3.org/2000/svg';

export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

/** Pictures that could not be shown, because they are gone or because the page may not load from there. They are asked for once. */
const refused = new Set();

/** The page's policy lets no image of this address' origin in. @param {string} address */
export function refuseImages(address) { if (URL.canParse(address)) refused.add(new URL(address).origin); }

const isRefused = (picture) => refused.has(picture) || !URL.canParse(picture) || refused.has(new URL(picture).origin);

/** A user's picture, or initials on the user's colour. @param {string} user @param {{name?: string, picture?: string}} [profile] */
export function avatar(user, { name = user, picture } = {}) {
  let hash = 0;
  for (const char of user) hash = (hash * 31 + char.charCodeAt(0)) >>> 0;
  const words = name.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const initials = words.length > 1 ? [...words[0]][0] + [...words[1]][0] : [...(words[0] ?? name)].slice(0, 2).join('');
  const element = h('span', { class: `avatar hue-${hash % 8}`, 'aria-hidden': 'true' }, initials.toUpperCase());
  if (picture && !isRefused(picture)) {
    const image = h('img', {
      src: picture, alt: '', loading: 'lazy', decoding: 'async', referrerPolicy: 'no-referrer',
      onerror: () => { refused.add(picture); image.remove(); },
    });
    element.append(image);
  }
  return element;
}

const clockTime = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const fullTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const dayName = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const dayNameWithYear = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric', month: 'long', year: 'numeric' });

const shortDay = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const shortDayWithYear = new Intl.DateTimeFormat(undefined, { dateStyle: 'short' });

export function timeElement(time) {
  const date = new Date(time);
  return h('time', { dateTime: date.toISOString(), title: fullTime.format(date) }, clockTime.format(date));
}

export const dayOf = (time) => new Date(time).toDateString();

export function dayLabel(time) {
  const date = new Date(time);
  const today = new Date();
  if (date.toDateString() === today.toDateString()) return 'Today';
  today.setDate(today.getDate() - 1);
  if (date.toDateString() === today.toDateString()) return 'Yesterday';
  return (date.getFullYear() === today.getFullYear() ? dayName : dayNameWithYear).format(date);
}

/** The time today, else the day. @param {string} time */
export function whenShort(time) {
  const date = new Date(time);
  const today = new Date();
  if (date.toDateString() === today.toDateString()) return clockTime.format(date);
  return (date.getFullYear() === today.getFullYear() ? shortDay : shortDayWithYear).format(date);
}

/** "Today 08:40". @param {string} time */
export const dayAndTime = (time) => `${dayLabel(time)} ${clockTime.format(new Date(time))}`;

export function listNames(names) {
  if (names.length <= 1) return names.join('');
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
