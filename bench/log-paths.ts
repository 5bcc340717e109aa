/** Which ways can lines go from a writer to a file that is rotated, and what arrives there? */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { type Counted, countLines, logParts } from '../test/e2e/numbered-lines.ts';
import { Ground, open, pause } from './ground.ts';
import { familyOf } from './kernel.ts';
import {
  LINE,
  makeLogWriter,
  type WriterOrder,
  type Written,
  writerCommand,
  writtenOf,
} from './log-writer.ts';
import { now } from './program.ts';

export type Lines = Pick<WriterOrder, 'write' | 'total' | 'looks'>;

export interface PathOptions {
  readonly lines: Lines;
  /** Rotated at this size, bytes. */
  readonly size: number;
}

export interface Arrival {
  readonly written: Written;
  /** MB/s as the writer saw it. */
  readonly speed: number;
  readonly counted: Counted;
  readonly files: number;
  /** Bytes of the largest file. */
  readonly largest: number;
}

/** One way for one run; makes and removes everything itself. */
export type LogPath = (options: PathOptions) => Promise<Arrival>;

/** Nothing that was rotated is removed before it is counted. */
const BACKUPS = 10_000;

/** Longest time that anything is waited for; milliseconds. */
const BOUND = 300_000;

/** A service of processmaster, everything on the disk. */
export const throughService: LogPath = async ({ lines, size }) => {
  const ground = new Ground({ settings: { watch: { enabled: false } } });
  try {
    const work = join(ground.directory, 'work', 'writer');
    fs.mkdirSync(work);
    const program = makeLogWriter(ground.directory);
    const result = join(ground.directory, 'result');
    const order: WriterOrder = { ...lines, result, afterwards: 'stay' };
    const definition = {
      process: {
        command: writerCommand(program, ground.stamps.file, 'writer', order),
        working_directory: work,
      },
      logs: { rotation_mode: 'size', rotation_size: String(size), rotation_backups: BACKUPS },
    };
    // JSON is YAML.
    fs.writeFileSync(join(ground.config, 'writer.yaml'), JSON.stringify(definition));
    await ground.up(1);
    await ground.until('the writer', () => writtenOf(result) !== undefined, 20, BOUND);
    const log = join(work, 'stdout.log');
    const isDone = () =>
      fs.statSync(log).size < size && !fs.readdirSync(work).some((name) => name.startsWith('.pm-'));
    await ground.until('the last rotation', isDone, 20);
    return arrival(result, logParts(work, 'stdout.log'));
  } finally {
    ground.close();
  }
};

/** The same writer appends to a file that nobody rotates. */
export const toPlainFile: LogPath = ({ lines }) =>
  inDirectory(async (place) => {
    const log = join(place.directory, 'plain.log');
    await place.run(place.writer(lines), fs.openSync(log, 'a'));
    return arrival(place.result, [log]);
  });

/** A node program reads a pipe and appends what comes to a file, as managers do whose daemon writes the logs. */
export const throughNode: LogPath = ({ lines }) =>
  inDirectory(async (place) => {
    const log = join(place.directory, 'piped.log');
    const script = `
const { spawn } = require('node:child_process');
const file = require('node:fs').createWriteStream(process.argv[1], { flags: 'a' });
const child = spawn(process.argv[2], process.argv.slice(3), { stdio: ['ignore', 'pipe', 'inherit'] });
child.stdout.on('data', (chunk) => file.write(chunk));
child.on('close', () => file.end());`;
    await place.run([process.execPath, '-e', script, log, ...place.writer(lines)], 'ignore');
    return arrival(place.result, [log]);
  });

export const throughSvlogd: LogPath = ({ lines, size }) =>
  inDirectory(async (place) => {
    const logs = join(place.directory, 'logs');
    fs.mkdirSync(logs);
    fs.writeFileSync(join(logs, 'config'), `s${size}\nn${BACKUPS}\n`);
    await place.run(['sh', '-c', '"$@" | svlogd "$0"', logs, ...place.writer(lines)], 'ignore');
    return arrival(place.result, stampedParts(logs));
  });

export const throughS6Log: LogPath = ({ lines, size }) =>
  inDirectory(async (place) => {
    const logs = join(place.directory, 'logs');
    const script = `"$@" | s6-log n${BACKUPS} s${size} "$0"`;
    await place.run(['sh', '-c', script, logs, ...place.writer(lines)], 'ignore');
    return arrival(place.result, stampedParts(logs));
  });

