/** How do `enable` and `disable` edit the files of services, and bring only these in force? */
import type { CommandRequest } from '../api/contract.ts';
import type { ServiceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import type { Cause } from './history.ts';
import type { Loop } from './loop.ts';

export interface EnablingTools {
  readonly loop: Pick<Loop, 'desired' | 'reload'>;
  /** Sets `enabled:` in this file of a service; everything else of it stays. `same`: it says so already. */
  readonly setEnabled: (file: string, enabled: boolean) => 'set' | 'same' | Problem;
  /** The directory was read, and is followed now. */
  readonly followed: (cause: Cause) => void;
}

/** What came of a command before anybody waits for its outcome. */
export interface Applied {
  readonly problem: ReadonlyMap<ServiceName, Problem>;
  /** What the command asks for was so before. */
  readonly already: ReadonlySet<string>;
}

export function enableInFiles(
  { loop, setEnabled, followed }: EnablingTools,
  { verb, by }: Pick<CommandRequest, 'verb' | 'by'>,
  services: Iterable<ServiceName>,
): Applied {
  const problem = new Map<ServiceName, Problem>();
  const already = new Set<string>();
  const changed = new Set<string>();
  const enabled = verb === 'enable';
  for (const name of services) {
    const desired = loop.desired.services.get(name);
    const answer = desired === undefined ? noFileOf(name) : setEnabled(desired.file, enabled);
    if (typeof answer === 'object') problem.set(name, answer);
    else if (answer === 'same' && desired?.kind === 'defined' && desired.spec.enabled === enabled)
      already.add(name);
    else changed.add(name);
  }
  if (changed.size > 0) {
    // Whatever else lies changed in the directory is not part of the command.
    loop.reload(changed);
    followed({ trigger: 'command', by });
  }
  return { problem, already };
}

function noFileOf(service: ServiceName): Problem {
  return { code: 'file-unreadable', severity: 'error', message: `no file defines ${service}` };
}
