/** Which service does the text of one file define? */
import { basename, dirname } from 'node:path';
import { type ServiceName, serviceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import type { Settings } from '../model/settings.ts';
import type { HostFacts } from '../world/host-facts.ts';
import { crossChecks } from './cross-checks.ts';
import { SERVICE_DEFAULTS } from './generated/defaults.ts';
import type { CompleteService } from './generated/types.ts';
import { interpolate } from './interpolate.ts';
import { SERVICE_TREE } from './key-tree.ts';
import { LaterSource } from './later-source.ts';
import { type Draft, normalise } from './normalise.ts';
import { bounded, parseYaml } from './parse.ts';
import { quickYaml } from './quick-yaml.ts';
import { emptyMap, isMap, merged, type Origin, problemAt, type RawMap } from './raw-tree.ts';
import { readUnits } from './read-units.ts';
import { longForms, originOfLongForms, overInherited, withDefaultsWhereGiven } from './short-forms.ts';
import { oneSpelling } from './spelling.ts';
import { validate } from './validate.ts';
import { type WhoWanted, whoWanted } from './who.ts';
import { isTakenFrom, without } from './without.ts';

/** What a definition depends on besides its own text. */
export interface DefinitionContext {
  readonly settings: Pick<Settings, 'service_defaults' | 'vars' | 'state_directory'>;
  /** The environment of the daemon. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether the daemon is root. */
  readonly root: boolean;
  readonly host: HostFacts;
}

export interface DefinitionFile {
  /** Absolute, as configured: symbolic links are not followed. */
  readonly path: string;
  /** As shown to people. */
  readonly shown: string;
}

/** How a file is called whose definition cannot be told: `sure`, when its `name:` could be read. */
export interface Claim {
  readonly name: ServiceName | undefined;
  readonly sure: boolean;
}

export interface Definition {
  readonly name: ServiceName;
  readonly draft: Draft;
  readonly who: WhoWanted;
  readonly source: LaterSource;
  readonly warnings: readonly Problem[];
}

export type Reading =
  | { readonly kind: 'good'; readonly definition: Definition }
  | {
      readonly kind: 'bad';
      readonly problems: readonly Problem[];
      readonly claim: Claim;
      /** What the text says besides its mistakes: only to tell of the files and users in it, never to be run. */
      readonly besides?: Definition;
    };

/** What came of reading a tree. */
interface Attempt {
  readonly problems: readonly Problem[];
  /** Whether the tree itself was right: then the problems are about what its values mean together. */
  readonly whole: boolean;
  /** Undefined where the problems leave none. */
  readonly definition: Definition | undefined;
}

interface Place {
  readonly file: DefinitionFile;
  readonly context: DefinitionContext;
  readonly source: Origin;
  readonly text: string;
  readonly name: ServiceName;
}

/** For a file whose own name is none. */
const STAND_IN = 'unnamed' as ServiceName;

/** What is wrong is taken out this often: a value may be wrong only because another one was. */
const ROUNDS = 4;

/** Pure: the same text in the same context is the same definition. */
export function readDefinition(text: string, file: DefinitionFile, context: DefinitionContext): Reading {
  const quick = quickYaml(text);
  const later = quick && { tree: quick.tree, source: new LaterSource(text, file.shown, quick.sources) };
  const parsed = later ?? parseYaml(text, file.shown);
  if ('problems' in parsed) return bad(parsed.problems, claimFromText(text, file));
  const { tree, source } = parsed;
  if (!isMap(tree)) {
    const says =
      tree === null ? 'the file is empty: it needs at least process.command' : 'the file is no map of keys';
    return bad([problemAt(source, [], { code: 'key-missing', says })], claimFromText(text, file));
  }
  const name = nameOf(tree, file, source);
  const claim =
    typeof name === 'string' ? { name, sure: Object.hasOwn(tree, 'name') } : claimFromText(text, file);
  const place: Place = { file, context, source, text, name: claim.name ?? STAND_IN };
  const first = attempt(tree, place);
  if (typeof name === 'string' && first.definition !== undefined && first.problems.length === 0) {
    return { kind: 'good', definition: first.definition };
  }
  const { more, definition } = besides(tree, first, place);
  const own = typeof name === 'string' ? [] : [name];
  const reading = bad(bounded([...own, ...first.problems, ...more]), claim);
  return definition === undefined ? reading : { ...reading, besides: definition };
}

function attempt(tree: RawMap, place: Place): Attempt {
  const { context, source, name } = place;
  const spelled = oneSpelling(tree, SERVICE_TREE, source);
  const inherited = merged(SERVICE_DEFAULTS, longForms(context.settings.service_defaults)) as RawMap;
  const own = isMap(spelled.tree) ? longForms(spelled.tree) : emptyMap();
  const whole = withDefaultsWhereGiven(overInherited(inherited, own));
  const origin = originOfLongForms(source, tree);
  const filled = interpolate(
    whole,
    {
      name,
      port: portOf(whole['port']),
      env: context.environment,
      vars: context.settings.vars,
    },
    origin,
  );
  const units = readUnits(filled.tree, SERVICE_TREE, origin);
  const problems = [
    ...validate('service', tree, source),
    ...missingCommand(whole, source),
    ...spelled.problems,
    ...filled.problems,
    ...units.problems,
  ];
  if (problems.length > 0) return { problems, whole: false, definition: undefined };
  return finish(units.tree as CompleteService, { ...place, source: origin });
}

function finish(service: CompleteService, { file, context, source, text, name }: Place): Attempt {
  const directory = dirname(file.path);
  const stateDirectory = context.settings.state_directory;
  const normal = normalise(service, {
    name,
    directory,
    stateDirectory,
    origin: source,
    cpus: context.host.cpus,
  });
  if ('problems' in normal) return { problems: normal.problems, whole: true, definition: undefined };
  const found = crossChecks(normal.draft.spec, context, source);
  const problems = found.filter((problem) => problem.severity === 'error');
  const who = whoWanted(normal.draft.spec.process);
  const later = new LaterSource(text, file.shown);
  return {
    problems,
    whole: true,
    definition: { name, draft: normal.draft, who, source: later, warnings: found },
  };
}

/** One mistake must not hide another: the tree is read on without the values that are wrong. */
function besides(
  tree: RawMap,
  first: Attempt,
  place: Place,
): { readonly more: readonly Problem[]; readonly definition: Definition | undefined } {
  const more: Problem[] = [];
  const wrong = new Set<string>();
  let last = first;
  for (let round = 0; last.definition === undefined && round < ROUNDS; round++) {
    for (const { path } of last.problems) {
      // What stands for a wrong item of a list may be as wrong: then the list goes as a whole.
      if (path !== undefined) wrong.add(wrong.has(path) ? path.replace(/\[\d+\]$/, '') : path);
    }
    last = attempt(without(tree, wrong), place);
    // A tree that is not whole now is so because something was taken out: nobody has made that mistake.
    if (last.whole) more.push(...last.problems.filter(({ path }) => !isTakenFrom(path, wrong)));
  }
  return { more, definition: last.definition };
}

function bad(problems: readonly Problem[], claim: Claim): Extract<Reading, { kind: 'bad' }> {
  const owned = claim.name === undefined ? {} : { service: claim.name };
  return { kind: 'bad', problems: problems.map((problem) => ({ ...problem, ...owned })), claim };
}

function nameOf(tree: RawMap, file: DefinitionFile, source: Origin): ServiceName | Problem {
  const written = tree['name'];
  if (typeof written === 'string') {
    const name = serviceName(written);
    return typeof name === 'string'
      ? name
      : problemAt(source, ['name'], { code: 'name-invalid', says: name.refused });
  }
  const name = serviceName(stemOf(file));
  if (typeof name === 'string') return name;
  const says = `the name of the file is taken as the name of the service, and ${name.refused}`;
  return problemAt(source, [], { code: 'name-invalid', says, hint: 'set name: or rename the file' });
}

/** From a text that is no YAML, or none that says its name. */
function claimFromText(text: string, file: DefinitionFile): Claim {
  const written = /^name:[ \t]+(['"]?)([A-Za-z0-9._-]{1,64})\1[ \t]*(?:#.*)?\r?$/m.exec(text)?.[2];
  const name = written === undefined ? undefined : serviceName(written);
  if (typeof name === 'string') return { name, sure: true };
  return claimFromPath(file);
}

/** The name that a file has when nothing in it can be read. */
export function claimFromPath(file: DefinitionFile): Claim {
  const stem = serviceName(stemOf(file));
  return { name: typeof stem === 'string' ? stem : undefined, sure: false };
}

function portOf(written: unknown): number | 'auto' | null {
  if (written === 'auto') return 'auto';
  if (written === undefined) return null;
  // A map has no number; that it is no port is told by the validation.
  return typeof written === 'object' ? Number.NaN : Number(written);
}

function missingCommand(whole: RawMap, source: Origin): readonly Problem[] {
  const process = whole['process'];
  if (!isMap(process) || process['command'] !== undefined) return [];
  const says = 'process.command is missing: what should run?';
  const hint = 'for example command: [node, server.js]';
  const problem = problemAt(source, ['process', 'command'], { code: 'key-missing', says, hint });
  return [{ ...problem, message: says }];
}

function stemOf(file: DefinitionFile): string {
  return basename(file.path).replace(/\.ya?ml$/i, '');
}
