/** How is getent(1) asked, which asks whatever nsswitch.conf(5) names? */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { codeOf, inWords } from './errno.ts';
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
  let child: ChildProcess;
  try {
    child = spawn('getent', [database, name], { stdio: ['ignore', 'pipe', 'ignore'] });
  } catch (error) {
    // Only some errors of it are told as an event.
    setImmediate(() => done(notAsked(error, patience)));
    return;
  }
  // Missing where there was no descriptor left for it.
  const stdout: Readable | null | undefined = child.stdout;
  let text = '';
  let isOpen = true;
  const finish = (said: Said): void => {
    if (!isOpen) return;
    isOpen = false;
    clearTimeout(timer);
    done(said);
  };
  const timer = setTimeout(() => {
    child.kill('SIGKILL');
    // What it may have started can hold the pipe.
    stdout?.destroy();
    finish(late(patience));
  }, patience);
  stdout?.setEncoding('utf8');
  stdout?.on('data', (piece: string) => {
    if (text.length < LARGEST) text += piece;
  });
  child.on('error', (error) => finish(notAsked(error, patience)));
  child.on('close', (status, signal) => finish(saidBy(status, signal, text)));
  // A command that has done its work does not wait for an answer that nobody needs any more.
  child.unref();
  timer.unref();
  if (stdout instanceof Socket) stdout.unref();
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
  return code === 'ETIMEDOUT'
    ? late(patience)
    : { failed: `getent cannot be run: ${inWords(error)}`, late: false };
}

function late(patience: number): Said {
  return { failed: `getent gave no answer within ${patience / 1000} s`, late: true };
}
