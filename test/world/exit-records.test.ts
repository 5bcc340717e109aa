import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { RunId } from '../../src/model/names.ts';
import type { Outcome } from '../../src/model/observed.ts';
import { ExitRecords } from '../../src/world/exit-records.ts';

const RUN = 'abc-1' as RunId;
const TWO: Outcome = { kind: 'exited', code: 2 };
const KILLED: Outcome = { kind: 'signaled', signal: 'SIGKILL', oom: false };

/** @param text of the record; null: there is none */
function judged(text: string | null, isRecorded: boolean, seen: Outcome): Outcome {
  const directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
  if (text !== null) fs.writeFileSync(join(directory, RUN), text);
  return new ExitRecords(directory).outcome(RUN, isRecorded, seen);
}

it.each([
  ['what is recorded counts more than how the shell ended', 'Quit\nsignaled 3\n', 'SIGQUIT'],
  ['also where the shell has said nothing', 'exited 7\n', 7],
])('%s', (_, text, ended) => {
  const expected =
    typeof ended === 'number'
      ? { kind: 'exited', code: ended }
      : { kind: 'signaled', signal: ended, oom: false };
  expect(judged(text, true, TWO)).toEqual(expected);
});

it('a shell that only complained was not able to start the program', () => {
  expect(judged('/bin/sh: 4: Cannot fork\n', true, TWO)).toMatchObject({
    kind: 'not_started',
    problem: { code: 'start-failed', message: 'the launch was refused: /bin/sh: 4: Cannot fork' },
  });
});

it.each([
  ['nothing was written, as on a full disk', '', true, TWO],
  ['there is no record, for it could not be made', null, true, TWO],
  ['none was asked for', 'exited 7\n', false, TWO],
  ['the shell was killed after it had said something', 'Terminated\n', true, KILLED],
])('the end that was seen counts where %s', (_, text, isRecorded, seen) => {
  expect(judged(text, isRecorded, seen)).toEqual(seen);
});
