/** How does a program describe a service that has no file yet? */
import { extname, resolve } from 'node:path';
import { serviceName } from '../model/names.ts';
import type { NewService } from '../model/new-service.ts';
import { COUNT_OR_AUTO, FLAG, PATH, TEXT, TEXT_OR_TEXTS, TEXTS, VARIABLES } from './kinds.ts';
import { type KeysOf, onlyKnown } from './known-keys.ts';
import { ProcessmasterError } from './processmaster-error.ts';

/** Either `command` or `script`. */
export interface ServiceRequest {
  readonly name: string;
  /** argv, in which nothing is substituted; or a text, which is given to `/bin/sh -c`. */
  readonly command?: string | readonly string[];
  /** A file: JavaScript and TypeScript run with `node`, `.py` with `python3`, `.sh` with `sh`, all else by itself. */
  readonly script?: string;
  /** Appended to the command or the script. */
  readonly args?: readonly string[];
  /** Relative to the working directory of this program, which is the default. */
  readonly directory?: string;
  readonly instances?: number | 'auto';
  readonly port?: number | 'auto';
  readonly env?: Readonly<Record<string, string>>;
  /** Who runs it, where the daemon is root. */
  readonly user?: string;
  /** Five fields of cron: when it is run. */
  readonly schedule?: string;
  /** Restarted when a file below `directory` changes; a crash at the start waits for the next change. */
  readonly dev?: boolean;
}

const KEYS: KeysOf<ServiceRequest> = {
  ...{ name: TEXT, command: TEXT_OR_TEXTS, script: PATH, args: TEXTS, directory: PATH },
  ...{ instances: COUNT_OR_AUTO, port: COUNT_OR_AUTO, env: VARIABLES, user: TEXT, schedule: TEXT, dev: FLAG },
};

/**
 * @param from the working directory of this program
 * @throws ProcessmasterError with the code `invalid`
 */
export function newService(request: ServiceRequest, from: string): NewService {
  onlyKnown('key', request, KEYS);
  const { name, directory, instances, port, env, user, schedule, dev } = request;
  if (name === undefined) throw new ProcessmasterError('invalid', 'name: a service needs one');
  const checked = serviceName(name);
  if (typeof checked !== 'string') throw new ProcessmasterError('invalid', checked.refused);
  const place = resolve(from, directory ?? '.');
  return {
    name: checked,
    command: commandOf(request, place),
    directory: place,
    ...(instances === undefined ? {} : { instances }),
    ...(port === undefined ? {} : { port }),
    ...(env === undefined ? {} : { env }),
    ...(user === undefined ? {} : { user }),
    ...(schedule === undefined ? {} : { schedule }),
    ...(dev === undefined ? {} : { dev }),
  };
}

function commandOf(
  { name, command, script, args = [] }: ServiceRequest,
  directory: string,
): readonly string[] {
  if ((command === undefined) === (script === undefined)) {
    throw new ProcessmasterError('invalid', `${name}: give either a command or a script`);
  }
  if (script !== undefined) {
    const file = resolve(directory, script);
    return [...interpreterOf(file), file, ...args];
  }
  // The first word after the text is $0 of the shell.
  if (typeof command === 'string') return ['/bin/sh', '-c', command, ...args];
  return [...(command ?? []), ...args];
}

function interpreterOf(file: string): readonly string[] {
  switch (extname(file)) {
    case '.js':
    case '.mjs':
    case '.cjs':
    case '.ts':
    case '.mts':
    case '.cts':
      return ['node'];
    case '.py':
      return ['python3'];
    case '.sh':
      return ['sh'];
    default:
      return [];
  }
}
