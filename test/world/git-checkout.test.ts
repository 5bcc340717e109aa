/** What would a commit bring, and what must not be taken from it? */
import fs from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commitFiles } from '../../src/world/commit-files.ts';
import { systemFiles } from '../../src/world/files.ts';
import { GitCheckout, textsOf } from '../../src/world/git-checkout.ts';
import { onOneLine } from '../../src/world/git-words.ts';
import { commitAll, git as gitIn } from '../git.ts';

let directory: string;
const MAIN = { remote: 'origin', ref: 'refs/heads/main' };
const at = (name: string) => join(directory, name);

beforeEach(() => {
  directory = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'pmtest-')));
  git('init', '--quiet', '--initial-branch=main');
  write('config.d/web.yaml', 'one');
  write('staging.d/web.yaml', 'other');
  write('shared.env', 'A=1');
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

const git = (...args: readonly string[]): string => gitIn(directory, ...args);

function write(name: string, text: string): void {
  fs.mkdirSync(dirname(at(name)), { recursive: true });
  fs.writeFileSync(at(name), text);
}

function commit(): string {
  return commitAll(directory);
}

function link(target: string, name: string): void {
  fs.rmSync(at(name), { recursive: true, force: true });
  fs.symlinkSync(target, at(name));
}

function around(path: string): GitCheckout {
  const checkout = GitCheckout.around(path);
  if (checkout === undefined) throw new Error(`no checkout around ${path}`);
  return checkout;
}

function statusOf(pid: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}

/** What the commit that `change` makes would say, seen from the commit before. */
async function beforehand(configured: string, change: () => void) {
  const from = commit();
  change();
  const to = commit();
  git('reset', '--quiet', '--hard', from);
  const checkout = around(configured);
  const changes = await checkout.changes(from, to);
  if (changes === undefined) throw new Error('no changes');
  return commitFiles(systemFiles(), checkout, changes, { path: configured, real: checkout.directory });
}

describe('what a commit would say', () => {
  it('is read without touching the checkout', async () => {
    const files = await beforehand(at('config.d'), () => {
      write('config.d/web.yaml', 'two');
      write('config.d/db.yaml', 'new');
    });
    if (typeof files === 'string') throw new Error(files);
    expect(files.list(at('config.d'))).toEqual(['db.yaml', 'web.yaml']);
    expect(files.read(at('config.d/web.yaml'), 100)).toBe('two');
    expect(fs.readFileSync(at('config.d/web.yaml'), 'utf8')).toBe('one');
  });

  it.each<[string, string, () => void]>([
    ['a service file that becomes a link', 'config.d', () => link('../shared.env', 'config.d/web.yaml')],
    ['the directory that becomes a link', 'config.d', () => link('staging.d', 'config.d')],
    [
      'a directory above it that becomes a link',
      'deep/config.d',
      () => {
        write('other/config.d/web.yaml', 'evil');
        link('other', 'deep');
      },
    ],
    ['the link by which it is configured', 'live', () => link('staging.d', 'live')],
  ])('is not told of %s', async (_what, configured, change) => {
    write('deep/config.d/web.yaml', 'one');
    link('config.d', 'live');
    expect(await beforehand(at(configured), change)).toMatch(/beforehand/);
  });

  it.each(['config.d', 'deep'])(
    'is not told where %s, in which the service files lie, becomes a file',
    async (name) => {
      const configured = name === 'deep' ? 'deep/config.d' : name;
      write(`${configured}/web.yaml`, 'one');
      const told = await beforehand(at(configured), () => {
        fs.rmSync(at(name), { recursive: true });
        write(name, 'a file');
      });
      expect(told).toBe(`${at(name)} is no directory any more: the service files are gone with it`);
    },
  );

  it('shows the directory where a file that stood in its place becomes one again', async () => {
    fs.rmSync(at('config.d'), { recursive: true });
    write('config.d', 'a file');
    const files = await beforehand(at('config.d'), () => {
      fs.rmSync(at('config.d'));
      write('config.d/web.yaml', 'again');
    });
    if (typeof files === 'string') throw new Error(files);
    expect(files.list(at('config.d'))).toEqual(['web.yaml']);
    expect(files.status(at('config.d'))).toMatchObject({ kind: 'directory' });
    expect(files.read(at('config.d/web.yaml'), 100)).toBe('again');
  });

  it('has nothing of the old text where a file beside the directory becomes a link', async () => {
    const files = await beforehand(at('config.d'), () => link('/etc/hostname', 'shared.env'));
    if (typeof files === 'string') throw new Error(files);
    expect(files.read(at('shared.env'), 100)).toEqual({ failed: 'ELOOP' });
  });

  it('shows through a link that is there already what it will lead to', async () => {
    fs.symlinkSync('../staging.d/web.yaml', at('config.d/linked.yaml'));
    const files = await beforehand(at('config.d'), () => write('staging.d/web.yaml', 'changed'));
    if (typeof files === 'string') throw new Error(files);
    expect(files.read(at('config.d/linked.yaml'), 100)).toBe('changed');
    expect(files.status(at('config.d/linked.yaml'))).toMatchObject({ size: 'changed'.length });
  });

  it('has nothing of a file that Git could not hand over as a whole', async () => {
    const id = 'a'.repeat(40);
    const answers = new Map([
      ['--batch-check', { code: 0, stdout: `${id} blob 100\n`, stderr: '' }],
      ['--batch', { code: 1, stdout: `${id} blob 100\nprocess: {}`, stderr: 'it took too long' }],
    ]);
    const slow = { git: async ([, how]: readonly string[]) => answers.get(how ?? '') };
    expect(await textsOf(slow as unknown as GitCheckout, [id], 1000)).toEqual(new Map());
  });
});

