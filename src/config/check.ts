/** Is the configuration right, judged without a daemon? */
import { resolve } from 'node:path';
import type { Problem } from '../model/problem.ts';
import type { HostFacts } from '../world/host-facts.ts';
import { ServiceDirectory } from './load.ts';
import { loadSettings, type SettingsInput } from './settings.ts';

export interface CheckInput extends SettingsInput {
  readonly host: HostFacts;
  /** Service files to look at, relative to `cwd`; without it all of the configuration directory. */
  readonly only?: readonly string[];
}

export interface CheckResult {
  readonly files: number;
  readonly errors: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** True of this host and this user, not of the files: a check often runs elsewhere than the daemon will. */
const OF_THIS_HOST: ReadonlySet<string> = new Set(['user-unknown', 'privilege-missing']);

/** Everything that is wrong with the master file and the service files. Writes nothing. */
export function checkDirectory({ only, ...input }: CheckInput): CheckResult {
  const loaded = loadSettings(input);
  if ('problems' in loaded) return sorted(0, loaded.problems);
  const directory = new ServiceDirectory({
    files: input.files,
    users: input.users,
    host: input.host,
    settings: loaded.settings,
    environment: input.env,
    cwd: input.cwd,
  });
  const found = directory.check(only?.map((path) => resolve(input.cwd, path)));
  return sorted(found.files, [...loaded.warnings, ...found.problems]);
}

function sorted(files: number, problems: readonly Problem[]): CheckResult {
  const judged = problems.map((problem): Problem => {
    return OF_THIS_HOST.has(problem.code) ? { ...problem, severity: 'warning' } : problem;
  });
  return {
    files,
    errors: judged.filter((problem) => problem.severity === 'error'),
    warnings: judged.filter((problem) => problem.severity === 'warning'),
  };
}
