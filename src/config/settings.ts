/** Which settings does the daemon run with? */
import { dirname, join, resolve } from 'node:path';
import type { Problem } from '../model/problem.ts';
import type { Settings } from '../model/settings.ts';
import { type Files, isFailure, type Users } from '../world/world.ts';
import { apiOf, apiProblems } from './api-settings.ts';
import { exposedFiles } from './exposed.ts';
import { failureText } from './failure-text.ts';
import { SETTING_DEFAULTS } from './generated/defaults.ts';
import type { CompleteSettings } from './generated/types.ts';
import { inOrder } from './in-order.ts';
import { notifyProblems, notifySinks } from './notify-sinks.ts';
import { bounded, parseYaml } from './parse.ts';
import {
  emptyMap,
  isMap,
  merged,
  type Origin,
  type Path,
  pathText,
  problemAt,
  type RawMap,
  valueAt,
} from './raw-tree.ts';
import { shownPath } from './service-files.ts';
import {
  fromEnvironment,
  mistypedVariables,
  readServiceDefaults,
  readSource,
  SETTABLE,
  type SettingSource,
  treeOf,
  variableOf,
} from './setting-sources.ts';
import { groupRefusal, userRefusal } from './who.ts';
import { isTakenFrom, valuesWithout } from './without.ts';

export interface SettingsInput {
  /** As given with -c; without it `config.yaml` in `cwd` is taken when there is one. */
  readonly file?: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** By key path (`watch.settle`), text or typed; undefined counts as not given. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly files: Files;
  readonly users: Users;
  readonly hostname: string;
}

export type SettingsResult =
  | { readonly settings: Settings; readonly warnings: readonly Problem[] }
  | { readonly problems: readonly Problem[] };

const MOST_BYTES = 1_048_576;

/** sun_path holds 108 bytes with the NUL at its end (unix(7)). */
const MOST_SOCKET_BYTES = 107;

const DEFAULT_ORIGIN: Origin = { place: () => ({}), source: () => undefined, name: pathText };

/**
 * Command line over environment over file over default, key by key. All problems of all sources at once, in the order
 * of their places.
 */
export function loadSettings(input: SettingsInput): SettingsResult {
  const file = readMasterFile(input);
  if ('problem' in file) return { problems: [file.problem] };
  const directory = file.path === null ? input.cwd : dirname(file.path);
  const fromFile = file.path === null ? NOTHING : readFile(file.text, file.path, input);
  const fromEnv = readSource(treeOf(fromEnvironment(input.env)), namedBy(variableOf), input.cwd);
  const flags = givenFlags(input.flags);
  const fromFlags = readSource(treeOf(flags.values), namedBy(flagOf), input.cwd);
  const told = [...fromFile.problems, ...fromEnv.problems, ...flags.problems, ...fromFlags.problems];
  if (!fromFile.isRead) return { problems: inOrder(told) };
  const wrong = new Set(told.flatMap(({ path }) => path ?? []));
  const defaults = readSource(SETTING_DEFAULTS, DEFAULT_ORIGIN, directory).tree;
  const sources = [fromFile.tree, fromEnv.tree, fromFlags.tree].map((tree) => valuesWithout(tree, wrong));
  const whole = sources.reduce<unknown>(merged, defaults) as CompleteSettings;
  const settings = settingsOf(whole, file.path, input);
  const origin = originOf(file, fromEnv.tree, fromFlags.tree, input.cwd);
  const besides = [
    ...socketProblems(settings, origin),
    ...ownerProblems(settings, input.users, origin),
    ...poolProblems(settings, origin),
    ...notifyProblems(whole.notify, origin),
    ...apiProblems(whole.api, origin),
  ].filter(({ path }) => path === undefined || !isTakenFrom(groupOf(path), wrong));
  const problems = [...told, ...besides];
  if (problems.length > 0) return { problems: boundedInFile(problems) };
  const exposed = exposedFiles(settings, file.path, input.files);
  return { settings, warnings: [...mistypedVariables(input.env), ...exposed] };
}

