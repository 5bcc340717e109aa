/** Which secrets might get into words that are logged and shown? */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openDaemonLog } from '../../src/daemon/log.ts';
import { GitCheckout } from '../../src/world/git-checkout.ts';
import { withoutCredentials } from '../../src/world/git-words.ts';
import { git as gitIn } from '../git.ts';
import { isRoot, temporaryDirectory } from '../linux/ground.ts';

function checkoutAt(directory: string): GitCheckout {
  const git = (...args: readonly string[]) => gitIn(directory, ...args);
  git('init', '--quiet', '--initial-branch=main');
  git('commit', '--quiet', '--allow-empty', '-m', 'one');
  git('remote', 'add', 'origin', 'http://deploy:hunter2@127.0.0.1:9/team/config.git');
  git('config', 'branch.main.remote', 'origin');
  git('config', 'branch.main.merge', 'refs/heads/main');
  const checkout = GitCheckout.around(directory);
  if (checkout === undefined) throw new Error('no checkout');
  return checkout;
}

const MAIN = { remote: 'origin', ref: 'refs/heads/main' };

function ground(): string {
  const directory = fs.realpathSync(temporaryDirectory());
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
  return directory;
}

test('a password in the address of a remote is not told when it cannot be reached', async () => {
  const { code, stderr } = await checkoutAt(ground()).fetch(MAIN);
  expect(code).not.toBe(0);
  expect(stderr).toContain('127.0.0.1');
  expect(stderr).not.toContain('hunter2');
});

test('a remote that says very much does not hold the daemon up', () => {
  const began = performance.now();
  withoutCredentials('a.'.repeat(2048));
  withoutCredentials(`https://${'@'.repeat(4096)}`);
  expect(performance.now() - began).toBeLessThan(1000);
});

test.each([
  [
    "fatal: unable to access 'https://me:pa@ss@host.org/a.git/': no",
    "fatal: unable to access 'https://***@host.org/a.git/': no",
  ],
  ['https://token@host/a and ssh://git@host/b', 'https://***@host/a and ssh://***@host/b'],
  ['https://host/a@b, mail me@host', 'https://host/a@b, mail me@host'],
])('%s', (text, expected) => {
  expect(withoutCredentials(text)).toBe(expected);
});

describe.skipIf(!isRoot)('the checkout of somebody else', () => {
  test('runs nothing as root that its owner has configured', async () => {
    const directory = ground();
    const checkout = checkoutAt(directory);
    const spy = join(directory, 'spy');
    fs.writeFileSync(spy, `#!/bin/sh\ntouch ${directory}/ran\nexit 1\n`, { mode: 0o755 });
    const config = join(directory, '.git/config');
    fs.appendFileSync(config, `[core]\n\tsshCommand = ${spy}\n\tfsmonitor = ${spy}\n\tpager = ${spy}\n`);
    fs.appendFileSync(config, `[remote "origin"]\n\turl = ssh://nowhere.invalid/x\n\tuploadpack = ${spy}\n`);
    fs.appendFileSync(config, `[diff]\n\texternal = ${spy}\n[credential]\n\thelper = ${spy}\n`);
    execFileSync('chown', ['-R', '54321:54321', directory]);
    const { code, stderr } = await checkout.fetch(MAIN);
    expect([code === 0, stderr]).toEqual([false, expect.stringContaining('dubious ownership')]);
    expect(await checkout.changedByHand()).toBeUndefined();
    expect(await checkout.commit('HEAD')).toBeUndefined();
    expect(fs.existsSync(join(directory, 'ran'))).toBe(false);
  });
});

test.each(['json', 'pretty'] as const)(
  'the log of the daemon, in %s, is not for everybody',
  async (format) => {
    const file = join(ground(), 'logs', 'daemon.log');
    const umask = process.umask(0);
    onTestFinished(() => void process.umask(umask));
    const log = await openDaemonLog({ level: 'info', file, format }, false);
    log.info({}, 'what a service wrote before it died');
    expect(fs.readFileSync(file, 'utf8')).toContain('what a service wrote');
    expect((fs.statSync(file).mode & 0o777).toString(8)).toBe('640');
  },
);
