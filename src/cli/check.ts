/** `check`: are the files right, judged offline? The only place of pmctl that can read YAML. */
import { hostname } from 'node:os';
import { configError } from '../api/contract.ts';
import { checkDirectory } from '../config/check.ts';
import { loadSettings, type SettingsInput } from '../config/settings.ts';
import { sentence } from '../model/problem.ts';
import { systemFiles } from '../world/files.ts';
import { hostFacts } from '../world/host-facts.ts';
import { systemUsers } from '../world/users.ts';
import { type Call, printJson, printLines } from './call.ts';
import type { Exit } from './exit-codes.ts';
import { type Refusal, refusal } from './refusal.ts';
import { type CheckView, renderCheck } from './render-check.ts';
import type { Terminal } from './terminal.ts';

/** The named files, or all of the configuration directory. Exit 1 when there are errors; warnings are none. */
export async function check(call: Call): Promise<Exit> {
  const { words, options, terminal, paint } = call;
  const found = checkDirectory({
    ...settingsInput(options.config, terminal),
    host: hostFacts(),
    ...(words.length === 0 ? {} : { only: words }),
  });
  const view: CheckView = {
    files: found.files,
    errors: found.errors.map(configError),
    warnings: found.warnings.map(configError),
    unchecked: found.unchecked,
  };
  if (options.json) printJson(call, view);
  else printLines(call, renderCheck(view, paint));
  return view.errors.length > 0 ? 'error' : 'fine';
}

/** Where a daemon with this master file and environment would listen. */
export function sockPathBySettings(file: string, terminal: Terminal): string | Refusal {
  const loaded = loadSettings(settingsInput(file, terminal));
  if ('settings' in loaded) return loaded.settings.sock_path;
  const [first, ...more] = loaded.problems;
  const told = first === undefined ? `${file} has errors` : sentence(first);
  const rest = more.length === 0 ? '' : ` (and ${more.length} more: pmctl check)`;
  return refusal('error', first?.code ?? 'value-invalid', told + rest);
}

function settingsInput(file: string | undefined, terminal: Terminal): SettingsInput {
  return {
    ...(file === undefined ? {} : { file }),
    cwd: terminal.directory,
    env: terminal.environment,
    flags: {},
    files: systemFiles(),
    users: systemUsers(),
    hostname: hostname(),
  };
}
