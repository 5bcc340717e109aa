/** Is a master file, with what the environment and the command line say, taken as it means or refused where it is wrong? */
import fc from 'fast-check';
import { expect } from 'vitest';
import { SETTABLE, variableOf } from '../../src/config/setting-sources.ts';
import { loadSettings } from '../../src/config/settings.ts';
import type { Problem } from '../../src/model/problem.ts';
import type { Settings } from '../../src/model/settings.ts';
import { TwinFiles } from '../twins/files.ts';
import { twinUsers } from '../twins/users.ts';
import { cpuOf, durationOf, modeOf, sizeOf } from './grammar.ts';
import { anyText, damaged, odd } from './noise.ts';
import { fuzz } from './share.ts';
import { asYaml } from './written-spec.ts';

type Judge = (text: string) => number | null | undefined;

interface Setting {
  readonly path: string;
  readonly judge: Judge;
  readonly texts: readonly string[];
}

const whole =
  (least: number, most: number): Judge =>
  (text) =>
    /^\d{1,15}$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : undefined;
const orNever: Judge = (text) => (text === 'never' ? null : durationOf(text));
const limit: Judge = (text) => (sizeOf(text) === 0 ? undefined : sizeOf(text));
const times = ['200ms', '1s', '1h30m', '0s', '5', '1.5', '-1s', 'soon', '2d1h', '1h1h', '0.5ms'];
const sizes = ['4G', '100M', '1.5K', 'max', '0', '4096', '1k', '-1', '9007199254740993', 'much'];

/** Each by itself, in a file and in a variable. */
const SETTINGS: readonly Setting[] = [
  {
    path: 'sock_mode',
    judge: modeOf,
    texts: ['660', '0660', '0o600', '0600', '777', '666', '8', '1000', 'rw', '0o660 '],
  },
  { path: 'watch.settle', judge: durationOf, texts: times },
  { path: 'cgroup_cpu_max', judge: cpuOf, texts: ['1.5', '500m', '50%', 'max', '0', '9m', 'all', '3.5'] },
  { path: 'cgroup_memory_max', judge: limit, texts: sizes },
  { path: 'cgroup_memory_swap_max', judge: sizeOf, texts: sizes },
  {
    path: 'prune.max_percent',
    judge: whole(0, 100),
    texts: ['0', '30', '100', '101', '-1', '1.5', 'x'],
  },
  { path: 'sync.interval', judge: orNever, texts: ['never', '1m', '30s', '1h', '5', 'max', 'Never'] },
  {
    path: 'cluster.expected_nodes',
    judge: whole(1, Number.MAX_SAFE_INTEGER),
    texts: ['1', '3', '0', '-2', 'x', '1.5'],
  },
];

function load(text: string, env: Readonly<Record<string, string>>, flags: Readonly<Record<string, string>>) {
  const files = new TwinFiles({ '/etc/pm/config.yaml': text });
  return loadSettings({ cwd: '/etc/pm', env, flags, files, users: twinUsers(), hostname: 'host-a' });
}

function at(root: unknown, path: string): unknown {
  let value = root;
  for (const key of path.split('.')) value = (value as Record<string, unknown>)[key];
  return value;
}

function expectPlaces(problems: readonly Problem[], text: string): void {
  const lines = text.split('\n');
  expect(problems.length).toBeGreaterThan(0);
  for (const { message, file, line, column } of problems) {
    expect(message).toMatch(/\S/);
    expect(message.length).toBeLessThan(3000);
    if (line === undefined) continue;
    expect(file).toBe('config.yaml');
    expect(line >= 1 && line <= lines.length).toBe(true);
    expect(column! >= 1 && column! <= lines[line - 1]!.length + 1).toBe(true);
  }
}

