/** Has what was read back the form of what this program writes? What has another one is damaged. */

type Kind = 'number' | 'string' | 'boolean' | 'list' | 'map';

/** With a `?` it may be null. What an earlier release did not know is not there at all. */
type Form = Readonly<Record<string, Kind | `${Kind}?`>>;

const ASKED: Form = {
  ...{ by: 'string', at: 'number', reason: 'string', until: 'number' },
  ...{ instances: 'number', file: 'number' },
};
const INTENT: Form = {
  ...{ stopped: 'map', held: 'map', scale: 'map' },
  ...{ removalApproved: 'boolean', removalHeld: 'boolean', goneAt: 'number' },
  ...{ minGeneration: 'number', pardon: 'number', reloads: 'number', triggers: 'number' },
};
const MEMORY: Form = {
  ...{ generation: 'number', generationHash: 'string?', slots: 'map', runs: 'map', triggered: 'number' },
  ...{ rejected: 'map?', job: 'map?', due: 'map?' },
};
const SLOT: Form = {
  ...{ restarts: 'number', exits: 'list', crashes: 'list', attempt: 'number', generation: 'number' },
  ...{ next: 'map?', end: 'map?', preStart: 'map?', renewed: 'boolean' },
};
const EXIT: Form = {
  ...{ outcome: 'map', at: 'number', by: 'string', run: 'string?', uptime: 'number' },
  ...{ logFrom: 'number', errFrom: 'number' },
};
const RUN: Form = {
  ...{ main: 'map?', stop: 'map?', noted: 'boolean', met: 'boolean', probes: 'map' },
  ...{ untold: 'boolean', postStarted: 'boolean', everReady: 'boolean' },
  ...{ readySince: 'number?', port: 'number?', logFrom: 'number', errFrom: 'number?', reloaded: 'number' },
};
const JOB: Form = { pending: 'map?', queued: 'number?', skipped: 'map' };
const DUE: Form = { run: 'string', slot: 'number?', before: 'string' };
const SPEC: Form = {
  ...{ name: 'string', process: 'map', instances: 'number', rollout: 'map', restart_policy: 'map' },
  ...{ probes: 'map', depends_on: 'map', hooks: 'map', resources: 'map', logs: 'map', labels: 'map' },
};
const PROCESS: Form = {
  ...{ command: 'list', args: 'list', working_directory: 'string', env: 'map', env_files: 'list' },
  ...{ stop_signal: 'string', stop_command: 'list?', stop_grace: 'number', schedule: 'map?' },
};

/** Of one service, in `intent.json`. */
export function isIntent(value: unknown): boolean {
  return (
    has(value, INTENT) &&
    ['stopped', 'held', 'scale'].every((key) => value[key] === undefined || has(value[key], ASKED))
  );
}

/** In `memory.json`. */
export function isMemory(value: unknown): boolean {
  if (value === null) return true;
  return (
    has(value, MEMORY) &&
    each(value['slots'], (slot) => has(slot, SLOT) && each(slot['exits'], (exit) => has(exit, EXIT))) &&
    each(value['runs'], (run) => has(run, RUN) && each(run['probes'], isMap)) &&
    (value['job'] == null || has(value['job'], JOB)) &&
    (value['due'] == null || has(value['due'], DUE))
  );
}

/** In `applied.json`: definitions by their hash. */
export function areSpecs(value: unknown): boolean {
  return isMap(value) && each(value, (spec) => has(spec, SPEC) && has(spec['process'] ?? {}, PROCESS));
}

/** The entries of a state file, by the name of the service. */
export function isOfServices(value: unknown, isFit: (entry: unknown) => boolean): boolean {
  return isMap(value) && each(value, isFit);
}

function has(value: unknown, form: Form): value is Readonly<Record<string, unknown>> {
  if (!isMap(value)) return false;
  return Object.entries(form).every(([key, wanted]) => {
    const found = Object.hasOwn(value, key) ? value[key] : undefined;
    if (found === undefined) return true;
    if (found === null) return wanted.endsWith('?');
    return kindOf(found) === wanted.replace('?', '');
  });
}

/** A number beyond all times is none that was written here. */
function kindOf(value: unknown): string {
  if (typeof value === 'number' && Number.isNaN(new Date(value).getTime())) return 'nothing';
  if (Array.isArray(value)) return 'list';
  return typeof value === 'object' ? 'map' : typeof value;
}

/** All items of a list, or values of a map; what is not there has none. */
function each(value: unknown, isFit: (one: unknown) => boolean): boolean {
  return Object.values(value ?? {}).every(isFit);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
