/** Lines of services reach whoever follows them once each: the log of the daemon, and `pmctl logs -f`. */
import fs from 'node:fs';
import { expect, test } from 'vitest';
import { GROUND } from './grounds.ts';
import { openHost } from './host.ts';

/** Long lines, so that the file is rotated every few dozen of them. */
const COUNTING =
  'p=$(printf %0200d 0); i=0; while :; do i=$((i+1)); echo "number $i $p"; echo "odd $i" >&2; sleep 0.01; done';

const ROTATED = { rotation_mode: 'size', rotation_size: '4K', rotation_backups: 500, compress: true };

interface LogLine {
  readonly service?: string;
  readonly stream?: string;
  readonly msg: string;
}

const numbersOf = (text: string, label: string): readonly number[] =>
  text.split('\n').flatMap((line) => {
    if (!line.startsWith('{')) return [];
    const { msg }: LogLine = JSON.parse(line);
    return msg.startsWith(label) ? [Number.parseInt(msg.slice(label.length), 10)] : [];
  });

const rotatedIn = (directory: string) =>
  fs.readdirSync(directory).filter((name) => name.startsWith('stdout.log.'));

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

test('logs.forward: every line in the log of the daemon, once, also those that were written while it was away', async () => {
  const host = openHost({ ground: GROUND, settings: { log: { format: 'json' } } });
  host.service('web', {
    process: { command: COUNTING, working_directory: host.work },
    logs: { forward: true, ...ROTATED },
  });
  host.service('quiet', {
    process: {
      command: 'while :; do echo not for the daemon; sleep 0.05; done',
      working_directory: host.work,
    },
    logs: { stdout: 'quiet.log' },
  });
  let seen = '';
  const numbers = () => numbersOf(seen + host.stderr, '[web] STDOUT: number ');
  const grows = async () => {
    const [lines, files] = [numbers().length, rotatedIn(host.work).length];
    const isMore = () => numbers().length > lines + 100 && rotatedIn(host.work).length > files;
    await host.until('more lines and rotated files', () => (isMore() ? true : undefined), numbers);
  };
  await host.start();
  await grows();
  await host.stop();
  const atStop = numbers().length;
  const size = host.said('stdout.log').length;
  await host.says('stdout.log', (text) => text.length > size + 500);
  // From here on `host` tells what the next daemon says.
  seen = host.stderr;
  await host.start();
  await grows();
  expect(numbers().length).toBeGreaterThan(atStop + 100);
  const errors = numbersOf(seen + host.stderr, '[web] STDERR: odd ');
  expect(numbers()).toEqual(upTo(numbers().length));
  expect(errors).toEqual(upTo(errors.length));
  expect(seen + host.stderr).not.toContain('not for the daemon');
});

test('pmctl logs -f tells every line once, through rotations and while the daemon is away', async () => {
  const host = openHost({ ground: GROUND });
  host.service('web', { process: { command: COUNTING, working_directory: host.work }, logs: ROTATED });
  await host.start();
  await host.pidOf('web');
  const follower = host.background('logs', '-f', 'web', 'stdout.log');
  const told = () =>
    follower.stdout.split('\n').flatMap((line) => {
      const number = /^web stdout \| number (\d+) 0+$/.exec(line)?.[1];
      return number === undefined ? [] : [Number(number)];
    });
  const grows = async (rotated: number) => {
    const [lines, files] = [told().length, rotatedIn(host.work).length];
    const isMore = () => told().length > lines + 100 && rotatedIn(host.work).length >= files + rotated;
    await host.until('more lines and rotated files', () => (isMore() ? true : undefined), told);
  };
  await grows(2);
  await host.crash();
  await grows(0);
  await host.start();
  await grows(2);
  follower.child.kill('SIGINT');
  await follower.over;
  const [first = 0] = told();
  expect(told()).toEqual(told().map((_, index) => first + index));
  expect(follower.stderr).toBe('');
});

test('pmctl logs -f tells every line of a service that comes later, also what is rotated before it is noticed', async () => {
  const host = openHost({ ground: GROUND });
  host.service('quiet', 'echo began; exec sleep 1000');
  await host.start();
  await host.pidOf('quiet');
  const follower = host.background('logs', '-f');
  // What was there at the beginning would be shown with its last lines only.
  await host.until(
    'following to begin',
    () => follower.stdout.includes('| began') || undefined,
    () => follower.story(),
  );
  host.service('web', { process: { command: COUNTING, working_directory: host.work }, logs: ROTATED });
  const told = () =>
    follower.stdout.split('\n').flatMap((line) => {
      const number = /^web stdout +\| number (\d+) 0+$/.exec(line)?.[1];
      return number === undefined ? [] : [Number(number)];
    });
  const isRotated = () => told().length > 100 && rotatedIn(host.work).length > 1;
  await host.until('lines and rotated files', () => (isRotated() ? true : undefined), told);
  follower.child.kill('SIGINT');
  await follower.over;
  expect(told()).toEqual(upTo(told().length));
  expect(follower.stderr).toBe('');
});