/** Written down with every default and read again, they are the same settings. */
function expectRoundTrip(settings: Settings): void {
  const { file: _, notify: __, service_defaults, ...rest } = settings;
  const milliseconds = (value: number | null) => (value === null ? 'never' : `${value}ms`);
  const known = asYaml({
    ...rest,
    service_defaults,
    sock_mode: `0o${rest.sock_mode.toString(8)}`,
    cgroup_cpu_max: rest.cgroup_cpu_max === null ? 'max' : `${rest.cgroup_cpu_max}m`,
    cgroup_memory_max: rest.cgroup_memory_max ?? 'max',
    cgroup_memory_swap_max: rest.cgroup_memory_swap_max ?? 'max',
    watch: { ...rest.watch, settle: milliseconds(rest.watch.settle) },
    sync: { interval: milliseconds(rest.sync.interval) },
    logs: { max_total_size: rest.logs.max_total_size ?? 'max' },
    api: undefined,
  });
  const again = load(known, {}, {});
  if ('problems' in again) throw new Error(again.problems.map(({ message }) => message).join('\n'));
  expect({ ...again.settings, notify: 0, api: 0 }).toEqual({ ...settings, notify: 0, api: 0 });
}

const chosen = fc
  .shuffledSubarray([...SETTINGS], { minLength: 1, maxLength: 4 })
  .chain((all) =>
    fc.tuple(...all.map((one) => fc.constantFrom(...one.texts).map((text) => ({ ...one, text })))),
  );

const EXAMPLE = `# everything that is usual
config_directory: ./config.d
sock_path: /run/pm.sock
sock_mode: 0660
containment: auto
cgroup_memory_max: 4G
watch: {enabled: true, settle: 300ms}
prune:
  max_percent: 20
vars: &v {a: b, "c-d": 5}
service_defaults:
  process: {stop_grace: 10s, env: {A: "\${vars.a}"}}
pools: {start_port: 4000, end_port: 4010}
log: {level: debug, format: json}
history: {max_snapshots: 5}
sync: {interval: 1m}
events: {max_size: 10M}
notify:
  - url: http://127.0.0.1/hook
    timeout: 5s
  - {command: [./tell], events: [failed]}
`;
const files = fc.oneof(
  { weight: 6, arbitrary: damaged(fc.constant(EXAMPLE)) },
  { weight: 1, arbitrary: anyText },
);
/** What a variable or an argument can hold (execve(2)). */
const given = (text: fc.Arbitrary<string>) =>
  text.map((said) => said.replaceAll('\0', '').replace(/\p{Cs}/gu, ''));
const variables = fc.dictionary(
  fc.constantFrom(...SETTABLE.map(variableOf), 'PROCESSMASTER_X', 'HOME'),
  given(fc.oneof(anyText, odd, fc.constantFrom('1s', '5', 'true', '1', '0660'))),
  {
    maxKeys: 2,
    noNullPrototype: true,
  },
);
const flags = fc.dictionary(
  fc.constantFrom(...SETTABLE, 'vars', '__proto__', 'x'),
  given(fc.oneof(anyText, fc.constantFrom('1s', '5', 'true'))),
  {
    maxKeys: 2,
    noNullPrototype: true,
  },
);
const usual = fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: variables });

fuzz(
  'master file',
  fc.tuple(chosen, fc.boolean(), files, usual, fc.oneof(fc.constant({}), flags)),
  ([all, inFile, text, env, options]) => {
    // Each way to say the same means the same, and is refused for the same.
    const wrong = all.filter(({ judge, text: said }) => judge(said.trim()) === undefined);
    const tree = all.map(({ path, text: said }) =>
      path
        .split('.')
        .reduceRight<string>((inner, key) => `{${key}: ${inner}}`, said)
        .slice(1, -1),
    );
    const said = inFile
      ? load(`${tree.join('\n')}\n`, {}, {})
      : load('', Object.fromEntries(all.map(({ path, text: value }) => [variableOf(path), value])), {});
    const isGood = 'settings' in said;
    // Twice the same group is no file; a number of seconds is no duration, wherever it stands.
    const isFile = !inFile || new Set(all.map(({ path }) => path.split('.')[0])).size === all.length;
    if (isFile)
      expect([isGood, wrong.map(({ path }) => path)]).toEqual([
        wrong.length === 0,
        wrong.map(({ path }) => path),
      ]);
    if (isGood)
      for (const { path, judge, text: value } of all)
        expect([path, at(said.settings, path)]).toEqual([path, judge(value.trim())]);
    else if (isFile)
      for (const { path } of wrong)
        expect(said.problems.map(({ message }) => message).join('\n')).toContain(
          inFile ? path : variableOf(path),
        );

    const result = load(text, env, options);
    if ('problems' in result) expectPlaces(result.problems, text);
    else expectRoundTrip(result.settings);
  },
);
