import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openDaemonLog } from '../../src/daemon/log.ts';

const LINE = 'a\ttab, \u001b[2J and \u009b2J\r';

test.each([
  ['pretty', 'a\ttab, \\x1b[2J and \\x9b2J'],
  ['json', JSON.stringify(LINE)],
] as const)('in %s, what a service wrote cannot command a terminal', async (format, expected) => {
  const directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
  const file = join(directory, 'daemon.log');
  const log = await openDaemonLog({ level: 'info', file, format }, false);
  log.info({ service: 'web' }, LINE);
  const text = fs.readFileSync(file, 'utf8');
  expect(text).toContain(expected);
  expect(text).not.toContain('\u001b');
});

test.each(['pretty', 'json'] as const)(
  'in %s, lines that a full disk took are told by number',
  async (format) => {
    const directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
    onTestFinished(() => fs.rmSync(directory, { recursive: true }));
    const file = join(directory, 'daemon.log');
    fs.symlinkSync('/dev/full', file);
    let hangup = () => {};
    const log = await openDaemonLog({ level: 'info', file, format }, false, (reopen) => {
      hangup = reopen;
    });
    for (const line of ['first', 'second', 'third']) log.info({}, line);
    fs.rmSync(file);
    hangup();
    log.info({}, 'fourth');
    const lines = fs.readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(lines[0]).toContain('fourth');
    expect(lines[1]).toContain('3 lines of this log could not be written: no space left on device (ENOSPC)');
  },
);
