/** May a service that was described on a command line become a file, and may the file of a service be removed? */
import { dirname, join, resolve } from 'node:path';
import { serviceName } from '../model/names.ts';
import type { NewService } from '../model/new-service.ts';
import type { Problem } from '../model/problem.ts';
import type { Desired } from '../model/spec.ts';
import { type FileMaking, type Files, isFailure } from '../world/world.ts';
import { readDefinition } from './definition.ts';
import { failureText } from './failure-text.ts';
import type { ServiceDirectoryInput } from './load.ts';
import { newServiceMode, newServiceText } from './new-service-text.ts';
import { resolveDefinition } from './resolve.ts';
import { isServiceFile, shownPath } from './service-files.ts';

export interface DefinePlace extends ServiceDirectoryInput {
  readonly files: Files & FileMaking;
}

export type Written =
  /** `was`: a file that says the very same was there already and is left as it is. */
  { readonly file: string; readonly was: 'new' | 'the_same' } | { readonly problems: readonly Problem[] };

/** Larger files are no service files. Bytes. */
const FILE_LIMIT = 1_048_576;

/**
 * Writes `<name>.yaml` into the configuration directory, as a whole and only if nothing of that name is there. What the
 * reader of the configuration does not accept is not written.
 */
export function defineService(service: NewService, place: DefinePlace): Written {
  const { settings, environment, users, host, files, cwd } = place;
  const name = serviceName(service.name);
  if (typeof name !== 'string')
    return refuse('name-invalid', name.refused, 'give it another one with --name');
  const path = join(settings.config_directory, `${name}.yaml`);
  const shown = shownPath(path, cwd);
  const text = newServiceText(service, settings);
  const there = fileOfThatName(name, place);
  if (there !== undefined) {
    const same = there === path && files.read(path, FILE_LIMIT) === text;
    return same ? { file: shown, was: 'the_same' } : occupied(name, shownPath(there, cwd));
  }
  const context = { settings, environment, root: users.self.uid === 0, host };
  const reading = readDefinition(text, { path, shown }, context);
  if (reading.kind === 'bad') return { problems: unplaced(reading.problems) };
  const resolved = resolveDefinition(reading.definition, files, users);
  if (resolved.kind === 'bad') return { problems: unplaced(resolved.problems) };
  const missing = directoryMissing(service.directory, files);
  if (missing !== undefined) return { problems: [missing] };
  const failure = files.create(path, text, { mode: newServiceMode(service), durable: true });
  if (failure === undefined) return { file: shown, was: 'new' };
  if (failure.failed === 'EEXIST') return occupied(name, shown);
  return refuse('file-unreadable', `${shown} cannot be written (${failure.failed})`);
}

/** The file of a service that may be removed, or why it must be done by hand. */
export function removableFile(desired: Desired, place: DefinePlace): { readonly path: string } | Problem {
  const { files, settings, cwd } = place;
  const path = resolve(cwd, desired.file);
  const keep = (message: string, hint: string): Problem => ({
    code: 'file-odd',
    severity: 'error',
    message: `${desired.file} ${message}`,
    hint,
  });
  const others = desired.problems.filter(({ code }) => code === 'name-duplicate');
  if (others.length > 0) {
    const named = others.flatMap(({ file }) => file ?? []).join(', ');
    return keep(`is not the only file that defines it: ${named}`, 'remove by hand those that are too many');
  }
  if (dirname(path) !== resolve(settings.config_directory)) {
    return keep('does not lie in the configuration directory', 'remove it by hand');
  }
  const target = files.linkTarget(path);
  if (typeof target === 'string') {
    return keep(
      `is a symbolic link to ${target}`,
      'remove the link by hand, what it leads to may belong to others',
    );
  }
  if (target !== undefined) {
    // What is gone already need not be removed.
    return target.failed === 'ENOENT' ? { path } : keep(failureText(target), 'remove it by hand');
  }
  const other = otherService(path, desired, place);
  if (other !== undefined) return keep(`defines ${other} by now`, 'pmctl update makes it so');
  return { path };
}

/** The name of another service that the file defines since it was read last. */
function otherService(path: string, { name }: Desired, place: DefinePlace): string | undefined {
  const { files, settings, environment, users, host, cwd } = place;
  const text = files.read(path, FILE_LIMIT);
  if (isFailure(text)) return undefined;
  const context = { settings, environment, root: users.self.uid === 0, host };
  const reading = readDefinition(text, { path, shown: shownPath(path, cwd) }, context);
  if (reading.kind === 'good') return reading.definition.name === name ? undefined : reading.definition.name;
  const { claim } = reading;
  return claim.sure && claim.name !== undefined && claim.name !== name ? claim.name : undefined;
}

/** `web.yml` and `web.YAML` would define the same service. */
function fileOfThatName(name: string, { files, settings }: DefinePlace): string | undefined {
  const names = files.list(settings.config_directory);
  if (isFailure(names)) return undefined;
  const found = names.find((each) => isServiceFile(each) && each.replace(/\.ya?ml$/i, '') === name);
  return found === undefined ? undefined : join(settings.config_directory, found);
}

function directoryMissing(directory: string, files: Files): Problem | undefined {
  const status = files.status(directory);
  if (!isFailure(status) && status.kind === 'directory') return undefined;
  const reason = isFailure(status) ? failureText(status) : 'is no directory';
  return {
    code: 'working-directory-missing',
    severity: 'error',
    message: `the working directory ${directory} ${reason}`,
  };
}

function occupied(name: string, shown: string): Written {
  const hint = `pmctl delete ${name} removes it, --name gives this one another name`;
  return refuse('name-duplicate', `${shown} exists already and is not overwritten`, hint);
}

function refuse(code: Problem['code'], message: string, hint?: string): Written {
  return { problems: [{ code, severity: 'error', message, ...(hint === undefined ? {} : { hint }) }] };
}

/** Nobody can look up a line of a file that was never written; the key path tells enough. */
function unplaced(problems: readonly Problem[]): readonly Problem[] {
  return problems.map(({ file: _, line: __, column: ___, ...problem }) => problem);
}
