/** In which order are the lines of several logs shown together? */

export interface Timed {
  /** Milliseconds since 1970; null: unknown. */
  readonly time: number | null;
}

interface Cursor<Line> {
  readonly source: AsyncIterator<readonly Line[], unknown>;
  batch: readonly Line[];
  next: number;
  /** Of the next line, or of the last one before it that has a time. */
  time: number;
}

/**
 * By time. The order inside a log never changes: a line without a time stays behind the one before it, and a log without
 * times is given as a whole. Logs that say the same time are given in the order in which they are named. What is not
 * asked for any more is closed.
 */
export async function* mergedByTime<Line extends Timed>(
  logs: readonly AsyncIterable<readonly Line[]>[],
): AsyncGenerator<readonly Line[], void> {
  const sources = logs.map((log) => log[Symbol.asyncIterator]());
  try {
    const cursors: Cursor<Line>[] = [];
    for (const source of sources) {
      const cursor = { source, batch: [], next: 0, time: Number.NEGATIVE_INFINITY };
      if (await fill(cursor)) cursors.push(cursor);
    }
    while (cursors.length > 0) {
      const [first, bound] = earliest(cursors);
      const cursor = cursors[first];
      if (cursor === undefined) return;
      const from = cursor.next;
      let isThere = advance(cursor);
      while (isThere && cursor.time <= bound) isThere = advance(cursor);
      yield cursor.batch.slice(from, cursor.next);
      if (!isThere && !(await fill(cursor))) cursors.splice(first, 1);
    }
  } finally {
    for (const source of sources) await source.return?.();
  }
}

/** Which cursor is next, and until which time, included, it stays the next one. */
function earliest<Line>(cursors: readonly Cursor<Line>[]): readonly [number, number] {
  let [first, time] = [0, Number.POSITIVE_INFINITY];
  for (const [index, cursor] of cursors.entries()) {
    if (cursor.time < time) [first, time] = [index, cursor.time];
  }
  let bound = Number.POSITIVE_INFINITY;
  for (const [index, cursor] of cursors.entries()) {
    // One that was named before goes first at the same time.
    if (index !== first) bound = Math.min(bound, index < first ? below(cursor.time) : cursor.time);
  }
  return [first, bound];
}

function below(time: number): number {
  return Number.isFinite(time) ? time - 0.001 : time;
}

/** False: the batch is at its end. */
function advance<Line extends Timed>(cursor: Cursor<Line>): boolean {
  cursor.next += 1;
  const line = cursor.batch[cursor.next];
  if (line === undefined) return false;
  cursor.time = line.time ?? cursor.time;
  return true;
}

/** False: there is nothing more. */
async function fill<Line extends Timed>(cursor: Cursor<Line>): Promise<boolean> {
  for (;;) {
    const { done, value } = await cursor.source.next();
    if (done === true) return false;
    const [line] = value;
    if (line === undefined) continue;
    cursor.batch = value;
    cursor.next = 0;
    cursor.time = line.time ?? cursor.time;
    return true;
  }
}