describe('Git', () => {
  afterEach(() => {
    delete process.env['GIT_DIR'];
    delete process.env['GIT_INDEX_FILE'];
    delete process.env['GIT_SSH_COMMAND'];
  });

  it('does not leave behind what it reaches a remote by', async () => {
    commit();
    write('pid', '');
    process.env['GIT_SSH_COMMAND'] = `sh -c 'echo $$ > ${at('pid')}; exec sleep 60'`;
    git('remote', 'add', 'origin', 'ssh://host.invalid/repository');
    const end = new AbortController();
    const fetched = around(directory).fetch(MAIN, 20_000, end.signal);
    await expect.poll(() => fs.readFileSync(at('pid'), 'utf8')).toMatch(/\d\n/);
    end.abort();
    expect(await fetched).toMatchObject({ code: 1, stderr: 'the daemon ends' });
    const pid = fs.readFileSync(at('pid'), 'utf8').trim();
    await expect.poll(() => /^State:\s+[^Z]/m.test(statusOf(pid))).toBe(false);
  });

  it('is asked about this checkout, also by a daemon that a hook of another repository has started', async () => {
    const head = commit();
    process.env['GIT_DIR'] = '.';
    process.env['GIT_INDEX_FILE'] = '/nowhere/index';
    const checkout = around(at('config.d'));
    expect(await checkout.commit('HEAD')).toBe(head);
    expect(await checkout.changedByHand()).toEqual([]);
  });

  it('runs nothing that the repository names as its hook or monitor', async () => {
    const from = commit();
    write('config.d/web.yaml', 'two');
    const to = commit();
    git('reset', '--quiet', '--hard', from);
    for (const name of ['spy', 'post-merge', 'reference-transaction']) {
      write(`.git/hooks/${name}`, '#!/bin/sh\ntouch "$0.ran"\nexit 1\n');
      fs.chmodSync(at(`.git/hooks/${name}`), 0o755);
    }
    git('config', 'core.fsmonitor', at('.git/hooks/spy'));
    const checkout = around(at('config.d'));
    expect(await checkout.changedByHand()).toEqual([]);
    expect(await checkout.fastForward(to)).toMatchObject({ code: 0 });
    expect(git('-c', 'core.fsmonitor=false', 'rev-parse', 'HEAD')).toBe(to);
    expect(fs.readdirSync(at('.git/hooks')).filter((name) => name.endsWith('.ran'))).toEqual([]);
  });
});

