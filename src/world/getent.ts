/** How is getent(1) asked, which asks whatever nsswitch.conf(5) names? */
import { spawnSync } from 'node:child_process';
import { codeOf, inWords } from './errno.ts';
import { type GroupAnswer, runInGroup } from './group-command.ts';
import type { Database, Getent, Said } from './name-service.ts';

/** By getent(1): one or more keys could not be found. Nothing else says that there is no such entry. */
const NOT_FOUND = 2;

/** An entry is a line; that of a group with tens of thousands of members is a megabyte. Bytes. */
const LARGEST = 4 << 20;

export const getent: Getent = {
  now: (database, name, patience) => {
    const { status, signal, stdout, error } = spawnSync('getent', [database, name], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: patience,
      killSignal: 'SIGKILL',
      maxBuffer: LARGEST,
    });
    return error === undefined ? saidBy(status, signal, stdout) : notAsked(error, patience);
  },
  soon: askSoon,
};

function askSoon(database: Database, name: string, patience: number, done: (said: Said) => void): void {
  // A command that has done its work does not wait for an answer that nobody needs any more.
  const options = { timeout: patience, most: LARGEST, background: true };
  void runInGroup({ argv: ['getent', database, name], ...options }).then((answer) =>
    done(saidSoon(answer, patience)),
  );
}

function saidSoon({ code, signal, stdout, failed }: GroupAnswer, patience: number): Said {
  if (failed === undefined) return saidBy(signal === null ? code : null, signal, stdout.toString('utf8'));
  if (failed === 'missing') return '';
  return failed === 'too_slow' ? late(patience) : cannotBeRun(failed);
}

function saidBy(status: number | null, signal: string | null, text: string): Said {
  if (status === 0) return text;
  if (status === NOT_FOUND) return '';
  const how = signal === null ? `exited with ${status}` : `was ended by ${signal}`;
  return { failed: `getent ${how}`, late: false };
}

function notAsked(error: unknown, patience: number): Said {
  const code = codeOf(error);
  // Without the program, as in the smallest images of containers, the two files are all that there is.
  if (code === 'ENOENT') return '';
  return code === 'ETIMEDOUT' ? late(patience) : cannotBeRun(inWords(error));
}

function cannotBeRun(why: string): Said {
  return { failed: `getent cannot be run: ${why}`, late: false };
}

function late(patience: number): Said {
  return { failed: `getent gave no answer within ${patience / 1000} s`, late: true };
}
