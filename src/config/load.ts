/** What does the whole directory want at this moment? */
import type { ServiceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import type { Settings } from '../model/settings.ts';
import type { Defined, Desired, DesiredState, ServiceSpec } from '../model/spec.ts';
import type { HostFacts } from '../world/host-facts.ts';
import { type Failure, type Files, isFailure, type Users } from '../world/world.ts';
import { type FileResult, settleClaims } from './claims.ts';
import {
  type Claim,
  claimFromPath,
  type Definition,
  type DefinitionContext,
  type DefinitionFile,
  type Reading,
  readDefinition,
} from './definition.ts';
import type { Waiting } from './dependencies.ts';
import { filesOf } from './environment.ts';
import { exposedServices } from './exposed.ts';
import { directoryTrouble } from './failure-text.ts';
import { inOrder } from './in-order.ts';
import { type GoodText, LastGood } from './last-good.ts';
import { absentNames, concerning, namedPlaces, type Unchecked } from './named-files.ts';
import { fingerprint, type Resolved, resolveDefinition } from './resolve.ts';
import {
  type FileContent,
  readServiceFile,
  readServiceFiles,
  type ServiceFile,
  shownPath,
  textsAsFiles,
} from './service-files.ts';

export interface ServiceDirectoryInput {
  readonly files: Files;
  readonly users: Users;
  readonly host: HostFacts;
  readonly settings: Pick<
    Settings,
    'file' | 'config_directory' | 'state_directory' | 'service_defaults' | 'vars'
  >;
  /** The environment of the daemon, for `${env:VAR}`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Paths below it are shown without it. */
  readonly cwd: string;
}

/** So many texts are written in one turn: a few milliseconds, in which nobody is answered. */
export const TEXTS_AT_ONCE = 10;

/** `more`: as many as were asked for were written, and there are others. A Problem: one could not be written. */
export type Kept = 'all' | 'more' | Problem;

/** What a look at the files without a daemon has found. */
export interface Checked {
  /** How many were looked at for their own sake. */
  readonly files: number;
  readonly problems: readonly Problem[];
  readonly unchecked: readonly Unchecked[];
}

/** What is known of one file since the last look. */
interface Remembered {
  readonly content: FileContent;
  readonly reading: Reading | undefined;
  readonly print: string;
  readonly resolved: Resolved | undefined;
}

export class ServiceDirectory {
  readonly #input: ServiceDirectoryInput;
  readonly #context: DefinitionContext;
  readonly #lastGood: LastGood;
  #remembered: ReadonlyMap<string, Remembered> = new Map();
  #good = new Map<ServiceName, { readonly path: string; readonly desired: Defined }>();
  #services: DesiredState['services'] | undefined;
  /** What the file said that each definition was read from. */
  readonly #texts = new WeakMap<ServiceSpec, GoodText>();

  constructor(input: ServiceDirectoryInput) {
    this.#input = input;
    const { settings, environment, users, host } = input;
    this.#context = { settings, environment, root: users.self.uid === 0, host };
    this.#lastGood = new LastGood(input.files, settings.state_directory);
  }

  /**
   * Reads what has changed since the last call. A service whose file is broken, or defined twice, keeps its last good
   * definition, also that of an earlier daemon; without one it is `broken`. When the directory cannot be read,
   * everything stays as it was.
   * @param keeping `later`: last good texts are written by {@link keepGood}, when nobody waits for it; `never`: this
   * reading is only to be looked at
   * @param texts taken in the place of what the files say; `unknown`: nobody can tell what they would be
   */
  load(
    keeping: 'now' | 'later' | 'never' = 'now',
    texts?: readonly GoodText[] | { readonly unknown: string },
  ): DesiredState {
    if (texts !== undefined && 'unknown' in texts)
      return this.#asItWas(this.#directoryProblem(texts.unknown));
    const found = texts === undefined ? this.#read() : textsAsFiles(texts, this.#input.cwd);
    if (isFailure(found)) return this.#asItWas(this.#missing(found));
    const claims = settleClaims(this.#results(found, 'remember'), (name) => this.#lastGoodOf(name), 'all');
    for (const { path, desired } of claims.followed) this.#good.set(desired.name, { path, desired });
    const kept = keeping === 'now' ? this.keepGood(claims.services) : 'all';
    const unwritten = typeof kept === 'string' ? [] : [kept];
    if (keeping !== 'never') this.#forget(new Set(claims.services.keys()), found.length);
    this.#services = claims.services;
    return {
      services: claims.services,
      problems: inOrder([...claims.problems, ...exposedServices(found), ...unwritten]),
      files: found.length,
      readable: true,
      named: this.#named(),
    };
  }

  /** Another reader, which need not work out again what this one knows; what it reads is kept nowhere. */
  beside(): ServiceDirectory {
    const other = new ServiceDirectory(this.#input);
    other.#remembered = this.#remembered;
    return other;
  }

  /**
   * Writes the texts of the definitions that are followed, where they are new; answers when that failed. What could not
   * be written before is written now, also when the file says something else, or nothing good, by now.
   * @param inForce what is followed: a text that nobody has followed is not kept
   * @param most that are written by this call: each takes a good part of a millisecond
   */
  keepGood(inForce: DesiredState['services'], most = Number.POSITIVE_INFINITY): Kept {
    let written = 0;
    for (const [name, desired] of inForce) {
      const good = desired.kind === 'defined' ? this.#texts.get(desired.spec) : undefined;
      if (good === undefined || !this.#lastGood.lacks(name, good)) continue;
      if (written === most) return 'more';
      const failure = this.#lastGood.keep(name, good);
      written += 1;
      if (failure === undefined) continue;
      const message = `the last good definitions cannot be kept in ${this.#input.settings.state_directory} (${failure.failed})`;
      return { code: 'state-unwritable', severity: 'warning', message };
    }
    return 'all';
  }

  /** The text that a definition was read from; of a broken one the text of its file, if that could be read. */
  textOf(desired: Desired): GoodText | undefined {
    if (desired.kind === 'defined') return this.#texts.get(desired.spec);
    for (const [path, { content }] of this.#remembered) {
      const isIts = shownPath(path, this.#input.cwd) === desired.file;
      if (isIts && content.is === 'text') return { file: path, text: content.text };
    }
    return undefined;
  }

  /**
   * The same judgement without a past: nothing is kept and nothing written. A named file of the directory is judged
   * among all files of it; one that lies elsewhere only among those that are named and lie elsewhere too.
   * @param only absolute paths, of which alone is told; undefined: all files of the directory
   */
  check(only?: readonly string[]): Checked {
    const { cwd, files, settings } = this.#input;
    const named = only === undefined ? undefined : namedPlaces(only, settings.config_directory, files);
    const all = named === undefined || named.inside.size > 0 ? this.#read() : [];
    const unread = isFailure(all) ? [this.#missing(all)] : [];
    const found = isFailure(all) ? [] : all;
    const here = named === undefined ? found : found.filter(({ path }) => named.inside.has(path));
    const seen = new Set(here.map(({ path }) => path));
    const options = { cwd, known: new Map<string, FileContent>() };
    const elsewhere = [...(named?.all ?? [])]
      .filter((path) => !seen.has(path))
      .map((path) => readServiceFile(path, files, options));
    const inside = this.#judge(here.length === 0 ? [] : found, 'all', here);
    const outside = this.#judge(elsewhere, 'some', elsewhere);
    return {
      files: here.length + elsewhere.length,
      problems: inOrder([...unread, ...inside.problems, ...outside.problems]),
      unchecked: outside.unchecked,
    };
  }

  /** @param told the files among `found` that somebody wants to hear of */
  #judge(
    found: readonly ServiceFile[],
    files: 'all' | 'some',
    told: readonly ServiceFile[],
  ): Omit<Checked, 'files'> {
    const claims = settleClaims(this.#results(found, 'offline'), () => undefined, files);
    const problems = concerning(claims, new Set(told.map(({ shown }) => shown)));
    return { problems: [...problems, ...exposedServices(told)], unchecked: absentNames(claims, files) };
  }

  #read(): ReturnType<typeof readServiceFiles> {
    const { settings, files, cwd } = this.#input;
    const known = new Map([...this.#remembered].map(([path, { content }]) => [path, content]));
    return readServiceFiles(settings.config_directory, files, { cwd, known, except: settings.file });
  }

  #results(found: readonly ServiceFile[], past: 'remember' | 'offline'): readonly FileResult[] {
    const remembered = new Map<string, Remembered>();
    const results = found.map((file) => {
      const now = this.#look(file, this.#remembered.get(file.path));
      remembered.set(file.path, now);
      return fileResult(
        file,
        now,
        past === 'offline' || (now.reading?.kind === 'good' && now.resolved?.kind === 'good')
          ? undefined
          : this.#formerClaim(file),
      );
    });
    this.#remembered = remembered;
    return results;
  }

  /** Does again only what may come out otherwise: read the text, or look at the files and users it names. */
  #look({ content, ...file }: ServiceFile, before: Remembered | undefined): Remembered {
    if (content.is === 'unreadable') return { content, reading: undefined, print: '', resolved: undefined };
    const same = before?.content.is === 'text' && before.content.text === content.text;
    const reading = (same ? before.reading : undefined) ?? readDefinition(content.text, file, this.#context);
    const definition = reading.kind === 'good' ? reading.definition : reading.besides;
    if (definition === undefined) return { content, reading, print: '', resolved: undefined };
    const { files, users } = this.#input;
    const print = fingerprint(definition, files, users);
    if (same && before.resolved !== undefined && before.print === print) return { ...before, content };
    return { content, reading, print, resolved: this.#resolve(definition, file.path, content.text) };
  }

  #resolve(definition: Definition, file: string, text: string): Resolved {
    const { files, users } = this.#input;
    const resolved = resolveDefinition(definition, files, users);
    if (resolved.kind === 'good') this.#texts.set(resolved.desired.spec, { file, text });
    return resolved;
  }

  #named(): ReadonlySet<string> {
    const named = [...this.#remembered.values()].flatMap(({ reading }) => {
      const definition = reading?.kind === 'good' ? reading.definition : reading?.besides;
      return definition === undefined ? [] : filesOf(definition.draft.environment);
    });
    return new Set(named);
  }

  /** The service that this file last defined. */
  #formerClaim(file: DefinitionFile): Claim | undefined {
    for (const [name, { path }] of this.#good) if (path === file.path) return { name, sure: true };
    for (const [name, good] of this.#lastGood.entries()) {
      if (good.file === file.path && !this.#good.has(name)) return { name, sure: true };
    }
    return undefined;
  }

  #lastGoodOf(name: ServiceName): Defined | undefined {
    const known = this.#good.get(name);
    if (known !== undefined) return known.desired;
    const kept = this.#lastGood.entries().get(name);
    if (kept === undefined) return undefined;
    const file = { path: kept.file, shown: shownPath(kept.file, this.#input.cwd) };
    const reading = readDefinition(kept.text, file, this.#context);
    if (reading.kind === 'bad' || reading.definition.name !== name) return undefined;
    const resolved = this.#resolve(reading.definition, kept.file, kept.text);
    if (resolved.kind === 'bad') return undefined;
    this.#good.set(name, { path: kept.file, desired: resolved.desired });
    return resolved.desired;
  }

  /** An empty directory may be one that is not mounted: it makes nothing forgotten. */
  #forget(named: ReadonlySet<string>, files: number): void {
    if (files === 0) return;
    for (const name of this.#good.keys()) if (!named.has(name)) this.#good.delete(name);
    for (const name of [...this.#lastGood.entries().keys()]) if (!named.has(name)) this.#lastGood.drop(name);
  }

  #asItWas(problem: Problem): DesiredState {
    const services = this.#services ?? this.#servicesOfEarlierDaemon(problem);
    return { services, problems: [problem], files: 0, readable: false, named: this.#named() };
  }

  #servicesOfEarlierDaemon(problem: Problem): DesiredState['services'] {
    const services = [...this.#lastGood.entries().keys()].sort().flatMap((name) => {
      const good = this.#lastGoodOf(name);
      return good === undefined ? [] : [[name, { ...good, problems: [problem] }] as const];
    });
    return new Map(services);
  }

  #missing(failure: Failure): Problem {
    const { says, hint } = directoryTrouble(failure);
    return { ...this.#directoryProblem(says), hint };
  }

  #directoryProblem(says: string): Problem {
    const { settings, cwd } = this.#input;
    const file = shownPath(settings.config_directory, cwd);
    return {
      code: 'directory-unreadable',
      severity: 'error',
      message: `the configuration directory ${says}`,
      file,
    };
  }
}

/** @param former a broken file goes on to speak for the service that it last defined */
function fileResult(
  { path, shown }: DefinitionFile,
  { content, reading, resolved }: Remembered,
  former: Claim | undefined,
): FileResult {
  if (resolved?.kind === 'good' && reading?.kind === 'good') {
    return { kind: 'good', path, desired: resolved.desired, warnings: reading.definition.warnings };
  }
  const outside = resolved?.kind === 'bad' ? resolved.problems : [];
  if (reading?.kind === 'good') {
    const claim: Claim = { name: reading.definition.name, sure: true };
    return {
      kind: 'bad',
      path,
      shown,
      problems: outside,
      claim,
      besides: waiting(reading.definition, claim),
    };
  }
  const claim = former ?? reading?.claim ?? claimFromPath({ path, shown });
  const told = content.is === 'unreadable' ? [content.problem] : [...(reading?.problems ?? []), ...outside];
  // Where a text is wrong already, the value that stands in for a wrong one is no news.
  const paths = new Set(reading?.problems.map(({ path: at }) => at));
  const problems = told.filter((problem) => !outside.includes(problem) || !paths.has(problem.path));
  const owned = claim.name === undefined ? {} : { service: claim.name };
  const named = problems.map(({ service: _, ...problem }) => ({ ...problem, ...owned }));
  return { kind: 'bad', path, shown, problems: named, claim, besides: waiting(reading?.besides, claim) };
}

/** Of a definition that cannot be followed, what it says about others. */
function waiting(definition: Definition | undefined, claim: Claim): Waiting | undefined {
  if (definition === undefined) return undefined;
  const { name, draft, source } = definition;
  return { name: claim.name ?? name, file: source.file, spec: draft.spec, positions: source.positions() };
}