export const throughSupervisord: LogPath = ({ lines, size }) =>
  inDirectory(async (place) => {
    const { directory } = place;
    const file = join(directory, 'supervisord.conf');
    fs.writeFileSync(
      file,
      `[supervisord]
logfile=${directory}/supervisord.log
pidfile=${directory}/supervisord.pid
childlogdir=${directory}
[program:writer]
command=${place.writer(lines, 'stay').join(' ')}
directory=${directory}
stdout_logfile=${directory}/writer.log
stdout_logfile_maxbytes=${size}
stdout_logfile_backups=1000
`,
    );
    place.begin(['supervisord', '-n', '-c', file], 'ignore');
    await place.until(() => writtenOf(place.result) !== undefined);
    const parts = () => logParts(directory, 'writer.log');
    const bytes = () => parts().reduce((sum, part) => sum + (fs.statSync(part).size ?? 0), 0);
    await still(bytes);
    return arrival(place.result, parts());
  });

/** pm2 of itself never rotates. Its daemon is one of this run only. */
export const throughPm2: LogPath = ({ lines }) =>
  inDirectory(async (place) => {
    const { directory } = place;
    const file = join(directory, 'ecosystem.json');
    const [script, ...args] = place.writer(lines, 'stay');
    const log = join(directory, 'writer.log');
    const app = { name: 'writer', script, args, interpreter: 'none', cwd: directory, out_file: log };
    fs.writeFileSync(file, JSON.stringify({ apps: [{ ...app, merge_logs: true }] }));
    const env = { ...process.env, PM2_HOME: join(directory, 'pm2'), HOME: directory };
    try {
      await place.run(['pm2', 'start', file], 'ignore', env);
      await place.until(() => writtenOf(place.result) !== undefined);
      await still(() => fs.statSync(log).size);
      return arrival(place.result, [log]);
    } finally {
      await place.run(['pm2', 'kill'], 'ignore', env);
    }
  });

class Place {
  readonly directory = fs.mkdtempSync(join(os.tmpdir(), 'pm-bench-'));
  readonly result = join(this.directory, 'result');
  readonly #program = makeLogWriter(this.directory);
  #child: ChildProcess | undefined;

  constructor() {
    open.add(this);
  }

  writer(lines: Lines, afterwards: WriterOrder['afterwards'] = 'exit'): readonly string[] {
    const order = { ...lines, result: this.result, afterwards };
    return writerCommand(this.#program, join(this.directory, 'stamps'), 'writer', order);
  }

  begin([program = '', ...args]: readonly string[], out: number | 'ignore', env = process.env): ChildProcess {
    this.#child = spawn(program, args, { stdio: ['ignore', out, 'inherit'], cwd: this.directory, env });
    if (out !== 'ignore') fs.closeSync(out);
    return this.#child;
  }

  /** Waits for its end. */
  async run(argv: readonly string[], out: number | 'ignore', env = process.env): Promise<void> {
    const child = this.begin(argv, out, env);
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`${argv[0]} ended with ${code}`);
  }

  async until(is: () => boolean): Promise<void> {
    const deadline = now() + BOUND;
    while (!is()) {
      if (now() > deadline) throw new Error(`nothing after ${BOUND} ms in ${this.directory}`);
      await pause(20);
    }
  }

  close(): void {
    const { pid = 0, exitCode = 0, signalCode = null } = this.#child ?? {};
    // Parents first: nobody is left then who would start the writer again.
    if (exitCode === null && signalCode === null) for (const each of familyOf(pid)) kill(each);
    fs.rmSync(this.directory, { recursive: true, force: true });
    open.delete(this);
  }
}

async function inDirectory(measure: (place: Place) => Promise<Arrival>): Promise<Arrival> {
  const place = new Place();
  try {
    return await measure(place);
  } finally {
    place.close();
  }
}

/** Waits until everything that is on its way has arrived: a second without growth. */
async function still(size: () => number): Promise<void> {
  for (let before = -1; size() !== before; ) {
    before = size();
    await pause(1000);
  }
}

/** `@<TAI64N>.s` or `.u`, which sort by time, and `current`. */
function stampedParts(directory: string): readonly string[] {
  const names = fs.readdirSync(directory).filter((name) => name.startsWith('@'));
  return [...names.sort(), 'current'].map((name) => join(directory, name));
}

function arrival(result: string, parts: readonly string[]): Arrival {
  const written = writtenOf(result);
  if (written === undefined) throw new Error('the writer has not told what it wrote');
  const counted = countLines(parts, LINE);
  // What is missing at the end is lost as well.
  const lost = counted.lost + written.lines - (counted.last[0] ?? 0);
  return {
    written,
    speed: written.bytes / 1e3 / written.took,
    counted: { ...counted, lost },
    files: parts.length,
    largest: Math.max(...parts.map((part) => fs.statSync(part).size)),
  };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
