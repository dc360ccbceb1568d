import { h } from './dom.js';

/**
 * Asks in a dialog. Escape and Cancel mean no. The focus goes back to where it was.
 * @param {{title: string, text?: string, fields?: any[], confirm: string}} question `fields`: see `field`
 * @returns {Promise<Record<string, any>|null>} what the fields say, by name; null: no
 */
export function ask({ title, text, fields = [], confirm }) {
  const form = h('form', { method: 'dialog' }, h('h2', { id: 'asked' }, title), text && h('p', {}, text), ...fields,
    h('div', { class: 'buttons' },
      h('button', { type: 'button', class: 'small-button', onclick: () => dialog.close() }, 'Cancel'),
      h('button', { value: 'yes', class: 'primary' }, confirm)));
  const dialog = h('dialog', { class: 'asked', 'aria-labelledby': 'asked' }, form);
  return closed(dialog, () => (dialog.returnValue === 'yes' ? Object.fromEntries(new FormData(form)) : null));
}

/**
 * Offers some things to do.
 * @param {string} title @param {{value: string, label: string}[]} choices
 * @returns {Promise<string|null>} the value of the chosen one; null: none
 */
export function choose(title, choices) {
  const dialog = h('dialog', { class: 'asked', 'aria-labelledby': 'asked', onclick: ({ target }) => { if (target === dialog) dialog.close(); } },
    h('form', { method: 'dialog' }, h('h2', { id: 'asked' }, title),
      h('div', { class: 'choices' }, ...choices.map(({ value, label }) => h('button', { value, class: 'plain' }, label)))));
  return closed(dialog, () => dialog.returnValue || null);
}

/** A field of a question. @param {string} label @param {any} input with a name @param {string} [hint] */
export function field(label, input, hint) {
  input.id = `asked-${input.name}`;
  if (hint) input.setAttribute('aria-describedby', `${input.id}-hint`);
  return h('div', { class: 'field' }, h('label', { for: input.id }, label), input, hint && h('span', { id: `${input.id}-hint`, class: 'muted small' }, hint));
}

/** A field with a fixed choice. @param {string} name @param {Record<string, string>} options labels by value @param {string} chosen */
export const select = (name, options, chosen) => h('select', { name },
  ...Object.entries(options).map(([value, label]) => h('option', { value, selected: value === chosen }, label)));

function closed(dialog, answer) {
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => { dialog.remove(); resolve(answer()); });
    document.body.append(dialog);
    dialog.showModal();
  });
}
