/**
 * Makes a group of buttons one stop of the Tab key, in which the arrow keys move: left and right, Home and End, and in a grid up and down.
 * The group may get other buttons later.
 * @param {HTMLElement} group @param {number} [columns] 1: no grid
 */
export function rove(group, columns = 1) {
  const buttons = () => [...group.querySelectorAll('button')].filter((button) => !button.hidden && !button.disabled);
  const only = (chosen) => { for (const button of buttons()) button.tabIndex = button === chosen ? 0 : -1; };
  const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity, ...(columns > 1 && { ArrowUp: -columns, ArrowDown: columns }) };
  group.addEventListener('focusin', ({ target }) => only(target));
  group.addEventListener('keydown', (event) => {
    const all = buttons();
    const at = all.indexOf(event.target);
    const step = steps[event.key];
    if (at < 0 || step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    const to = at + step;
    // A row that is shorter than the others ends where it ends.
    const next = Math.abs(step) === columns && columns > 1 && !all[to] ? at : Math.max(0, Math.min(all.length - 1, to));
    all[next].focus();
    event.preventDefault();
    event.stopPropagation();
  });
  const reset = () => only(buttons()[0]);
  reset();
  return reset;
}
