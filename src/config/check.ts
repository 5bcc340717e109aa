/** Is the configuration right, judged without a daemon? */
import { resolve } from 'node:path';
import type { Problem } from '../model/problem.ts';
import type { HostFacts } from '../world/host-facts.ts';
import { type Checked, ServiceDirectory } from './load.ts';
import type { Unchecked } from './named-files.ts';
import { unreadDirectories } from './service-files.ts';
import { loadSettings, type SettingsInput } from './settings.ts';

export interface CheckInput extends SettingsInput {
  readonly host: HostFacts;
  /** Service files to tell of, relative to `cwd`; without it all of the configuration directory. */
  readonly only?: readonly string[];
}

export interface CheckResult {
  readonly files: number;
  readonly errors: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** What nobody could judge, as the file lies outside of the configuration directory. */
  readonly unchecked: readonly Unchecked[];
}

/** True of this host and this user, not of the files: a check often runs elsewhere than the daemon will. */
const OF_THIS_HOST: ReadonlySet<string> = new Set([
  'user-unknown',
  'user-database-unavailable',
  'privilege-missing',
]);

/** Everything that is wrong with the master file and the service files. Writes nothing. */
export function checkDirectory({ only, ...input }: CheckInput): CheckResult {
  const loaded = loadSettings(input);
  if ('problems' in loaded) return sorted({ files: 0, problems: loaded.problems, unchecked: [] });
  const directory = new ServiceDirectory({
    files: input.files,
    users: input.users,
    host: input.host,
    settings: loaded.settings,
    environment: input.env,
    cwd: input.cwd,
  });
  const found = directory.check(only?.map((path) => resolve(input.cwd, path)));
  // Who names files has said which ones are meant.
  const unread =
    only === undefined ? unreadDirectories(loaded.settings.config_directory, input.files, input.cwd) : [];
  return sorted({ ...found, problems: [...loaded.warnings, ...found.problems, ...unread] });
}

function sorted({ files, problems, unchecked }: Checked): CheckResult {
  const judged = problems.map((problem): Problem => {
    return OF_THIS_HOST.has(problem.code) ? { ...problem, severity: 'warning' } : problem;
  });
  return {
    files,
    errors: judged.filter((problem) => problem.severity === 'error'),
    warnings: judged.filter((problem) => problem.severity === 'warning'),
    unchecked,
  };
}
