/** Deployed by Git: the newest commit is what runs, if it is right; and a checkout is seen as one change. */
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commitAll, git, openRemote } from '../git.ts';
import { GROUND } from './grounds.ts';
import { type Host, openHost, type Program } from './host.ts';
import { SLEEP } from './services.ts';

/** A remote repository, a colleague who pushes to it, and the checkout in which the daemon finds its files. */
class Team {
  readonly host: Host;
  readonly #colleague: string;

  constructor(settings: Record<string, unknown> = {}) {
    this.host = openHost({ ground: GROUND, settings, makesConfigDirectory: false });
    const remote = join(this.host.directory, 'remote.git');
    this.#colleague = openRemote(this.host.directory);
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
      fs.mkdirSync(dirname(path), { recursive: true });
      if (text === null) fs.rmSync(path);
      else fs.writeFileSync(path, text);
    }
    const oid = commitAll(this.#colleague, subject);
    git(this.#colleague, 'push', '--quiet', '-u', 'origin', 'main');
    return oid;
  }
}

function service(version: string): string {
  return `process:\n  command: ${SLEEP}\n  env: { VERSION: "${version}" }\n`;
}

const head = (directory: string): string => git(directory, 'rev-parse', 'HEAD');

function textAt(path: string): string {
  return fs.existsSync(path) ? fs.readFileSync(path, 'utf8') : '';
}

/** Git, and what it has started for a checkout. */
function killGit(checkout: string): void {
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const isGit = fs.readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('git');
      if (isGit && fs.readlinkSync(`/proc/${pid}/cwd`) === checkout) process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
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

  test('tells that code alone restarts nothing, and counts neither service files nor env files as code', async () => {
    const { host, checkout, ...team } = withTeam();
    const named = `process:\n  command: ${SLEEP}\n  env_files: [${checkout}/app/.env]\n`;
    team.push('env', { '../app/.env': 'A=1\n', 'named.yaml': named });
    await host.start();
    expect(await host.pmctl('sync', '--json')).toMatchObject({ code: 0, json: { other_files: 0 } });
    const pids = await host.allRun(['web', 'db']);
    team.push('code', { '../app/server.mjs': '1', '../app/part.mjs': '1', '../app/.env': 'A=2\n' });
    const says = 'other files change: a deploy restarts no service for them';
    const shown = await host.pmctl('sync', '--dry-run');
    expect(shown).toMatchObject({ code: 2, stdout: expect.stringContaining(`2 ${says}`) });
    expect(await host.pmctl('sync')).toMatchObject({ code: 0, stdout: expect.stringContaining(`2 ${says}`) });
    expect(await host.allRun(['web', 'db'])).toEqual(pids);
    expect((await host.view('named'))?.generation).toBe(2);
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

  test('what the guard holds back stays to be done, and is confirmed by the same command', async () => {
    const { host, ...team } = withTeam({ watch: { enabled: false } });
    team.push('more', { 'mail.yaml': service('1') });
    await host.start();
    expect((await host.pmctl('sync')).code).toBe(0);
    await host.allRun(['web', 'db', 'mail']);
    team.push('less', { 'db.yaml': null, 'mail.yaml': null });
    for (let time = 0; time < 2; time++) expect((await host.pmctl('sync')).code).toBe(6);
    expect((await host.pmctl('sync', '--dry-run')).code).toBe(2);
    expect((await host.pmctl('sync', '--prune')).code).toBe(0);
    for (const name of ['db', 'mail']) await host.isForgotten(name);
    expect((await host.pmctl('sync', '--prune')).stdout).toContain('newest commit already');
  });

  test('a commit without any service leaves the directory, and is confirmed or taken back', async () => {
    const { host, checkout, ...team } = withTeam();
    await host.start();
    const pids = await host.allRun(['web', 'db']);
    team.push('nothing', { 'web.yaml': null, 'db.yaml': null });
    expect((await host.pmctl('sync')).code).toBe(6);
    expect(fs.readdirSync(join(checkout, 'config.d'))).toEqual([]);
    // Where another Git has brought the checkout there, the directory is gone.
    fs.rmdirSync(join(checkout, 'config.d'));
    expect((await host.pmctl('sync')).code).toBe(6);
    fs.rmdirSync(join(checkout, 'config.d'));
    expect(await host.allRun(['web', 'db'])).toEqual(pids);
    team.push('back', { 'web.yaml': service('1'), 'db.yaml': service('1') });
    expect((await host.pmctl('sync')).code).toBe(0);
    expect(await host.allRun(['web', 'db'])).toEqual(pids);
    team.push('nothing again', { 'web.yaml': null, 'db.yaml': null });
    expect((await host.pmctl('sync')).code).toBe(6);
    expect((await host.pmctl('update', '--prune')).code).toBe(0);
    for (const name of ['web', 'db']) await host.isForgotten(name);
  });

  test('another branch that was checked out by hand is followed from then on', async () => {
    const { host, checkout, ...team } = withTeam({ watch: { enabled: false } });
    await host.start();
    await host.runs('web');
    team.push('web 2', { 'web.yaml': service('2') });
    git(checkout, 'fetch', '--quiet');
    git(checkout, 'checkout', '--quiet', '-b', 'release', '--track', 'origin/main');
    const done = await host.pmctl('sync', '--json');
    expect(done).toMatchObject({ code: 0, json: { result: 'applied', branch: 'release', commits: [] } });
    expect((await host.view('web'))?.generation).toBe(2);
  });

  test.each<[string, RegExp, (checkout: string) => void]>([
    [
      'commits of its own',
      /commits of its own/,
      (checkout) => {
        fs.writeFileSync(join(checkout, 'config.d/own.yaml'), service('1'));
        commitAll(checkout, 'own');
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
  const problem = await host.until('the host to say that it is stuck', async () =>
    (await host.status()).problems.find(({ code }) => code === 'sync-refused'),
  );
  expect(problem).toMatchObject({ severity: 'error', line: 1, column: 1 });
  expect([problem.file?.endsWith('web.yaml'), problem.message]).toEqual([
    true,
    expect.stringMatching(/is not applied: with it the configuration has 2 errors: .*nonsense/),
  ]);
  team.push('web 3', { 'web.yaml': service('3') });
  await host.sees('web', 'of the third generation', ({ generation }) => generation === 3);
  expect(host.stderr.split('sync-refused').length - 1).toBe(1);
  expect((await host.status()).problems).toEqual([]);
  const events = (await host.pmctl('events', '--json')).stdout;
  expect(['problem_found', 'problem_gone'].map((name) => events.split(name).length - 1)).toEqual([1, 1]);
});

describe('when a service of the commit fails', () => {
  const bad = { 'web.yaml': 'process:\n  command: exit 3\n', 'db.yaml': service('2') };

  test.each([
    ['as sync.on_failure says', 'rollback', [], true],
    ['otherwise, when told for once', 'rollback', ['--on-failure', 'continue'], false],
    ['otherwise, when told for once', 'continue', ['--on-failure', 'rollback'], true],
  ] as const)('what becomes of the rest is decided %s', async (_, policy, told, goesBack) => {
    const { host, ...team } = withTeam({ sync: { on_failure: policy }, watch: { enabled: false } });
    await host.start();
    await host.allRun(['web', 'db']);
    team.push('bad', bad);
    const done = await host.pmctl('sync', '--json', ...told);
    expect(done).toMatchObject({ code: 5, json: { result: 'applied' } });
    expect(done.json.update.failure?.did).toBe(goesBack ? 'rolled_back' : undefined);
    expect((await host.status()).frozen === null).toBe(!goesBack);
  });

  test('a sync by itself follows the choice as well, and says who it was', async () => {
    const { host, ...team } = withTeam({ sync: { on_failure: 'rollback', interval: '200ms' } });
    await host.start();
    await host.allRun(['web', 'db']);
    team.push('bad', bad);
    const { by } = await host.until(
      'the daemon to be frozen',
      async () => (await host.status()).frozen ?? undefined,
    );
    expect(by).toBe('sync.interval');
    const failed = /did not come up as a whole: web .*exited with code 3.*rolled back/;
    await host.until('the log to tell of it', () => (failed.test(host.stderr) ? true : undefined));
    expect(host.stderr).toMatch(/the files are not followed: frozen .*update failed: web/);
    expect(host.lifecycle('manager_reload_failed')).toHaveLength(1);

    // A newer commit is the answer to what failed, and nobody has to come to this host.
    team.push('mended', { 'web.yaml': service('3') });
    await host.until('the newer commit to be followed', async () =>
      (await host.status()).frozen === null ? true : undefined,
    );
    await host.allRun(['web', 'db']);
    expect((await host.pmctl('sync')).code).toBe(0);
  });

  test.each(['web', 'mail'])(
    'a sync that brings nothing newer does not say that all is well: %s',
    async (name) => {
      const { host, ...team } = withTeam({ sync: { on_failure: 'continue' }, watch: { enabled: false } });
      await host.start();
      await host.allRun(['web', 'db']);
      team.push('bad', {
        [`${name}.yaml`]: 'process:\n  command: exit 3\nrestart_policy: { policy: never }\n',
      });
      expect((await host.pmctl('sync')).code).toBe(5);
      const again = await host.pmctl('sync');
      expect(again.code).toBe(5);
      expect(again.stdout).toMatch(new RegExp(`${name}.*exit`, 's'));
    },
  );

  test('what somebody has gone back from comes only when somebody says so', async () => {
    const { host, ...team } = withTeam({ watch: { enabled: false } });
    await host.start();
    await host.allRun(['web', 'db']);
    team.push('web 2', { 'web.yaml': service('2') });
    expect((await host.pmctl('sync')).code).toBe(0);
    const back = await host.pmctl('rollback', 'previous');
    expect(back.code, back.stdout).toBe(0);
    expect(back.stdout).toMatch(/rolled back to what was applied at \S+Z, commit [0-9a-f]{10}\)/);
    team.push('web 3', { 'web.yaml': service('3') });
    expect(await host.pmctl('sync')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('pmctl resume'),
    });
    expect(await host.pmctl('sync', '--dry-run')).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('web 3'),
      stderr: expect.stringContaining('pmctl resume'),
    });
  });
});

describe('a fast-forward that is interrupted', () => {
  /** One file waits until Git has been killed, so that it is met in the middle. */
  async function inTheMiddle(): Promise<{
    host: Host;
    checkout: string;
    to: string;
    web: number;
    sync: Program;
    /** Kills Git, and lets the next one come to its end. */
    kill: () => void;
  }> {
    const { host, checkout, ...team } = withTeam();
    await host.start();
    await host.allRun(['web', 'db']);
    const web = await host.pidOf('web');
    const hold = join(host.work, 'killed');
    const smudge = `sh -c "case %f in *renamed*) until [ -e ${hold} ]; do sleep 0.02; done;; esac; cat"`;
    git(checkout, 'config', 'filter.slow.smudge', smudge);
    git(checkout, 'config', 'filter.slow.clean', 'cat');
    fs.writeFileSync(join(checkout, '.git/info/attributes'), '*.yaml filter=slow\n');
    const to = team.push('moved', {
      'db.yaml': service('2'),
      'renamed.yaml': service('1'),
      'web.yaml': null,
    });
    const sync = host.background('sync');
    await host.until('the first file', () =>
      textAt(join(checkout, 'config.d/db.yaml')).includes('"2"') ? true : undefined,
    );
    const kill = (): void => {
      killGit(checkout);
      fs.writeFileSync(hold, '');
    };
    return { host, checkout, to, web, sync, kill };
  }

  test('when only Git is killed, the same sync finishes it', async () => {
    const { host, checkout, to, sync, kill } = await inTheMiddle();
    kill();
    await sync.over;
    expect({ code: sync.child.exitCode, stderr: sync.stderr }).toEqual({ code: 0, stderr: '' });
    expect([head(checkout), git(checkout, 'status', '--porcelain')]).toEqual([to, '']);
    await host.runs('renamed');
    await host.isForgotten('web');
  });

  test('when the daemon is killed with it, half a checkout is not followed, and the next daemon finishes', async () => {
    const { host, checkout, to, web, kill } = await inTheMiddle();
    await host.crash();
    kill();
    // The file of a service is gone, the one that it becomes is not there yet; and somebody edits what is.
    expect(fs.readdirSync(join(checkout, 'config.d'))).not.toContain('web.yaml');
    expect(head(checkout)).not.toBe(to);
    fs.appendFileSync(join(checkout, 'config.d/db.yaml'), '# mine\n');
    const edited = textAt(join(checkout, 'config.d/db.yaml'));

    await host.start();
    const said = /lie side by side: changed by hand meanwhile: config.d\/db.yaml/;
    expect((await host.status()).problems.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(said),
    );
    for (const command of ['update', 'sync']) {
      const refused = await host.pmctl(command);
      expect([command, refused.code, said.test(refused.stdout + refused.stderr)]).toEqual([command, 1, true]);
    }
    expect(await host.pidOf('web')).toBe(web);
    expect(textAt(join(checkout, 'config.d/db.yaml'))).toBe(edited);

    git(checkout, 'checkout', '--quiet', '--', 'config.d/db.yaml');
    await host.runs('renamed');
    await host.isForgotten('web');
    expect([head(checkout), git(checkout, 'status', '--porcelain')]).toEqual([to, '']);
    expect(fs.existsSync(join(host.state, 'sync.json'))).toBe(false);
    expect((await host.status()).problems).toEqual([]);
  });
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
