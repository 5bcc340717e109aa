/** However a directory comes to say something else, it is one change: applied once, whole, and nothing else is touched. */
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commitAll, git } from '../git.ts';
import { GROUND } from './grounds.ts';
import { type Host, openHost } from './host.ts';
import { readOr } from './processes.ts';

/** Longer than any pause of whoever writes here, also on a machine that has much to do. */
const SETTLE = '700ms';

const OLD = ['a', 'b', 'c', 'd', 'e', 'f'];
/** Of these the newer state changes a and b, removes f, and adds g. */
const NEW = { a: '2', b: '2', c: '1', d: '1', e: '1', g: '1' } as const;

function definition(version: string): string {
  return `process:\n  command: [sleep, "1000"]\n  env:\n    VERSION: "${version}"\n`;
}

function writeAll(directory: string, versions: Readonly<Record<string, string>>): void {
  fs.mkdirSync(directory, { recursive: true });
  for (const [name, version] of Object.entries(versions)) {
    fs.writeFileSync(join(directory, `${name}.yaml`), definition(version));
  }
}

function versionOf(pid: number): string | undefined {
  const variables = readOr(`/proc/${pid}/environ`).split('\0');
  return variables.find((each) => each.startsWith('VERSION='))?.slice('VERSION='.length);
}

/** A host on which the older state runs. */
async function hostWithOld(lay: (host: Host) => void, makesConfigDirectory = true): Promise<Watched> {
  const host = openHost({
    ground: GROUND,
    makesConfigDirectory,
    settings: { watch: { settle: SETTLE }, prune: { max_percent: 50 } },
  });
  lay(host);
  await host.start();
  const pids = await host.allRun(OLD);
  return { host, pids: new Map(OLD.map((name, at) => [name, pids[at] ?? 0])) };
}

interface Watched {
  readonly host: Host;
  readonly pids: ReadonlyMap<string, number>;
}

/** Changes that were seen by the watch, with the number of services that each touched. */
function changes(host: Host): readonly string[] {
  return host
    .lifecycle('manager_reload_started')
    .map(({ fields }) => `${fields['trigger']}: ${fields['changes']}`);
}

/** Services of which a process has ended, for whatever reason. */
function ended(host: Host): readonly (string | undefined)[] {
  return host
    .lifecycle()
    .filter(({ event }) => event === 'worker_stopped' || event === 'worker_exited')
    .map(({ service }) => service)
    .sort();
}

/** Waits until nothing of what was written so far can be unseen: one more file is saved, and it runs. */
async function afterwards(host: Host): Promise<void> {
  host.write('zz-last.yaml', definition('1'));
  await host.runs('zz-last');
}

/** What was applied is the newer state, as one change, and only what differs was touched. */
async function isNewAtOnce({ host, pids }: Watched): Promise<void> {
  await host.until(
    'the change to be over',
    () => (host.lifecycle('manager_reload_completed').length > 0 ? true : undefined),
    () => changes(host),
  );
  await host.isForgotten('f');
  const now = await host.allRun(Object.keys(NEW));
  expect(Object.keys(NEW).map((name, at) => [name, versionOf(now[at] ?? 0)])).toEqual(Object.entries(NEW));
  for (const [at, name] of Object.keys(NEW).entries()) {
    if (['c', 'd', 'e'].includes(name)) expect([name, now[at]]).toEqual([name, pids.get(name)]);
  }
  await afterwards(host);
  // a, b, f and g; then the last file.
  expect(changes(host)).toEqual(['watch: 4', 'watch: 1']);
  const started = host.lifecycle('worker_started').map(({ service }) => service);
  expect(started.sort()).toEqual([...OLD, 'a', 'b', 'g', 'zz-last'].sort());
  expect(ended(host)).toEqual(['a', 'b', 'f']);
}

const oldVersions = Object.fromEntries(OLD.map((name) => [name, '1']));

describe.skipIf(spawnSync('git', ['--version']).status !== 0)('git', () => {
  /** A repository with the older state on `main` and the newer one on `next`. */
  function repository(directory: string): void {
    writeAll(directory, oldVersions);
    git(directory, 'init', '-q', '-b', 'main');
    commitAll(directory, 'old');
    git(directory, 'checkout', '-qb', 'next');
    writeAll(directory, NEW);
    fs.rmSync(join(directory, 'f.yaml'));
    commitAll(directory, 'new');
    git(directory, 'checkout', '-q', 'main');
  }

  test('pull', async () => {
    const origin = (host: Host) => join(host.work, 'origin');
    const watched = await hostWithOld((host) => {
      repository(origin(host));
      git(host.directory, 'clone', '-q', origin(host), host.config);
    }, false);
    git(origin(watched.host), 'merge', '-q', '--ff-only', 'next');
    git(watched.host.config, 'pull', '-q');
    await isNewAtOnce(watched);
  });

  test('checkout of another branch', async () => {
    const watched = await hostWithOld((host) => repository(host.config));
    git(watched.host.config, 'checkout', '-q', 'next');
    await isNewAtOnce(watched);
  });
});