describe('a directory that Git has removed with its last file', () => {
  beforeEach(() => {
    link('config.d', 'live');
    commit();
    git('rm', '-r', '--quiet', 'config.d');
    commit();
    expect(fs.existsSync(at('config.d'))).toBe(false);
  });

  it.each(['config.d', 'live', 'config.d/deeper/still'])('is still in its checkout: %s', (configured) => {
    const checkout = around(at(configured));
    expect(checkout.top).toBe(directory);
    expect(checkout.directory).toBe(at(configured.replace('live', 'config.d')));
  });

  it('is read as the commit will have it that brings files again', async () => {
    write('other.txt', 'more');
    const files = await beforehand(at('live'), () => write('config.d/web.yaml', 'new'));
    if (typeof files === 'string') throw new Error(files);
    expect(files.list(at('live'))).toEqual(['web.yaml']);
    expect(files.status(at('live'))).toMatchObject({ kind: 'directory' });
    expect(files.status(at('live/web.yaml'))).toMatchObject({ kind: 'file', size: 3 });
    expect(fs.existsSync(at('config.d'))).toBe(false);
  });
});

/** A link to itself fails as a closed directory does, also for root (stat(2): ELOOP, EACCES). */
it('a checkout is there also where its directory has become a file', () => {
  fs.rmSync(at('config.d'), { recursive: true });
  write('config.d', 'a file');
  expect(around(at('config.d')).top).toBe(directory);
});

describe('a checkout that cannot be looked at', () => {
  it('is none where its Git directory cannot be seen', () => {
    link('.git', '.git');
    expect(GitCheckout.around(at('config.d'))).toBeUndefined();
  });

  it.each([
    ['that was made just now', 0, true],
    ['that a Git has left there when it died', -60_000, false],
    ['that is of the future, for the clock was set back', 60_000, false],
  ])('by a lock %s', (_, difference, isBusy) => {
    const now = 1_800_000_000_000;
    write('.git/index.lock', '');
    fs.utimesSync(at('.git/index.lock'), 1, (now + difference) / 1000);
    expect(around(at('config.d')).isBusy(now)).toBe(isBusy);
  });

  it('is not taken for busy where its lock cannot be seen', () => {
    link('index.lock', '.git/index.lock');
    expect(around(at('config.d')).isBusy(Date.now())).toBe(false);
  });
});

it('a branch has its name also where a tag is called the same', async () => {
  commit();
  git('tag', 'main');
  git('update-ref', 'refs/heads/team/main', 'HEAD');
  expect(await around(directory).branch()).toBe('main');
  git('symbolic-ref', 'HEAD', 'refs/heads/team/main');
  expect(await around(directory).branch()).toBe('team/main');
  git('checkout', '--quiet', '--detach');
  expect(await around(directory).branch()).toBeUndefined();
});

describe('what Git says', () => {
  it('is one line, for it becomes part of a sentence', async () => {
    commit();
    git('remote', 'add', 'origin', '/nonexistent/repo');
    const { code, stderr } = await around(directory).fetch(MAIN);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/^fatal: '\/nonexistent\/repo' does not appear to be a git repository; fatal: /);
    expect(stderr).not.toMatch(/[\n.]$|\n|;;|\.;/);
  });

  it.each([
    ['', ''],
    ['fatal: no\n', 'fatal: no'],
    ['fatal: no.\n\nPlease look\r\nat it.', 'fatal: no; Please look at it'],
    ['error: one.\nerror: two.\nfatal: three', 'error: one; error: two; fatal: three'],
    [
      'Another process seems to run, e.g.\nan editor. See to it that all\nare ended:\nremove it.',
      'Another process seems to run, e.g. an editor. See to it that all are ended: remove it',
    ],
    [
      'error: would be overwritten by merge:\n\ta.yaml\n\tb.yaml\nAborting',
      'error: would be overwritten by merge: a.yaml; b.yaml; Aborting',
    ],
  ])('%j', (text, line) => {
    expect(onOneLine(text)).toBe(line);
  });
});
