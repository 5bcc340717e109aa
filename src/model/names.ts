/** What are things called, and which strings may be a name? */

declare const brand: unique symbol;
type Brand<Base, Tag> = Base & { readonly [brand]: Tag };

/** The name of a service; safe as one path component. Made only by {@link serviceName}. */
export type ServiceName = Brand<string, 'ServiceName'>;

/** Digest of the fields that a process is started with (apply classes roll and replace): 12 hexadecimal digits. */
export type SpecHash = Brand<string, 'SpecHash'>;

/** One incarnation of one instance: unique on this host, sortable by start time. */
export type RunId = Brand<string, 'RunId'>;

/** The identity of a run. It is written into the name of its cgroup, so nothing can disagree with the kernel. */
export interface RunKey {
  readonly service: ServiceName;
  /** Which of the N places of the service this run fills; 0-based. */
  readonly slot: number;
  /** Which version of the definition: counts up with each change that starts new processes. */
  readonly generation: number;
  readonly hash: SpecHash;
  readonly id: RunId;
}

const SERVICE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const RESERVED: ReadonlySet<string> = new Set(['all']);

/** Text to a service name, or a sentence that says why it cannot be one. */
export function serviceName(text: string): ServiceName | { readonly refused: string } {
  if (!SERVICE_NAME.test(text)) {
    return {
      refused: `${JSON.stringify(text)} is no service name: 1 to 64 of A-Z a-z 0-9 . _ - and a letter or digit first`,
    };
  }
  if (RESERVED.has(text)) return { refused: `"${text}" is reserved: commands use it for every service` };
  return text as ServiceName;
}

/** True for text that {@link serviceName} accepts. */
export function isServiceName(text: string): text is ServiceName {
  return typeof serviceName(text) === 'string';
}

/** Numbers as they are written, without zeros before them: two names must not be the same run. */
const RUN_DIRECTORY = /^(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,8})\.([0-9a-f]{12})\.([0-9a-z]{8,9}-[0-9a-z]{4,8})$/;

/** The directory name of a run: `<slot>.<generation>.<spec hash>.<run id>`. */
export function runDirectory(key: RunKey): string {
  return `${key.slot}.${key.generation}.${key.hash}.${key.id}`;
}

/** The inverse of {@link runDirectory}; undefined for a directory that is not a run of ours. */
export function parseRunDirectory(service: ServiceName, text: string): RunKey | undefined {
  const match = RUN_DIRECTORY.exec(text);
  if (match === null) return undefined;
  const [, slot, generation, hash, id] = match;
  if (slot === undefined || generation === undefined || hash === undefined || id === undefined)
    return undefined;
  return {
    service,
    slot: Number(slot),
    generation: Number(generation),
    hash: hash as SpecHash,
    id: id as RunId,
  };
}

/** A run id: the start time in base 36 (milliseconds since 1970), so that ids sort by age, and a random tail. */
export function runId(startedAt: number, tail: string): RunId {
  return `${Math.max(0, Math.floor(startedAt)).toString(36).padStart(8, '0')}-${tail}` as RunId;
}

/** An id for a run that starts at this time: its tail is six characters of chance. */
export function drawRunId(startedAt: number, chance: number): RunId {
  const tail = Math.floor(chance * 36 ** 6)
    .toString(36)
    .padStart(6, '0');
  return runId(startedAt, tail);
}

/** When the run of this id was started, in milliseconds since 1970. */
export function startOfRun(id: RunId): number {
  return Number.parseInt(id.slice(0, id.indexOf('-')), 36);
}