/** What the master file says. */
interface FileSource extends SettingSource {
  /** False: of what it wants to say nothing is known. */
  readonly isRead: boolean;
}

const NOTHING: FileSource = { tree: emptyMap(), problems: [], isRead: true };

/**
 * The values that are judged together: where one of them is wrong, nobody knows what the others would mean beside the
 * right one. `notify[1].command` is of `notify[1]`, `api.tls.key` of `api`.
 */
function groupOf(path: string): string {
  return /^[^.]+/.exec(path)?.[0] ?? path;
}

/** In order; where there are many in the master file, only the first of them. */
function boundedInFile(problems: readonly Problem[]): readonly Problem[] {
  const inFile = inOrder(problems.filter(({ file }) => file !== undefined));
  return [...bounded(inFile), ...problems.filter(({ file }) => file === undefined)];
}

type MasterFile =
  | { readonly path: null }
  | { readonly path: string; readonly text: string }
  | { readonly problem: Problem };

function readMasterFile({ file, cwd, files }: SettingsInput): MasterFile {
  const path = resolve(cwd, file ?? 'config.yaml');
  const text = files.read(path, MOST_BYTES);
  if (!isFailure(text)) return { path, text };
  if (file === undefined && text.failed === 'ENOENT') return { path: null };
  const message = `the master file ${failureText(text)}`;
  const code = text.failed === 'ENOTREG' || text.failed === 'EFBIG' ? 'file-odd' : 'file-unreadable';
  return { problem: { code, severity: 'error', message, file: shownPath(path, cwd) } };
}

function readFile(text: string, path: string, { cwd }: SettingsInput): FileSource {
  const parsed = parseYaml(text, shownPath(path, cwd));
  if ('problems' in parsed) return { tree: emptyMap(), problems: parsed.problems, isRead: false };
  // A file that only has comments says nothing.
  if (parsed.tree === null) return NOTHING;
  const directory = dirname(path);
  const source = readSource(parsed.tree, parsed.source, directory);
  const defaults = readServiceDefaults(
    isMap(parsed.tree) ? parsed.tree['service_defaults'] : undefined,
    parsed.source,
    directory,
  );
  const tree: RawMap = { ...source.tree, service_defaults: defaults.tree };
  return { tree, problems: [...source.problems, ...defaults.problems], isRead: isMap(parsed.tree) };
}

function givenFlags(flags: Readonly<Record<string, unknown>>): {
  readonly values: ReadonlyMap<string, unknown>;
  readonly problems: readonly Problem[];
} {
  const given = Object.entries(flags).filter(([, value]) => value !== undefined);
  const problems = given.flatMap(([key]): Problem[] => {
    if (SETTABLE.includes(key)) return [];
    const message = `${flagOf(key)}: only the master file can set this`;
    return [{ code: 'value-invalid', severity: 'error', message }];
  });
  return { values: new Map(given.filter(([key]) => SETTABLE.includes(key))), problems };
}

/** `--watch-settle` for `watch.settle`. */
function flagOf(key: string): string {
  return `--${key.replaceAll(/[._]/g, '-')}`;
}

function namedBy(name: (key: string) => string): Origin {
  return { place: () => ({}), source: () => undefined, name: (path) => name(pathText(path)) };
}

/** Where the value in force came from. */
function originOf(
  file: { readonly path: string; readonly text: string } | { readonly path: null },
  env: RawMap,
  flags: RawMap,
  cwd: string,
): Origin {
  const parsed = file.path === null ? undefined : parseYaml(file.text, shownPath(file.path, cwd));
  const source = parsed !== undefined && 'source' in parsed ? parsed.source : DEFAULT_ORIGIN;
  const by = (path: Path): Origin => {
    if (isGiven(flags, path)) return namedBy(flagOf);
    return isGiven(env, path) ? namedBy(variableOf) : source;
  };
  return {
    place: (path, of) => by(path).place(path, of),
    source: (path) => by(path).source(path),
    name: (path) => by(path).name(path),
  };
}

/** What is a map has come from several places, or from the file. */
function isGiven(tree: RawMap, path: Path): boolean {
  const value = valueAt(tree, path);
  return value !== undefined && !isMap(value);
}

