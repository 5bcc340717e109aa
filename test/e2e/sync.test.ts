/** Deployed by Git: the newest commit is what runs, if it is right; and a checkout is seen as one change. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { GROUND } from './grounds.ts';
import { type Host, openHost } from './host.ts';
import { SLEEP } from './services.ts';

/** A remote repository, a colleague who pushes to it, and the checkout in which the daemon finds its files. */
class Team {
  readonly host: Host;
  readonly #colleague: string;

  constructor(settings: Record<string, unknown> = {}) {
    this.host = openHost({ ground: GROUND, settings, makesConfigDirectory: false });
    const remote = join(this.host.directory, 'remote.git');
    this.#colleague = join(this.host.directory, 'colleague');
    git(this.host.directory, 'init', '--quiet', '--bare', '--initial-branch=main', remote);
    git(this.host.directory, 'clone', '--quiet', remote, this.#colleague);
    git(this.#colleague, 'checkout', '--quiet', '-B', 'main');
    this.push('first', { 'web.yaml': service('1'), 'db.yaml': service('1') });
    const checkout = join(this.host.directory, 'checkout');
    git(this.host.directory, 'clone', '--quiet', remote, checkout);
    fs.symlinkSync(join(checkout, 'config.d'), this.host.config);
  }

  get checkout(): string {
    return join(this.host.directory, 'checkout');
  }

  /** Pushes files of config.d; null removes one. Answers the commit. */
  push(subject: string, files: Readonly<Record<string, string | null>>): string {
    for (const [file, text] of Object.entries(files)) {
      const path = join(this.#colleague, 'config.d', file);
      fs.mkdirSync(join(this.#colleague, 'config.d'), { recursive: true });
      if (text === null) fs.rmSync(path);
      else fs.writeFileSync(path, text);
    }
    commit(this.#colleague, subject);
    git(this.#colleague, 'push', '--quiet', '-u', 'origin', 'main');
    return head(this.#colleague);
  }
}

function service(version: string): string {
  return `process:\n  command: ${SLEEP}\n  env: { VERSION: "${version}" }\n`;
}

function git(directory: string, ...args: readonly string[]): string {
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };
  return execFileSync('git', args, {
    cwd: directory,
    encoding: 'utf8',
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function commit(directory: string, subject: string): void {
  git(directory, 'add', '--all');
  git(
    directory,
    '-c',
    'user.name=Col',
    '-c',
    'user.email=col@example.org',
    'commit',
    '--quiet',
    '-m',
    subject,
  );
}

function head(directory: string): string {
  return git(directory, 'rev-parse', 'HEAD').trim();
}

describe('pmctl sync', () => {
  test('brings checkout and services to the newest commit, and touches only what it changes', async () => {
    const { host, ...team } = withTeam();
    await host.start();
    const [web, db] = [await host.pidOf('web'), await host.pidOf('db')];
    const to = team.push('web 2, and mail', { 'web.yaml': service('2'), 'mail.yaml': service('1') });

    const shown = await host.pmctl('sync', '--dry-run');
    expect(shown).toMatchObject({ code: 2, stdout: expect.stringContaining('web 2, and mail') });
    expect([await host.pidOf('web'), head(team.checkout) === to]).toEqual([web, false]);

    const done = await host.pmctl('sync', '--json');
    expect(done).toMatchObject({ code: 0, json: { result: 'applied', branch: 'main', to } });
    expect(head(team.checkout)).toBe(to);
    await host.runs('mail');
    expect((await host.view('web'))?.generation).toBe(2);
    expect(await host.pidOf('db')).toBe(db);
    expect(await host.pmctl('sync')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('newest commit already'),
    });
  });

  test('applies nothing of a commit with an error, and says where it is', async () => {
    const { host, ...team } = withTeam();
    await host.start();
    const web = await host.pidOf('web');
    const before = head(team.checkout);
    team.push('oops', { 'web.yaml': service('2'), 'db.yaml': 'process:\n  comand: x\n' });

    const refused = await host.pmctl('sync');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('db.yaml:2:3');
    expect(refused.stderr).toContain('did you mean command');
    expect([head(team.checkout), await host.pidOf('web')]).toEqual([before, web]);

    team.push('mended', { 'db.yaml': service('2') });
    expect((await host.pmctl('sync')).code).toBe(0);
    expect((await host.view('db'))?.generation).toBe(2);
  });

  test.each<[string, RegExp, (checkout: string) => void]>([
    [
      'commits of its own',
      /commits of its own/,
      (checkout) => {
        fs.writeFileSync(join(checkout, 'config.d/own.yaml'), service('1'));
        commit(checkout, 'own');
      },
    ],
    [
      'a file changed by hand',
      /changed by hand: config.d\/db.yaml/,
      (checkout) => fs.appendFileSync(join(checkout, 'config.d/db.yaml'), '# mine\n'),
    ],
    ['no branch', /no branch is checked out/, (checkout) => git(checkout, 'checkout', '--quiet', '--detach')],
    [
      'a remote that is gone',
      /git fetch failed/,
      (checkout) => git(checkout, 'remote', 'set-url', 'origin', '/nowhere/at/all.git'),
    ],
  ])('leaves a checkout with %s alone', async (_what, says, disturb) => {
    const { host, ...team } = withTeam();
    await host.start();
    team.push('web 2', { 'web.yaml': service('2') });
    disturb(team.checkout);
    const before = [head(team.checkout), git(team.checkout, 'status', '--porcelain')];
    const refused = await host.pmctl('sync');
    expect([refused.code, says.test(refused.stderr)]).toEqual([1, true]);
    expect([head(team.checkout), git(team.checkout, 'status', '--porcelain')]).toEqual(before);
  });

  test('says so where there is no checkout', async () => {
    const host = openHost({ ground: GROUND });
    await host.start();
    const refused = await host.pmctl('sync');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('lies in no Git checkout')]);
  });
});

test('with sync.interval a push is enough; a broken one is told once, and the next right one is followed', async () => {
  const { host, ...team } = withTeam({ sync: { interval: '200ms' } });
  await host.start();
  await host.runs('web');
  team.push('web 2', { 'web.yaml': service('2') });
  await host.sees('web', 'of the second generation', ({ generation }) => generation === 2);
  team.push('oops', { 'web.yaml': 'nonsense: true\n' });
  await host.until('the daemon to complain', () => (host.stderr.includes('sync-refused') ? true : undefined));
  team.push('web 3', { 'web.yaml': service('3') });
  await host.sees('web', 'of the third generation', ({ generation }) => generation === 3);
  expect(host.stderr.split('sync-refused').length - 1).toBe(1);
});

test('while Git holds its lock, half a checkout is not followed', async () => {
  const { host, ...team } = withTeam();
  await host.start();
  const pid = await host.pidOf('web');
  const lock = join(team.checkout, '.git/index.lock');
  fs.writeFileSync(lock, '');
  fs.rmSync(join(team.checkout, 'config.d/db.yaml'));
  fs.writeFileSync(join(team.checkout, 'config.d/mail.yaml'), service('1'));
  // Another file, outside of any checkout, shows that the daemon has seen what happened since.
  await host.until('the daemon to have looked', async () =>
    (await host.pmctl('diff')).stdout.includes('mail') ? true : undefined,
  );
  expect([await host.view('mail'), await host.pidOf('web')]).toEqual([undefined, pid]);
  expect((await host.view('db'))?.state).toBe('running');
  fs.writeFileSync(join(team.checkout, 'config.d/db.yaml'), service('1'));
  fs.rmSync(lock);
  await host.runs('mail');
  expect(host.lifecycle('worker_stop_requested')).toEqual([]);
});

function withTeam(settings: Record<string, unknown> = {}) {
  const team = new Team(settings);
  return {
    host: team.host,
    checkout: team.checkout,
    push: (subject: string, files: Readonly<Record<string, string | null>>) => team.push(subject, files),
  };
}
