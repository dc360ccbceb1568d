import { h } from './dom.js';

const GUESSED_PX = 48;

/** The rows that are elements now, in the order of seq, and the heights of all that have been. */
export class Rows {
  list = h('ol', { class: 'list' });
  /** @type {Map<number, {li: HTMLElement, signature: string}>} */
  #rows = new Map();
  /** @type {Map<number, number>} */
  #heights = new Map();
  #make;
  #replaced;

  /**
   * @param {(messages: readonly any[], index: number, old: any) => {li: HTMLElement, signature: string}} make `old` if it is right
   * @param {(old: HTMLElement, now: HTMLElement) => void} replaced
   */
  constructor(make, replaced) {
    this.#make = make;
    this.#replaced = replaced;
  }

  /** The lowest seq that is an element. @returns {number|undefined} */
  get first() { return this.#rows.keys().next().value; }

  /** @param {number} seq */
  li(seq) { return this.#rows.get(seq)?.li; }

  /** @param {number} seq @returns {number} measured or guessed */
  height(seq) { return this.#heights.get(seq) ?? GUESSED_PX; }

  clear() {
    this.#rows.clear();
    this.#heights.clear();
    this.list.replaceChildren();
  }

  /** Another width breaks lines elsewhere, so no height holds. */
  forgetHeights() { this.#heights.clear(); }

  /** The first row on the screen, and how far below the view's top it begins. @param {HTMLElement} scroller */
  anchor(scroller) {
    const { top } = scroller.getBoundingClientRect();
    for (const li of this.list.children) {
      const box = li.getBoundingClientRect();
      if (box.bottom > top && box.top < top + scroller.clientHeight) return { seq: Number(li.dataset.seq), offset: box.top - top };
    }
    return null;
  }

  /**
   * Makes the rows `start` to `end` the list's elements and keeps those that are right.
   * @param {readonly any[]} messages @param {number} start @param {number} end @param {HTMLElement} focus gets the focus of a row that goes
   */
  place(messages, start, end, focus) {
    const rows = new Map();
    let next = this.list.firstChild;
    for (let i = start; i < end; i++) {
      const { seq } = messages[i];
      const old = this.#rows.get(seq);
      const row = this.#make(messages, i, old);
      rows.set(seq, row);
      if (old && old !== row) {
        if (next === old.li) next = row.li;
        const focused = old.li.contains(document.activeElement);
        old.li.replaceWith(row.li);
        this.#replaced(old.li, row.li);
        if (focused) row.li.focus({ preventScroll: true });
      }
      if (row.li === next) next = next.nextSibling;
      else this.list.insertBefore(row.li, next);
    }
    for (const [seq, { li }] of this.#rows) {
      if (rows.has(seq)) continue;
      // Without the focus the next key would do nothing.
      if (li.contains(document.activeElement)) focus.focus({ preventScroll: true });
      li.remove();
    }
    this.#rows = rows;
  }

  /** @param {readonly any[]} messages @param {number} start @param {number} end @returns {number} the height of these rows */
  measure(messages, start, end) {
    let measured = 0;
    for (let i = start; i < end; i++) {
      const { seq } = messages[i];
      const { height } = this.#rows.get(seq).li.getBoundingClientRect();
      this.#heights.set(seq, height);
      measured += height;
    }
    return measured;
  }
}