function settingsOf(whole: CompleteSettings, file: string | null, input: SettingsInput): Settings {
  const root = input.users.self.uid === 0;
  const stateDirectory = whole.state_directory ?? defaultState(root, input);
  return {
    file,
    config_directory: whole.config_directory,
    state_directory: stateDirectory,
    sock_path: whole.sock_path ?? defaultSocket(root, stateDirectory, input.env),
    sock_owner: whole.sock_owner ?? null,
    sock_group: whole.sock_group ?? null,
    sock_mode: whole.sock_mode,
    api: apiOf(whole.api),
    containment: whole.containment,
    cgroup_root: whole.cgroup_root ?? null,
    cgroup_name: whole.cgroup_name,
    cgroup_cpu_max: whole.cgroup_cpu_max,
    cgroup_memory_max: whole.cgroup_memory_max,
    cgroup_memory_swap_max: whole.cgroup_memory_swap_max,
    watch: { ...whole.watch },
    prune: { ...whole.prune },
    service_defaults: whole.service_defaults as Readonly<Record<string, unknown>>,
    vars: { ...whole.vars },
    pools: { ...whole.pools },
    cluster: { ...whole.cluster, node_id: whole.cluster.node_id ?? input.hostname },
    on_exit: whole.on_exit,
    lifecycle_log: whole.lifecycle_log ?? null,
    log: { ...whole.log, file: whole.log.file ?? null },
    logs: { ...whole.logs },
    events: { ...whole.events },
    notify: notifySinks(whole.notify),
    history: { ...whole.history },
    sync: { ...whole.sync },
  };
}

/** XDG Base Directory Specification 0.8: a path that is not absolute is to be ignored. */
function defaultState(root: boolean, { env, users }: SettingsInput): string {
  if (root) return '/var/lib/processmaster';
  const given = env['XDG_STATE_HOME'];
  const home = given?.startsWith('/') ? given : join(env['HOME'] || users.self.home, '.local', 'state');
  return join(home, 'processmaster');
}

function defaultSocket(root: boolean, stateDirectory: string, env: SettingsInput['env']): string {
  if (root) return '/run/processmaster.sock';
  const given = env['XDG_RUNTIME_DIR'];
  return join(given?.startsWith('/') ? given : stateDirectory, 'processmaster.sock');
}

function socketProblems({ sock_path }: Settings, origin: Origin): readonly Problem[] {
  const bytes = Buffer.byteLength(sock_path);
  if (bytes <= MOST_SOCKET_BYTES) return [];
  const says = `${sock_path} has ${bytes} bytes, a socket takes ${MOST_SOCKET_BYTES}`;
  return [problemAt(origin, ['sock_path'], { code: 'value-invalid', says })];
}

function poolProblems({ pools: { start_port, end_port } }: Settings, origin: Origin): readonly Problem[] {
  if (start_port <= end_port) return [];
  const says = `${end_port} is below pools.start_port, ${start_port}, so that there is no port to hand out`;
  return [problemAt(origin, ['pools', 'end_port'], { code: 'value-invalid', says })];
}

function ownerProblems(
  { sock_owner, sock_group }: Settings,
  users: Users,
  origin: Origin,
): readonly Problem[] {
  const { self } = users;
  const problems: Problem[] = [];
  const owner = sock_owner === null ? self : users.user(sock_owner);
  const noOwner = sock_owner === null ? undefined : userRefusal(sock_owner, owner);
  if (noOwner !== undefined) {
    problems.push(problemAt(origin, ['sock_owner'], noOwner));
  } else if (owner !== undefined && !isFailure(owner) && owner.uid !== self.uid && self.uid !== 0) {
    const says = 'only root may give the socket to another user';
    problems.push(problemAt(origin, ['sock_owner'], { code: 'privilege-missing', says }));
  }
  const noGroup = sock_group === null ? undefined : groupRefusal(sock_group, users.group(sock_group));
  if (noGroup !== undefined) problems.push(problemAt(origin, ['sock_group'], noGroup));
  return problems;
}
