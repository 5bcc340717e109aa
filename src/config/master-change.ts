/** Does the master file still say what the daemon goes by? It is read at its start, and never after. */
import { resolve } from 'node:path';
import type { Problem } from '../model/problem.ts';
import { isSame } from '../model/same.ts';
import type { Settings } from '../model/settings.ts';
import type { DesiredState } from '../model/spec.ts';
import { type Files, isFailure } from '../world/world.ts';
import { shownPath } from './service-files.ts';
import type { SettingsResult } from './settings.ts';

export interface MasterInput {
  readonly settings: Settings;
  readonly files: Pick<Files, 'status'>;
  readonly cwd: string;
  /** Everything as at the start, but for what the file says now. */
  readonly again: () => SettingsResult;
}

export class MasterChange {
  readonly #input: MasterInput;
  readonly #path: string;
  #version: string;
  #problem: Problem | undefined;

  constructor(input: MasterInput) {
    this.#input = input;
    this.#path = input.settings.file ?? resolve(input.cwd, 'config.yaml');
    this.#version = this.#look();
  }

  /** What is told with the problems of the service files, for it is mostly for them that somebody has changed it. */
  toldWith(state: DesiredState): DesiredState {
    const version = this.#look();
    if (version !== this.#version) {
      this.#version = version;
      this.#problem = this.#compare();
    }
    return this.#problem === undefined ? state : { ...state, problems: [this.#problem, ...state.problems] };
  }

  #look(): string {
    const status = this.#input.files.status(this.#path);
    return isFailure(status) ? status.failed : status.version;
  }

  #compare(): Problem | undefined {
    const { settings, cwd, again } = this.#input;
    const base = { code: 'settings-changed', severity: 'warning', file: shownPath(this.#path, cwd) } as const;
    const now = again();
    if ('problems' in now) {
      const [first] = now.problems;
      const message = `${first?.message ?? 'it has mistakes'}; the daemon goes by what it said before, and could not be started again`;
      return { ...base, ...placeOf(first), message };
    }
    const keys = changedKeys(settings, now.settings);
    if (keys.length === 0) return undefined;
    const message = `the daemon goes by what the master file said when it was started; since then it has changed in ${keys.join(', ')}`;
    return { ...base, message, hint: 'restart the daemon, its services go on meanwhile' };
  }
}

function placeOf(problem: Problem | undefined): Pick<Problem, 'file' | 'line' | 'column'> {
  if (problem?.file === undefined) return {};
  const { file, line, column } = problem;
  return { file, ...(line === undefined ? {} : { line }), ...(column === undefined ? {} : { column }) };
}

function changedKeys(before: Settings, now: Settings): readonly string[] {
  return Object.entries(now).flatMap(([key, value]) => {
    const was: unknown = Reflect.get(before, key);
    return key === 'file' || isSame(was, value) ? [] : [key];
  });
}
