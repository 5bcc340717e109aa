import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { pmctl } from '../../src/cli/pmctl.ts';
import { fakeTerminal, NOW } from './fake-terminal.ts';

/** `pmctl run` where the daemon that it starts says this and ends. */
async function runWithout(said: string): Promise<{ exit: number; err: string; seconds: number }> {
  const directory = mkdtempSync(join(tmpdir(), 'pmctl-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const program = join(directory, 'daemon.cjs');
  writeFileSync(program, `process.stderr.write(${JSON.stringify(said)}); process.exitCode = 1;\n`);
  const config = join(directory, 'config.yaml');
  writeFileSync(config, 'state_directory: ./state\nconfig_directory: ./config.d\nsock_path: ./sock\n');
  const twin = fakeTerminal({ directory });
  const terminal = {
    ...twin,
    daemonProgram: [process.execPath, program],
    // The daemon is a real process: it gets a little real time for each moment that the twin lets pass.
    sleep: async (milliseconds: number) => {
      await after(5);
      await twin.sleep(milliseconds);
    },
  };
  const exit = await pmctl(['-c', config, 'run', '--', 'sleep', '1'], terminal);
  return { exit, err: twin.err(), seconds: (twin.now() - NOW) / 1000 };
}

test('a daemon that ends while it is waited for is waited for no longer, and its last words are shown', async () => {
  const { exit, err, seconds } = await runWithout('processmaster: something is in the way\n');
  expect(exit).not.toBe(0);
  expect(err).toContain('something is in the way');
  // As long as node needs to start, on a host that has much else to do.
  expect(seconds).toBeLessThan(30);
});

test('where another daemon was quicker, that one gets ten seconds to answer, and is named', async () => {
  const { exit, err, seconds } = await runWithout('processmaster: a daemon already holds /state: 12 node\n');
  expect(exit).not.toBe(0);
  expect(err).toContain('a daemon already holds /state: 12 node');
  expect(seconds).toBeGreaterThanOrEqual(10);
  expect(seconds).toBeLessThan(40);
});
