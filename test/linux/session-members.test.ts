/** Is a process found by its marker at every moment of its life, also while it executes another program? */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { blockFor } from '../../src/world/pause.ts';
import { environmentState, isSeenAlive } from '../../src/world/procfs.ts';
import { ProcessTable } from '../../src/world/session-members.ts';

/** Of a process that executes itself without rest, about one look in a hundred falls between two programs. */
const LOOKS = 300;

test('one that executes program after program is never taken for gone', async () => {
  const run = `pmtest-${process.pid}-members`;
  const script = 'exec sh -c "$0" "$0"';
  const child = spawn('sh', ['-c', script, script], {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, PROCESSMASTER_RUN_ID: run },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const pid = child.pid ?? 0;
  let between = 0;
  for (let look = 0; look < LOOKS; look++) {
    if (environmentState(pid) === 'coming') between += 1;
    // Nothing is remembered from look to look: who it belongs to is told by its marker alone.
    const found = membersOf(run);
    expect(found === 'not seen' || found.includes(pid), `look ${look} found ${found}`).toBe(true);
    // Its end would be the reason to find nobody.
    if (look % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(child.exitCode).toBeNull();
  }
  expect(between).toBeGreaterThan(0);
});

test('who has an environment, who has none, and who will never have one', () => {
  expect(environmentState(process.pid)).toBe('some');
  const bare = spawn('sleep', ['1000'], { stdio: 'ignore', env: {} });
  onTestFinished(() => void bare.kill('SIGKILL'));
  // spawn(3) returns when the exec has begun: its end is awaited as above, by looking again.
  let state = environmentState(bare.pid ?? 0);
  for (let look = 0; state === 'coming' && look < LOOKS; look++) state = environmentState(bare.pid ?? 0);
  expect(state).toBe('none');
  // kthreadd; in a container of its own there is none.
  expect(environmentState(2)).toBe('none');
  expect(environmentState(2 ** 30)).toBe('none');
});

describe('one that is in the midst of an exec for longer than is asked without rest', () => {
  /** Until so many readings of its environment are over, the process looks as it does in the midst of an exec. */
  function veil(pid: number, readings: number, over = () => {}): void {
    const readFileSync = fs.readFileSync.bind(fs);
    let left = readings;
    const spy = vi.spyOn(fs, 'readFileSync').mockImplementation(((path: string, options: 'utf8') => {
      if (left > 0 && path === `/proc/${pid}/environ`) {
        left -= 1;
        if (left === 0) over();
        return '';
      }
      const text = readFileSync(path, options);
      if (left === 0 || path !== `/proc/${pid}/stat`) return text;
      // proc_pid_stat(5): startcode is the 26th field, the 24th after the name.
      return text.replace(/(?<=\) (?:\S+ ){23})\d+/, '0');
    }) as typeof fs.readFileSync);
    onTestFinished(() => spy.mockRestore());
  }

  async function carrier(run: string): Promise<number> {
    const env = { ...process.env, PROCESSMASTER_RUN_ID: run };
    const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore', env });
    onTestFinished(() => void child.kill('SIGKILL'));
    const pid = child.pid ?? 0;
    await vi.waitUntil(() => fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('sleep'));
    return pid;
  }

  test('is found all the same', async () => {
    const run = `pmtest-${process.pid}-waiting`;
    const pid = await carrier(run);
    veil(pid, 103);
    expect(membersOf(run)).toEqual([pid]);
  });

  test('is not waited for without end', async () => {
    const run = `pmtest-${process.pid}-endless`;
    veil(await carrier(run), 10_000);
    expect(membersOf(run)).toBe('not seen');
  });

  test('is not taken for gone when it has ended, for it may have left others behind', async () => {
    const run = `pmtest-${process.pid}-ending`;
    const pid = await carrier(run);
    veil(pid, 101, () => {
      process.kill(pid, 'SIGKILL');
      // A signal is on its way for a moment.
      while (isSeenAlive(pid, null)) blockFor(1);
    });
    expect(membersOf(run)).toBe('not seen');
  });
});

function membersOf(run: string): readonly number[] | 'not seen' {
  try {
    return new ProcessTable().members({ run, leader: null }).map(({ pid }) => pid);
  } catch (error) {
    expect(error).toMatchObject({ code: 'EAGAIN' });
    return 'not seen';
  }
}
