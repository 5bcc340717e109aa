/** What runs is what the files say: a saved file is enough, however it comes to be saved. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commitAll, git as gitIn } from '../git.ts';
import { isRoot } from '../linux/ground.ts';
import { GROUND, GROUNDS } from './grounds.ts';
import { type Host, openHost } from './host.ts';
import { isGone } from './processes.ts';
import { endsGracefully, SLEEP } from './services.ts';

describe.each(GROUNDS)('$title', (ground) => {
  test('a service file is saved, and it runs without any command; removed, and it is gone, gracefully', async () => {
    const host = openHost({ ground });
    host.service('other', SLEEP);
    await host.start();
    await host.runs('other');

    host.service('web', endsGracefully(host, 'web'));
    const pid = await host.pidOf('web');
    await host.says('web.began');
    expect(isGone(pid)).toBe(false);

    host.remove('web.yaml');
    await host.isForgotten('web');
    expect(isGone(pid)).toBe(true);
    expect(host.said('web.ended')).toBe('terminated\n');
  });

  test('an edit of what a process is started with replaces it, once', async () => {
    const host = openHost({ ground });
    host.service('web', { process: { command: SLEEP, env: { VERSION: '1' } } });
    await host.start();
    const before = await host.pidOf('web');

    host.service('web', { process: { command: SLEEP, env: { VERSION: '2' } } });
    const { generation } = await host.sees(
      'web',
      'of the second generation',
      (service) => service.generation === 2,
    );
    const after = await host.pidOf('web');
    expect(generation).toBe(2);
    expect(after).not.toBe(before);
    expect(isGone(before)).toBe(true);
    await host.executes(after, 'sleep');
    expect(fs.readFileSync(`/proc/${after}/environ`, 'utf8').split('\0')).toContain('VERSION=2');
    expect((await host.pmctl('update')).code).toBe(0);
    expect(host.lifecycle('worker_started').map(({ fields }) => fields['reason'])).toEqual([
      'boot',
      'reload_generation_2',
    ]);
  });

  test('a touched, commented, re-indented or live edited file touches no process', async () => {
    const host = openHost({ ground });
    const file = host.write('web.yaml', `process:\n  command: ${SLEEP}\n`);
    await host.start();
    const pid = await host.pidOf('web');
    const edits = [
      () => fs.utimesSync(file, new Date(), new Date()),
      () => host.write('web.yaml', `# for the shop\nprocess:\n  command: ${SLEEP} # for long\n`),
      () => host.write('web.yaml', `"process":\n      "command": "${SLEEP}"\n\n`),
      () =>
        host.service('web', {
          description: 'the shop',
          labels: { team: 'shop' },
          process: { command: SLEEP, stop_grace: '3s' },
          resources: { max_pids: 100 },
          restart_policy: { restart_backoff: '7s' },
        }),
    ];
    for (const [index, edit] of edits.entries()) {
      edit();
      // A second service, saved afterwards: when it runs, the edit has been looked at.
      host.service(`after-${index}`, SLEEP);
      await host.runs(`after-${index}`);
    }
    const view = await host.sees('web', 'described', ({ description }) => description === 'the shop');
    expect(view).toMatchObject({ generation: 1, restarts: 0, pid, labels: { team: 'shop' } });
    expect(host.lifecycle().filter(({ service }) => service === 'web')).toHaveLength(1);
  });
});

describe('every way to save a file is seen', () => {
  test('written beside it and renamed over it', async () => {
    const host = await hostWith('1');
    host.write('.web.yaml.tmp', definition('2'));
    fs.renameSync(join(host.config, '.web.yaml.tmp'), join(host.config, 'web.yaml'));
    await runsVersion(host, '2');
  });

  test('many editors: moved away to a backup, then written anew; the backup is no service', async () => {
    const host = await hostWith('1');
    fs.renameSync(join(host.config, 'web.yaml'), join(host.config, 'web.yaml~'));
    host.write('web.yaml', definition('2'));
    await runsVersion(host, '2');
    expect((await host.status()).services.map(({ name }) => name)).toEqual(['web']);
  });

  test('a symbolic link in the directory, whose target is edited, and replaced by renaming', async () => {
    const host = await hostWith('1');
    fs.writeFileSync(join(host.work, 'web.yaml'), definition('2'));
    fs.symlinkSync(join(host.work, 'web.yaml'), join(host.config, '.link'));
    fs.renameSync(join(host.config, '.link'), join(host.config, 'web.yaml'));
    await runsVersion(host, '2');
    fs.writeFileSync(join(host.work, 'web.yaml'), definition('3'));
    await runsVersion(host, '3');
    fs.writeFileSync(join(host.work, 'web.new'), definition('4'));
    fs.renameSync(join(host.work, 'web.new'), join(host.work, 'web.yaml'));
    await runsVersion(host, '4');
    fs.writeFileSync(join(host.work, 'web.yaml'), definition('5'));
    await runsVersion(host, '5');
  });

  test('a configuration directory that is a symbolic link, pointed to another release', async () => {
    const host = openHost({ ground: GROUND, makesConfigDirectory: false });
    for (const version of ['1', '2', '3']) release(host, version, '');
    pointTo(host, host.config, 'release-1');
    await host.start();
    await runsVersion(host, '1');
    pointTo(host, host.config, 'release-2');
    await runsVersion(host, '2');
    // The new release is watched as the old one was.
    fs.writeFileSync(join(host.directory, 'release-2', 'web.yaml'), definition('2.1'));
    await runsVersion(host, '2.1');
    pointTo(host, host.config, 'release-3');
    await runsVersion(host, '3');
    await onlyWebRuns(host);
  });

  test('a parent of the configuration directory that is a symbolic link, pointed to another release', async () => {
    const host = openHost({ ground: GROUND, makesConfigDirectory: false });
    const current = join(host.directory, 'current');
    host.settings['config_directory'] = join(current, 'deploy', 'config.d');
    for (const version of ['1', '2', '3']) release(host, version, 'deploy/config.d');
    pointTo(host, current, 'release-1');
    await host.start();
    await runsVersion(host, '1');
    pointTo(host, current, 'release-2');
    await runsVersion(host, '2');
    fs.writeFileSync(join(current, 'deploy/config.d/web.yaml'), definition('2.1'));
    await runsVersion(host, '2.1');
    pointTo(host, current, 'release-3');
    await runsVersion(host, '3');
  });

  test('a mounted config map: files are links through ..data, and ..data is swapped', async () => {
    const host = openHost({ ground: GROUND });
    const publish = (version: string): void => {
      fs.mkdirSync(join(host.config, `..${version}`));
      fs.writeFileSync(join(host.config, `..${version}`, 'web.yaml'), definition(version));
      fs.symlinkSync(`..${version}`, join(host.config, '..data_tmp'));
      fs.renameSync(join(host.config, '..data_tmp'), join(host.config, '..data'));
    };
    publish('1');
    fs.symlinkSync('..data/web.yaml', join(host.config, 'web.yaml'));
    await host.start();
    await runsVersion(host, '1');
    publish('2');
    fs.rmSync(join(host.config, '..1'), { recursive: true });
    await runsVersion(host, '2');
    publish('3');
    fs.rmSync(join(host.config, '..2'), { recursive: true });
    await runsVersion(host, '3');
    await onlyWebRuns(host);
  });

  test('a git checkout of another branch is one change: what both branches have is not touched', async () => {
    const host = openHost({ ground: GROUND });
    const git = (...args: readonly string[]) => gitIn(host.config, ...args);
    const services = ['a', 'b', 'c', 'd', 'e'];
    for (const name of services) host.write(`${name}.yaml`, definition('1'));
    git('init', '-q', '-b', 'main');
    commitAll(host.config, 'main');
    git('checkout', '-qb', 'next');
    host.write('a.yaml', definition('2'));
    host.remove('e.yaml');
    host.write('f.yaml', definition('1'));
    commitAll(host.config, 'next');
    git('checkout', '-q', 'main');

    await host.start();
    const pids = new Map<string, number>();
    for (const name of services) pids.set(name, await host.pidOf(name));
    git('checkout', '-q', 'next');
    await host.runs('f');
    await host.isForgotten('e');
    await runsVersion(host, '2', 'a');
    for (const name of ['b', 'c', 'd']) expect(await host.pidOf(name)).toBe(pids.get(name));
    git('checkout', '-q', 'main');
    await host.runs('e');
    await host.isForgotten('f');
    await runsVersion(host, '1', 'a');
    for (const name of ['b', 'c', 'd']) expect(await host.pidOf(name)).toBe(pids.get(name));
  });

  test('a configuration directory that is removed and made again, with all its files', async () => {
    const host = await hostWith('1');
    const pid = await host.pidOf('web');
    fs.renameSync(host.config, `${host.config}.old`);
    await host.until(
      'the daemon to say that the directory is gone',
      async () =>
        (await host.status()).problems.some(({ code }) => code === 'directory-unreadable') ? true : undefined,
      () => host.status(),
    );
    expect(isGone(pid)).toBe(false);
    fs.mkdirSync(host.config);
    host.write('web.yaml', definition('2'));
    await runsVersion(host, '2');
    host.write('web.yaml', definition('3'));
    await runsVersion(host, '3');
  });

  test('an environment file and the file of a secret count as the service file does', async () => {
    const host = openHost({ ground: GROUND });
    fs.writeFileSync(join(host.work, 'web.env'), 'COLOUR=red\n');
    fs.writeFileSync(join(host.work, 'token'), 'first', { mode: 0o600 });
    host.service('web', {
      process: {
        command: SLEEP,
        env_files: [join(host.work, 'web.env')],
        env: { TOKEN: { file: join(host.work, 'token') } },
      },
    });
    await host.start();
    await runsWith(host, 'web', 'COLOUR=red', 'TOKEN=first');
    fs.writeFileSync(join(host.work, 'web.env'), 'COLOUR=blue\n');
    await runsWith(host, 'web', 'COLOUR=blue', 'TOKEN=first');
    fs.writeFileSync(join(host.work, 'token.new'), 'second', { mode: 0o600 });
    fs.renameSync(join(host.work, 'token.new'), join(host.work, 'token'));
    await runsWith(host, 'web', 'COLOUR=blue', 'TOKEN=second');
  });

  test('an environment file that was missing, at first or for a moment, is seen as soon as it is there', async () => {
    const host = openHost({ ground: GROUND });
    const file = join(host.work, 'web.env');
    host.service('web', { process: { command: SLEEP, env_files: [file] } });
    await host.start();
    await isInvalid(host, true);
    fs.writeFileSync(file, 'COLOUR=red\n');
    await runsWith(host, 'web', 'COLOUR=red');
    await isInvalid(host, false);
    fs.rmSync(file);
    await isInvalid(host, true);
    fs.writeFileSync(file, 'COLOUR=blue\n');
    await runsWith(host, 'web', 'COLOUR=blue');
    fs.writeFileSync(file, 'COLOUR=green\n');
    await runsWith(host, 'web', 'COLOUR=green');
  });
});

describe('enable and disable', () => {
  test('leave a symbolic link a link, the file behind it as it is, and say what to do', async () => {
    const host = openHost({ ground: GROUND });
    const target = join(host.work, 'web.yaml');
    fs.writeFileSync(target, definition('1'));
    fs.symlinkSync(target, join(host.config, 'web.yaml'));
    await host.start();
    const pid = await host.pidOf('web');
    const refused = await host.pmctl('disable', 'web');
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain(`is a symbolic link to ${target} and is not edited`);
    expect(fs.readlinkSync(join(host.config, 'web.yaml'))).toBe(target);
    expect(fs.readFileSync(target, 'utf8')).toBe(definition('1'));
    fs.writeFileSync(target, definition('2'));
    await runsVersion(host, '2');
    expect(isGone(pid)).toBe(true);
  });

  test.skipIf(!isRoot)('leave a file to its owner, with its mode', async () => {
    const host = openHost({ ground: GROUND });
    const file = host.write('web.yaml', definition('1'));
    fs.chmodSync(file, 0o600);
    fs.chownSync(file, 1000, 1001);
    await host.start();
    await host.runs('web');
    expect((await host.pmctl('disable', 'web')).code).toBe(0);
    expect(fs.readFileSync(file, 'utf8')).toBe(`enabled: false\n${definition('1')}`);
    const { uid, gid, mode } = fs.statSync(file);
    expect({ uid, gid, mode: mode & 0o777 }).toEqual({ uid: 1000, gid: 1001, mode: 0o600 });
  });

  test('of what is so already touch no file, and nothing is applied', async () => {
    const host = openHost({ ground: GROUND });
    const file = host.write('web.yaml', definition('1'));
    await host.start();
    await host.runs('web');
    const before = { text: fs.readFileSync(file, 'utf8'), inode: fs.statSync(file).ino };
    const applied = async () =>
      (await host.pmctl('history', '--json')).json.entries.map(({ number }: { number: number }) => number);
    expect(await applied()).toEqual([1]);
    const { code, json } = await host.pmctl('enable', 'all', '--json');
    expect(code).toBe(0);
    expect(json.results).toMatchObject([
      { service: 'web', result: 'done', detail: expect.stringMatching(/^enabled already; /) },
    ]);
    expect({ text: fs.readFileSync(file, 'utf8'), inode: fs.statSync(file).ino }).toEqual(before);
    expect(await applied()).toEqual([1]);
  });
});

/** Whether the environment file of the service is complained of; the bound is far below the slow look once a minute. */
async function isInvalid(host: Host, expected: boolean): Promise<void> {
  const codes = async () => (await host.status()).problems.map(({ code }) => code);
  await host.until(
    expected ? 'the missing file to be told of' : 'the file to be found',
    async () => (await codes()).includes('env-file-unreadable') === expected || undefined,
    codes,
  );
}

