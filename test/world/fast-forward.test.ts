/** What stands in the way of a newer commit, told before anything is written? */
import fs from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { obstacleTo } from '../../src/world/fast-forward.ts';
import { GitCheckout } from '../../src/world/git-checkout.ts';
import { commitAll, git, openRemote } from '../git.ts';

let ground: string;
let colleague: string;
let here: string;

beforeEach(() => {
  ground = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'pmtest-')));
  [colleague, here] = [openRemote(ground), join(ground, 'here')];
  commit(colleague, 'config.d/web.yaml', 'one');
  push();
  git(ground, 'clone', '--quiet', 'remote.git', 'here');
});
afterEach(() => fs.rmSync(ground, { recursive: true }));

function lay(directory: string, name: string, text: string): void {
  fs.mkdirSync(dirname(join(directory, name)), { recursive: true });
  fs.writeFileSync(join(directory, name), text);
}

function commit(directory: string, name: string, text: string, ...how: readonly string[]): void {
  lay(directory, name, text);
  commitAll(directory, text, ...how);
}

function push(...how: readonly string[]): void {
  git(colleague, 'push', '--quiet', ...how, '-u', 'origin', 'main');
}

/** After a fetch, as a synchronisation does it. */
async function obstacle(): Promise<string | undefined> {
  const checkout = GitCheckout.around(here);
  const upstream = await checkout?.upstream('main');
  if (checkout === undefined || upstream === undefined) throw new Error('no checkout that follows a branch');
  expect(await checkout.fetch(upstream)).toMatchObject({ code: 0 });
  const before = whole();
  const [from = '', to = ''] = [await checkout.commit('HEAD'), await checkout.commit('@{upstream}')];
  const found = await obstacleTo(checkout, 'main', from, to);
  expect(whole()).toEqual(before);
  return found;
}

/** What a person could see of the checkout, and whether something of ours was left in its Git directory. */
function whole(): readonly unknown[] {
  const left = fs.readdirSync(join(here, '.git')).filter((name) => /lock|processmaster/.test(name));
  return [git(here, 'rev-parse', 'HEAD'), git(here, 'status', '--porcelain'), left];
}

it('nothing, where files were only touched or belong to nobody', async () => {
  commit(colleague, 'config.d/db.yaml', 'one');
  commit(colleague, 'config.d/web.yaml', 'two');
  push();
  lay(here, 'config.d/own.yaml', 'mine');
  fs.utimesSync(join(here, 'config.d/web.yaml'), 1, 1);
  expect(await obstacle()).toBeUndefined();
});

it('a file that nobody has committed lies where the commit has its own', async () => {
  commit(colleague, 'config.d/db.yaml', 'one');
  push();
  lay(here, 'config.d/db.yaml', 'mine');
  expect(await obstacle()).toMatch(/config.d\/db.yaml.* would be overwritten by merge; move it away first$/);
});

it('a submodule that stands where it stood before the last commit is nothing that somebody did', async () => {
  const app = join(ground, 'app');
  git(ground, 'init', '--quiet', '--initial-branch=main', app);
  commit(app, 'app.js', 'one');
  const allowed = ['-c', 'protocol.file.allow=always'];
  git(colleague, ...allowed, 'submodule', '--quiet', 'add', app, 'app');
  commit(colleague, 'config.d/web.yaml', 'with it');
  push();
  git(here, ...allowed, 'pull', '--quiet', '--recurse-submodules');
  git(here, ...allowed, 'submodule', '--quiet', 'update', '--init');
  commit(app, 'app.js', 'two');
  git(join(colleague, 'app'), ...allowed, 'pull', '--quiet');
  commit(colleague, 'config.d/web.yaml', 'moved');
  push();
  git(here, 'pull', '--quiet', '--no-recurse-submodules');
  commit(colleague, 'config.d/web.yaml', 'next');
  push();
  expect(git(here, 'status', '--porcelain')).toMatch(/^M? ?M app$/);
  expect(await obstacle()).toBeUndefined();
});

describe('the branches have parted', () => {
  it('by commits of this host', async () => {
    commit(here, 'config.d/own.yaml', 'mine');
    commit(colleague, 'config.d/web.yaml', 'two');
    push();
    expect(await obstacle()).toBe('main has commits of its own; bring it and its remote together by hand');
  });

  it.each([1, 2])('by a remote that was rewritten, also after %i rewritings', async (times) => {
    for (let time = 0; time < times; time++) {
      commit(colleague, 'config.d/web.yaml', `other ${time}`, '--amend');
      push('--force');
      expect(await obstacle()).toMatch(/was rewritten.* reset --keep @\{upstream\} takes the new one$/);
    }
    git(here, 'reset', '--quiet', '--keep', '@{upstream}');
    expect(fs.readFileSync(join(here, 'config.d/web.yaml'), 'utf8')).toBe(`other ${times - 1}`);
  });
});

it('a branch that is gone from the remote is not taken for one without news', async () => {
  git(join(ground, 'remote.git'), 'branch', '-m', 'main', 'other');
  const checkout = GitCheckout.around(here);
  const fetched = await checkout?.fetch({ remote: 'origin', ref: 'refs/heads/main' });
  expect(fetched?.code).not.toBe(0);
  expect(fetched?.stderr).toMatch(/^origin has no branch main any more/);
});
