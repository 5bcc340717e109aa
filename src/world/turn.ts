/** How does somebody who has much to do let everybody else have a turn, and who is this process? */

/** Fulfilled after whatever else waits in this process, input and timers, was looked at once. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

export function afterPause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

/** The user whose rights this process has. */
export function ownUid(): number {
  return process.geteuid?.() ?? 0;
}
