/** How does the whole thread wait a moment, where nothing else may be done meanwhile? */

const cell = new Int32Array(new SharedArrayBuffer(4));

/** @param milliseconds also parts of one; nobody hears of anything until then, so only very few of them */
export function blockFor(milliseconds: number): void {
  Atomics.wait(cell, 0, 0, milliseconds);
}
