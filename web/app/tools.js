import { h, icon } from './dom.js';
import { rove } from './keys.js';

const QUICK = ['👍', '❤️', '😂'];
/** What they cover of their own message. */
const OVERLAP_PX = 12;
const INSIDE_PX = 4;

/** A message's actions, shown beside it. */
export class MessageTools {
  element = h('div', { class: 'tools', role: 'toolbar', 'aria-label': 'Message actions' });
  #reset = rove(this.element);
  #do;

  /**
   * @param {{react: (seq: number, emoji: string) => void, pick: (message: any) => void, reply: (message: any) => void,
   *   edit: (message: any) => void, remove: (seq: number) => void}} actions
   */
  constructor(actions) { this.#do = actions; }

  /**
   * Shows them at a message's row; without a message, or for a deleted one, hides them.
   * @param {HTMLElement|null} li @param {any} message @param {(message: any) => boolean} mayDelete
   */
  offer(li, message, mayDelete) {
    if (!li || !message || message.deleted) return this.hide();
    if (li.contains(this.element)) return;
    const { seq, own } = message;
    const tool = (label, content, onclick) => (
      h('button', { type: 'button', class: 'plain', title: label, 'aria-label': label, onclick }, content));
    this.element.replaceChildren(
      ...QUICK.map((emoji) => tool(`React with ${emoji}`, emoji, () => this.#do.react(seq, emoji))),
      tool('React with another emoji', icon('smile'), () => this.#do.pick(message)),
      tool('Reply (R)', icon('reply'), () => this.#do.reply(message)),
      ...(own ? [tool('Edit (E)', icon('edit'), () => this.#do.edit(message))] : []),
      ...(mayDelete(message) ? [tool('Delete (Del)', icon('bin'), () => this.#do.remove(seq))] : []));
    this.#reset();
    li.append(this.element);
    this.place();
  }

  hide() { this.element.remove(); }

  /** They stay below the top of the view, however far up the row reaches. */
  place() {
    const li = this.element.parentElement;
    const scroller = li?.closest('.scroller');
    if (!scroller) return;
    const hidden = scroller.getBoundingClientRect().top - li.getBoundingClientRect().top;
    this.element.style.top = `${Math.max(OVERLAP_PX - this.element.offsetHeight, hidden + INSIDE_PX)}px`;
  }
}
