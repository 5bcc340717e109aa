/** A configuration directory in memory, and what comes out of it. */
import { type Reading, readDefinition } from '../../src/config/definition.ts';
import { ServiceDirectory, type ServiceDirectoryInput } from '../../src/config/load.ts';
import { resolveDefinition } from '../../src/config/resolve.ts';
import type { Problem } from '../../src/model/problem.ts';
import { sentence } from '../../src/model/problem.ts';
import type { Defined, ServiceSpec } from '../../src/model/spec.ts';
import type { Users } from '../../src/world/world.ts';
import { TwinFiles } from '../twins/files.ts';
import { twinUsers } from '../twins/users.ts';

export interface Surroundings {
  readonly files?: TwinFiles;
  readonly as?: 'root' | 'www-data';
  readonly vars?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly defaults?: Readonly<Record<string, unknown>>;
  readonly path?: string;
}

export const HOST = { cpus: 4, zone: 'UTC' };

/** The service that /etc/pm/config.d/web.yaml with this text defines, or the problems as sentences. */
export function define(text: string, around: Surroundings = {}): Defined | readonly string[] {
  const reading = read(text, around);
  if (reading.kind === 'bad') return reading.problems.map(sentence);
  const users = twinUsers(around.as ?? 'root');
  const resolved = resolveDefinition(reading.definition, around.files ?? new TwinFiles(), users);
  return resolved.kind === 'good' ? resolved.desired : resolved.problems.map(sentence);
}

/** The same; a text with problems fails the test. */
export function specOf(text: string, around: Surroundings = {}): ServiceSpec {
  return defined(text, around).spec;
}

export function defined(text: string, around: Surroundings = {}): Defined {
  const result = define(text, around);
  if (!('spec' in result)) throw new Error(result.join('\n'));
  return result;
}

export function problemsOf(text: string, around: Surroundings = {}): readonly string[] {
  const result = define(text, around);
  return 'spec' in result ? [] : result;
}

export function read(text: string, around: Surroundings = {}): Reading {
  const path = around.path ?? '/etc/pm/config.d/web.yaml';
  const settings = {
    service_defaults: around.defaults ?? {},
    vars: around.vars ?? {},
    state_directory: '/var/lib/pm',
  };
  const root = (around.as ?? 'root') === 'root';
  const file = { path, shown: path.replace('/etc/pm/', '') };
  return readDefinition(text, file, {
    settings,
    environment: around.env ?? {},
    root,
    host: HOST,
  });
}

/** A definition that lacks nothing, with more lines after it. */
export function web(...lines: string[]): string {
  return ['process:', '  command: [sleep, "60"]', ...lines, ''].join('\n');
}

export function directoryOf(
  files: TwinFiles,
  change: Partial<ServiceDirectoryInput['settings']> = {},
  users: Users = twinUsers(),
): ServiceDirectory {
  const settings = {
    file: null,
    config_directory: '/etc/pm/config.d',
    state_directory: '/var/lib/pm',
    service_defaults: {},
    vars: {},
    ...change,
  };
  return new ServiceDirectory({ files, users, host: HOST, settings, environment: {}, cwd: '/etc/pm' });
}

/** Files of the configuration directory by base name. */
export function filesWith(texts: Readonly<Record<string, string>>): TwinFiles {
  const files = new TwinFiles();
  files.mkdir('/etc/pm/config.d');
  for (const [name, text] of Object.entries(texts)) files.write(`/etc/pm/config.d/${name}`, text);
  return files;
}

export function sentences(problems: readonly Problem[]): readonly string[] {
  return problems.map(sentence);
}
