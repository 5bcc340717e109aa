/** Is a service file taken when it is right, and refused at the right place when it is not, whatever happened to it? */
import fc from 'fast-check';
import { expect } from 'vitest';
import { parseDocument } from 'yaml';
import type { Definition } from '../../src/config/definition.ts';
import { identityOf } from '../../src/config/hash.ts';
import type { Problem } from '../../src/model/problem.ts';
import type { ServiceSpec } from '../../src/model/spec.ts';
import { directoryOf, filesWith, read } from '../config/ground.ts';
import { crontab } from './crontab.ts';
import { cpuOf, durationOf, limitOf, maskOf, sizeOf } from './grammar.ts';
import { anyText, damaged } from './noise.ts';
import { serviceDocuments } from './service-document.ts';
import { fuzz } from './share.ts';
import { VARS, writtenSpec } from './written-spec.ts';

function at(root: unknown, path: string): unknown {
  let value = root;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** Each is a sentence, and at a place that the file has. */
function expectPlaces(problems: readonly Problem[], text: string): void {
  const lines = text.split('\n');
  expect(problems.length).toBeGreaterThan(0);
  expect(problems.length).toBeLessThanOrEqual(30);
  for (const { message, file, line, column, hint } of problems) {
    expect(message).toMatch(/\S/);
    expect(message.length + (hint?.length ?? 0)).toBeLessThan(3000);
    expect(file).toBe('config.d/web.yaml');
    if (line === undefined) continue;
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(lines.length);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(column).toBeLessThanOrEqual(lines[line - 1]!.length + 1);
  }
}

/** Written down with every default, it is the same definition. */
function expectRoundTrip({ draft }: Definition): void {
  const again = read(writtenSpec(draft.spec, draft.environment), { vars: VARS });
  if (again.kind === 'bad') throw new Error(again.problems.map(({ message }) => message).join('\n'));
  const { spec, environment } = again.definition.draft;
  expect(spec).toEqual(draft.spec);
  expect(environment).toEqual(draft.environment);
  expect(identityOf(spec)).toEqual(identityOf(draft.spec));
}

type Judge = (written: string) => number | null | undefined;

/** What a second reading of the text must find at these keys, if anything stands there. */
const JUDGED: readonly (readonly [path: string, Judge])[] = [
  ...['process.stop_grace', 'rollout.overlap', 'rollout.timeout', 'restart_policy.stable_after'].map(
    (path) => [path, durationOf] as const,
  ),
  ...['restart_policy.tolerance.retry_after', 'logs.rotation_max_age'].map(
    (path) => [path, (text: string) => (text === 'never' ? null : durationOf(text))] as const,
  ),
  ...['resources.max_memory', 'resources.max_swap', 'logs.rotation_size'].map(
    (path) => [path, sizeOf] as const,
  ),
  ['resources.max_cpu', cpuOf],
];

function expectSecondReading(text: string, spec: ServiceSpec): void {
  const document = parseDocument(text, { version: '1.2', schema: 'core', merge: true, logLevel: 'silent' });
  expect(document.errors).toEqual([]);
  const tree: unknown = document.toJS();
  for (const [path, judge] of JUDGED) {
    const written = at(tree, path);
    if (written !== undefined) expect([path, at(spec, path)]).toEqual([path, judge(String(written))]);
    const plain = at(tree, `${path}_ms`);
    if (plain !== undefined) expect([path, at(spec, path)]).toEqual([path, plain]);
  }
  const umask = document.getIn(['process', 'umask'], true) as
    | { source?: string; value?: unknown }
    | undefined;
  if (umask?.source !== undefined) expect(spec.process.umask).toBe(maskOf(umask.source));
  for (const [name, { soft }] of Object.entries(spec.process.rlimits)) {
    const written = at(tree, `process.rlimits.${name}`);
    if (typeof written !== 'object') expect(soft).toBe(limitOf(String(written)));
  }
  for (const [path, least, most] of [
    ['instances', 0, 999],
    ['port', 1, 65_535],
    ['process.nice', -20, 19],
    ['resources.cpu_weight', 1, 10_000],
  ] as const) {
    const value = at(spec, path);
    if (value === null) continue;
    expect(value === at(tree, path) || at(tree, path) === undefined || at(tree, path) === 'auto').toBe(true);
    if (typeof value === 'number') expect(value >= least && value <= most).toBe(true);
  }
  if (spec.process.schedule !== null) expect(crontab(spec.process.schedule.cron)).toBeDefined();
  expect(spec.process.command.length).toBeGreaterThan(0);
}

fuzz('service file: what is right and what is wrong', serviceDocuments, ({ text, values, lines }) => {
  const reading = read(text);
  const wrong = values.filter(({ means }) => means === undefined).map(({ path }) => path);
  if (reading.kind === 'good') {
    expect(wrong).toEqual([]);
    const { spec } = reading.definition.draft;
    for (const { path, means } of values) expect([path, at(spec, path)]).toEqual([path, means]);
    expectRoundTrip(reading.definition);
    return;
  }
  expectPlaces(reading.problems, text);
  const isOf = (path: string, { path: told = '' }: Problem) =>
    told === path || told.startsWith(`${path}.`) || told.startsWith(`${path}[`);
  const isText = reading.problems.some(({ code }) => code === 'yaml-syntax');
  for (const problem of reading.problems) {
    const key = wrong.find((path) => isOf(path, problem));
    expect([problem.message, key]).not.toEqual([problem.message, undefined]);
    expect(problem.line).toBe(lines.get(key!));
  }
  const told = wrong.filter((path) => reading.problems.some((problem) => isOf(path, problem)));
  if (!isText) expect(told).toEqual(wrong);
});

const mutated = damaged(serviceDocuments.map(({ text }) => text));

fuzz('service file: mutated', mutated, (text) => {
  const reading = read(text, { vars: { d: 'x' }, env: { HOME: '/root' } });
  if (reading.kind === 'bad') return expectPlaces(reading.problems, text);
  expectRoundTrip(reading.definition);
  expectSecondReading(text, reading.definition.draft.spec);
});

/** What has brought down readers of YAML: what stands for much more than it is, and what is nested without end. */
const bombs = fc.oneof(
  fc.tuple(fc.nat(12), fc.nat(9)).map(([levels, width]) => {
    const lines = Array.from({ length: levels }, (_, level) => {
      const of = level === 0 ? 'x' : `*a${level - 1}`;
      return `a${level}: &a${level} [${Array(width).fill(of).join(', ')}]`;
    });
    return lines.join('\n');
  }),
  fc
    .tuple(fc.constantFrom('[', '{a: ', '- ', '? ', '- - ', '{', '!!x ', '&a ', '<<: '), fc.nat(3000))
    .map(([piece, count]) => piece.repeat(count)),
  fc
    .tuple(
      fc.constantFrom('a: b\n', 'a: &a *a\n', '# c\n', '\n', '"', 'é', '\t', 'x: |\n  y\n'),
      fc.nat(4000),
    )
    .map(([piece, count]) => piece.repeat(count)),
  fc
    .nat(3000)
    .map(
      (count) =>
        `process: {command: x}\nlabels: {${Array.from({ length: count }, (_, n) => `k${n}: ${n}`).join(', ')}}`,
    ),
  fc.constantFrom(
    'a: &a {<<: *a}',
    'a: &a [*a]',
    '<<: [*x]',
    '<<: {<<: {<<: {}}}',
    '&a a: *a',
    '? [a]\n: b',
    '- &a\n- *a',
  ),
);

fuzz(
  'service file: noise',
  fc.oneof({ weight: 40, arbitrary: anyText }, { weight: 1, arbitrary: damaged(bombs, 2) }),
  (text) => {
    for (const whole of [text, `process: {command: x}\n${text}`]) {
      const reading = read(whole);
      if (reading.kind === 'bad') expectPlaces(reading.problems, whole);
      else expectRoundTrip(reading.definition);
    }
  },
);

const names = ['web', 'db', 'job'] as const;
const texts = fc.record({ web: mutated, db: mutated, job: anyText });

fuzz('service files: a directory of them', fc.tuple(texts, texts), ([first, second]) => {
  const good = 'process: {command: x}\n';
  const files = filesWith({ 'web.yaml': good, 'db.yaml': good, 'job.yaml': good });
  const directory = directoryOf(files);
  expect(directory.load().problems).toEqual([]);
  for (const round of [first, second]) {
    for (const name of names) files.write(`/etc/pm/config.d/${name}.yaml`, round[name]);
    const { services, readable } = directory.load();
    expect(readable).toBe(true);
    // Somebody who can be told by nothing but the name of the file goes on as he was.
    for (const name of names) {
      const isNamed = /(^|[\n\r{,])\s*['"]?name['"]?\s*:|<<|\*/.test(round[name]);
      if (!isNamed) expect(services.get(name as never)?.kind).toBe('defined');
    }
    for (const [name, service] of services) expect(service.name).toBe(name);
  }
});
