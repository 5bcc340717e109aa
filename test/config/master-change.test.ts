/** Is it told that the master file says something else than when the daemon was started? */
import { expect, test } from 'vitest';
import { MasterChange } from '../../src/config/master-change.ts';
import { loadSettings } from '../../src/config/settings.ts';
import { sentence } from '../../src/model/problem.ts';
import type { DesiredState } from '../../src/model/spec.ts';
import { problem } from '../builders.ts';
import { TwinFiles } from '../twins/files.ts';
import { twinUsers } from '../twins/users.ts';

const OWN = problem({ message: 'something else' });
const STATE: DesiredState = { services: new Map(), problems: [OWN], files: 0, readable: true };
const FILE = '/etc/pm/config.yaml';
const BEFORE = 'vars: {site: a}\nprune: {max_percent: 40}\n';

/** What is told of a file with this text, before and after it has become another one. */
function told(before: string | undefined, given: { readonly file?: string } = {}) {
  const files = new TwinFiles();
  if (before !== undefined) files.write(FILE, before);
  let loads = 0;
  const again = () => {
    loads += 1;
    return loadSettings({
      ...{ cwd: '/etc/pm', env: {}, flags: {}, files, users: twinUsers('root'), hostname: 'h1' },
      ...given,
    });
  };
  const loaded = again();
  if ('problems' in loaded) throw new Error('the first text is good');
  loads = 0;
  const change = new MasterChange({ settings: loaded.settings, files, cwd: '/etc/pm', again });
  const problems = () => change.toldWith(STATE).problems.filter((each) => each !== OWN);
  return { files, problems, sentences: () => problems().map(sentence), loads: () => loads };
}

test('nothing, and nothing is read, while it is the same file', () => {
  const { problems, loads } = told(BEFORE);
  expect(problems()).toEqual([]);
  expect(loads()).toBe(0);
});

test('which keys have changed, until it says the same again; it is read once for each change', () => {
  const { files, problems, sentences, loads } = told(BEFORE);
  files.write(FILE, 'vars: {site: b, new: c}\nservice_defaults: {instances: 2}\nprune: {max_percent: 40}\n');
  expect(problems()).toMatchObject([{ code: 'settings-changed', severity: 'warning', file: 'config.yaml' }]);
  expect(sentences()).toEqual([
    'config.yaml  the daemon goes by what the master file said when it was started; since then it has changed in service_defaults, vars; restart the daemon, its services go on meanwhile',
  ]);
  expect(loads()).toBe(1);
  files.write(FILE, `# a comment\n${BEFORE}`);
  expect(problems()).toEqual([]);
});

test('that the daemon would not start by it any more', () => {
  const { files, sentences } = told(BEFORE);
  files.write(FILE, 'prune: {max_percent: 400}\n');
  expect(sentences()).toEqual([
    'config.yaml:1:22  prune.max_percent: 400 is more than 100; the daemon goes by what it said before, and could not be started again',
  ]);
});

test('of one that was named and is gone, and of one that is there at last', () => {
  const gone = told(BEFORE, { file: 'config.yaml' });
  gone.files.remove(FILE);
  expect(gone.sentences()).toEqual([expect.stringContaining('does not exist')]);
  const found = told(undefined);
  expect(found.problems()).toEqual([]);
  found.files.write(FILE, BEFORE);
  expect(found.sentences()).toEqual([expect.stringContaining('has changed in prune, vars;')]);
});