function definition(version: string): string {
  return `process:\n  command: ${SLEEP}\n  env: { VERSION: "${version}" }\n`;
}

async function hostWith(version: string): Promise<Host> {
  const host = openHost({ ground: GROUND });
  host.write('web.yaml', definition(version));
  await host.start();
  await runsVersion(host, version);
  return host;
}

function release(host: Host, version: string, below: string): void {
  const directory = join(host.directory, `release-${version}`, below);
  fs.mkdirSync(directory, { recursive: true });
  fs.writeFileSync(join(directory, 'web.yaml'), definition(version));
}

/** As `ln -sfn` and deployment tools do it. */
function pointTo(host: Host, link: string, target: string): void {
  execFileSync('ln', ['-sfn', target, link], { cwd: host.directory });
}

function runsVersion(host: Host, version: string, name = 'web'): Promise<unknown> {
  return runsWith(host, name, `VERSION=${version}`);
}

async function runsWith(host: Host, name: string, ...variables: readonly string[]): Promise<void> {
  let seen: readonly string[] = [];
  await host.until(
    `${name} to run with ${variables.join(' ')}`,
    async () => {
      const view = await host.view(name);
      if (view?.state !== 'running' || view.pid === null) return undefined;
      seen = environOf(view.pid);
      return variables.every((variable) => seen.includes(variable)) ? true : undefined;
    },
    async () => ({ seen, view: await host.view(name) }),
  );
}

function environOf(pid: number): readonly string[] {
  try {
    return fs.readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

async function onlyWebRuns(host: Host): Promise<void> {
  const { services } = await host.status();
  expect(services.map(({ name, ready }) => ({ name, ready }))).toEqual([{ name: 'web', ready: 1 }]);
}