/** As `rsync --archive --delete` does it: a temporary file beside each, its time set, renamed; what is too much goes. */
const MIRROR = `
  const fs = require('node:fs');
  const [source, target] = process.argv.slice(1);
  const names = fs.readdirSync(source).sort();
  for (const name of fs.readdirSync(target)) {
    if (!name.startsWith('.') && !names.includes(name)) fs.rmSync(target + '/' + name);
  }
  for (const name of names) {
    const text = fs.readFileSync(source + '/' + name, 'utf8');
    const to = target + '/' + name;
    if (fs.existsSync(to) && fs.readFileSync(to, 'utf8') === text) continue;
    const beside = target + '/.' + name + '.Xy12Zz';
    const file = fs.openSync(beside, 'wx', 0o600);
    for (let at = 0; at < text.length; at += 20) fs.writeSync(file, text.slice(at, at + 20));
    fs.closeSync(file);
    const { mtime, mode } = fs.statSync(source + '/' + name);
    fs.utimesSync(beside, mtime, mtime);
    fs.chmodSync(beside, mode);
    fs.renameSync(beside, to);
  }`;

test('a mirror that replaces by renaming, and deletes', async () => {
  const watched = await hostWithOld((host) => writeAll(host.config, oldVersions));
  const { host } = watched;
  const source = join(host.work, 'new');
  writeAll(source, NEW);
  execFileSync(process.execPath, ['-e', MIRROR, source, host.config]);
  await isNewAtOnce(watched);
});

test('a symbolic link that is swapped to another release', async () => {
  const swap = (host: Host, release: string): void => {
    fs.symlinkSync(join(host.directory, 'releases', release), join(host.directory, 'config.new'));
    fs.renameSync(join(host.directory, 'config.new'), host.config);
  };
  const watched = await hostWithOld((host) => {
    writeAll(join(host.directory, 'releases', '1'), oldVersions);
    swap(host, '1');
  }, false);
  writeAll(join(watched.host.directory, 'releases', '2'), NEW);
  swap(watched.host, '2');
  await isNewAtOnce(watched);
});

describe('60 files', () => {
  const NAMES = Array.from({ length: 60 }, (_, index) => `s${String(index).padStart(2, '0')}`);

  async function areOneChange({ host, pids }: Watched): Promise<void> {
    const now = await host.allRun(NAMES);
    expect(now.map(versionOf)).toEqual(NAMES.map(() => '7'));
    await afterwards(host);
    expect(changes(host)).toEqual(['watch: 60', 'watch: 1']);
    expect(await host.allRun(OLD)).toEqual([...pids.values()]);
    expect(host.lifecycle('worker_started')).toHaveLength(OLD.length + NAMES.length + 1);
    expect(ended(host)).toEqual([]);
  }

  test('cp -r', async () => {
    const watched = await hostWithOld((host) => writeAll(host.config, oldVersions));
    const { host } = watched;
    const source = join(host.work, 'new');
    writeAll(source, Object.fromEntries(NAMES.map((name) => [name, '7'])));
    execFileSync('cp', ['-r', `${source}/.`, host.config]);
    await areOneChange(watched);
  });

  test('copied slowly, each in two halves of which the first is a whole definition: no half is applied', async () => {
    const watched = await hostWithOld((host) => writeAll(host.config, oldVersions));
    const { host } = watched;
    const text = definition('7');
    const half = text.indexOf('  env:');
    // A pause after each half, as of a slow network: far shorter than the time to settle, in all far longer.
    const script = `for name in ${NAMES.join(' ')}; do
      { printf '%s' "$FIRST"; sleep 0.01; printf '%s' "$SECOND"; } > "$CONFIG/$name.yaml"; sleep 0.01
    done`;
    await host.run(['sh', '-c', script], {
      FIRST: text.slice(0, half),
      SECOND: text.slice(half),
      CONFIG: host.config,
    }).over;
    await areOneChange(watched);
  });
});

describe('an editor saves', () => {
  async function isReplacedOnce({ host, pids }: Watched): Promise<void> {
    await host.sees('a', 'of the second generation', ({ generation }) => generation === 2);
    const now = await host.allRun(OLD);
    expect(versionOf(now[0] ?? 0)).toBe('2');
    expect(now.slice(1)).toEqual([...pids.values()].slice(1));
    await afterwards(host);
    expect(changes(host)).toEqual(['watch: 1', 'watch: 1']);
    expect(host.lifecycle('worker_started')).toHaveLength(OLD.length + 2);
    expect(ended(host)).toEqual(['a']);
  }

  test('to a temporary file, renamed over it', async () => {
    const watched = await hostWithOld((host) => writeAll(host.config, oldVersions));
    const { host } = watched;
    host.write('4913', '');
    host.remove('4913');
    host.write('a.yaml.tmp', definition('2'));
    fs.renameSync(join(host.config, 'a.yaml.tmp'), join(host.config, 'a.yaml'));
    await isReplacedOnce(watched);
  });

  test('truncated, and written later than any settling: meanwhile the empty file stops nothing', async () => {
    const watched = await hostWithOld((host) => writeAll(host.config, oldVersions));
    const { host, pids } = watched;
    const file = fs.openSync(join(host.config, 'a.yaml'), 'w');
    await host.until(
      'the empty file to be told',
      async () => ((await host.status()).problems.length > 0 ? true : undefined),
      () => host.status(),
    );
    expect(await host.pidOf('a')).toBe(pids.get('a'));
    fs.writeSync(file, definition('2'));
    fs.closeSync(file);
    await isReplacedOnce(watched);
    expect((await host.status()).problems).toEqual([]);
  });

  test('truncated and written in pieces', async () => {
    const watched = await hostWithOld((host) => writeAll(host.config, oldVersions));
    const file = fs.openSync(join(watched.host.config, 'a.yaml'), 'w');
    for (const character of definition('2')) fs.writeSync(file, character);
    fs.closeSync(file);
    await isReplacedOnce(watched);
  });
});
