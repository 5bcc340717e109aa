/** What may stand at a key of a service file, what does it mean there, and what may not? */
import fc from 'fast-check';
import { cpuOf, durationOf, instantOf, limitOf, maskOf, sizeOf } from './grammar.ts';

export interface Written {
  /** In one line, as a value of a block map or of a flow map. */
  readonly yaml: string;
  /** What the definition says then; undefined: it must be refused. */
  readonly means: unknown;
}

export interface Key {
  /** From the top of the file, and of the definition. */
  readonly path: string;
  readonly value: fc.Arbitrary<Written>;
}

const QUOTED = /^[A-Za-z/][A-Za-z0-9./]*$/;

/** A text as YAML: plain where that is safe, and in one of the two kinds of quotes. */
export function quoted(text: string): string {
  if (QUOTED.test(text) && !/^(true|false|null|yes|no|on|off)$/i.test(text)) return text;
  const isSimple = /^[\x20-\x7e]*$/.test(text) && !text.includes("'");
  return isSimple ? `'${text}'` : JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029\ufeff]/g, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

const right = <T>(
  of: fc.Arbitrary<T>,
  yaml: (value: T) => string,
  means: (value: T) => unknown = (value) => value,
) => of.map((value): Written => ({ yaml: yaml(value), means: means(value) }));
const wrong = (...all: readonly string[]): fc.Arbitrary<Written> =>
  fc.constantFrom(...all).map((yaml) => ({ yaml, means: undefined }));
const mostly = (good: fc.Arbitrary<Written>, bad: fc.Arbitrary<Written>) =>
  fc.oneof({ weight: 5, arbitrary: good }, { weight: 1, arbitrary: bad });

/** Spelled at random, read by the second reading of grammar.ts. */
function unit(
  texts: fc.Arbitrary<string>,
  meaning: (text: string) => number | null | undefined,
  accepted: (value: number | null) => boolean = () => true,
): fc.Arbitrary<Written> {
  return texts.map((text) => {
    const value = meaning(text);
    const means = value === undefined || !accepted(value) ? undefined : value;
    return { yaml: /^[0-9]+(\.[0-9]+)?$/.test(text) ? text : quoted(text), means };
  });
}

const durations = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(fc.nat(3000), fc.constantFrom('ms', 's', 'm', 'h', 'd')).map((all) => all.join('')),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('1h30m', '1d12h', '1s500ms', '1.5h', '0.25s', '2m30s', '0s', '0ms'),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '30',
      '1.5',
      '-1s',
      '30m1h',
      '1m1m',
      '0.1ms',
      'soon',
      '5 s',
      '1w',
      '',
      '1e3s',
      'max',
    ),
  },
);
const duration = (least = 0) => unit(durations, durationOf, (value) => value !== null && value >= least);
const orNever = fc.oneof(
  { weight: 4, arbitrary: duration() },
  { weight: 1, arbitrary: fc.constant<Written>({ yaml: 'never', means: null }) },
);
const sizes = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.nat(5000), fc.constantFrom('', 'K', 'M', 'G', 'KiB', 'MB', 'GiB'))
      .map((all) => all.join('')),
  },
  { weight: 1, arbitrary: fc.constantFrom('max', '1.5G', '0.5K', '0', '4096') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('1k', '-1', '1.1', '1MiBB', 'much', '8P', '9007199254740993', '10 M', ''),
  },
);
const size = (accepted: (value: number | null) => boolean) => unit(sizes, sizeOf, accepted);
const shares = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('1', '1.5', '500m', '50%', '0.01', '10m', '400%', 'max') },
  { weight: 1, arbitrary: fc.constantFrom('0', '9m', '0.5m', '1.0001', '-1', 'all', '5 %') },
);
const whole = (least: number, most: number) =>
  mostly(
    right(fc.integer({ min: least, max: most }), String),
    wrong(
      String(least - 1),
      String(most + 1),
      '1.5',
      "'1'",
      'one',
      '[1]',
      '{}',
      '1e400',
      'true',
      '0x',
      '99999999999999999999',
    ),
  );
const flag = mostly(
  right(fc.boolean(), (value) => String(value)),
  wrong('yes', 'no', 'on', '1', '0', "'true'", '[]', '{}', '"false"', 'TRUEISH'),
);
const word = (...words: readonly string[]) =>
  mostly(
    right(fc.constantFrom(...words), quoted),
    wrong('nonsense', '1', 'true', '[]', '{}', `${words[0]}s`),
  );
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.string({ maxLength: 12 }),
  fc.constantFrom(
    'yes',
    'null',
    '~',
    '- x',
    'a: b',
    '# no',
    '*x',
    '&x',
    '!x',
    '{x',
    ' x ',
    "it's",
    '"x"',
    '0660',
    '1.10',
  ),
);
// What a decoder puts in the place of bytes that are no UTF-8 is refused in a file.
const plain = text.map((value) => value.replaceAll('${', '{').replaceAll('\ufffd', 'x'));
const texts = (least = 0) =>
  mostly(
    right(fc.array(plain, { minLength: least, maxLength: 4 }), (all) => `[${all.map(quoted).join(', ')}]`),
    wrong('{}', '5', '[[x]]', '[{}]', '[null]', 'true'),
  );
const codes = mostly(
  right(fc.array(fc.nat(255), { maxLength: 4 }), (all) => `[${all.join(', ')}]`),
  wrong('[256]', '[-1]', '0', "['1']", '[1.5]'),
);
const masks = unit(
  fc.constantFrom('022', '0o22', '27', '777', '0', '8', '1000', '0o1', 'rwx', '-1', '0x7'),
  maskOf,
);
const map = mostly(
  right(
    fc.dictionary(
      fc.oneof(fc.stringMatching(/^[A-Za-z]{1,6}$/), fc.constantFrom('toString', 'constructor', 'a.b/c-d')),
      plain,
      { maxKeys: 4, noNullPrototype: true },
    ),
    (all) => {
      return `{${Object.entries(all)
        .map(([name, value]) => `${quoted(name)}: ${quoted(value)}`)
        .join(', ')}}`;
    },
  ),
  wrong('[]', 'x', '{a: [b]}', '{a: null}', '{a: {b: c}}', '{"a b": c}', '{a: b, a: c}'),
);

/** One that a process may have, and one number of files for all. */
const limits = fc
  .tuple(
    fc.constantFrom('nofile', 'core', 'as', 'nonsense'),
    fc.constantFrom('1024', '64M', 'unlimited', 'max', '1.5', '-1'),
  )
  .map(([name, of]): Written => {
    const value = limitOf(of);
    const isRight = name !== 'nonsense' && value !== undefined;
    return {
      yaml: `{${name}: ${of}}`,
      means: isRight ? { [name]: { soft: value, hard: value } } : undefined,
    };
  });

const instants = unit(
  fc.constantFrom(
    '2030-01-01T00:00:00Z',
    '2030-01-01T01:00+01:00',
    '2030-02-30T00:00:00Z',
    '2030-01-01',
    '2030-01-01T00:00:00',
    'soon',
  ),
  instantOf,
);

/** In which no two contradict each other, whatever is chosen. */
export const KEYS: readonly Key[] = [
  { path: 'description', value: mostly(right(plain, quoted), wrong('5', 'true', '[]', '{}', '')) },
  { path: 'enabled', value: flag },
  { path: 'labels', value: map },
  { path: 'instances', value: whole(0, 999) },
  { path: 'port', value: whole(1, 65_535) },
  {
    path: 'pid_file',
    value: mostly(right(fc.constantFrom('/run/x.pid', '/a'), quoted), wrong('5', '[]', '""')),
  },
  { path: 'process.args', value: texts() },
  {
    path: 'process.required_env',
    value: mostly(
      right(fc.constant(['A', '_b']), () => '[A, _b]'),
      wrong('[1A]', '[A-B]', 'A', '[""]'),
    ),
  },
  {
    path: 'process.inherit_env',
    value: flag.map((one) => (one.means === undefined ? { yaml: 'some', means: undefined } : one)),
  },
  { path: 'process.umask', value: masks },
  { path: 'process.nice', value: whole(-20, 19) },
  { path: 'process.rlimits', value: limits },
  { path: 'process.oom_score_adjust', value: whole(-1000, 1000) },
  { path: 'process.no_new_privileges', value: flag },
  { path: 'process.stop_grace', value: duration() },
  { path: 'process.exit_on', value: word('auto', 'main', 'empty') },
  { path: 'process.type', value: word('service', 'oneshot') },
  { path: 'process.stop_signal', value: signal(['SIGSTOP', 'CONT']) },
  { path: 'process.reload_signal', value: signal(['SIGKILL', '19']) },
  { path: 'process.stop_command', value: texts(1).map(unlessNoProgram) },
  { path: 'rollout.surge', value: whole(0, 999) },
  { path: 'rollout.overlap', value: duration() },
  { path: 'rollout.timeout', value: duration(1) },
  { path: 'rollout.on_failure', value: word('keep_old', 'replace') },
  { path: 'restart_policy.policy', value: word('always', 'on_failure', 'never') },
  { path: 'restart_policy.stable_after', value: duration() },
  {
    path: 'restart_policy.jitter',
    value: mostly(
      right(
        fc.integer({ min: 0, max: 100 }),
        (n) => String(n / 100),
        (n) => n / 100,
      ),
      wrong('1.01', '-0.1', '.nan', '.inf', "'0'"),
    ),
  },
  { path: 'restart_policy.success_exit_codes', value: codes },
  { path: 'restart_policy.tolerance.max_restarts', value: whole(0, 1_000_000) },
  { path: 'restart_policy.tolerance.duration', value: duration() },
  { path: 'restart_policy.tolerance.retry_after', value: orNever },
  { path: 'resources.max_cpu', value: unit(shares, cpuOf) },
  { path: 'resources.max_memory', value: size((value) => value !== 0) },
  { path: 'resources.max_swap', value: size(() => true) },
  { path: 'resources.cpu_weight', value: whole(1, 10_000) },
  { path: 'logs.rotation_size', value: size((value) => value !== null && value >= 1024) },
  { path: 'logs.rotation_backups', value: whole(0, 10_000) },
  { path: 'logs.rotation_max_age', value: orNever },
  { path: 'logs.compress', value: flag },
  {
    path: 'logs.rotation_frequency',
    value: word('minutely', 'hourly', 'daily', 'weekly', 'monthly', 'none'),
  },
  { path: 'hooks.pre_start.timeout', value: duration(1) },
  { path: 'probes.readiness.interval', value: duration(100) },
  { path: 'probes.readiness.failure_threshold', value: whole(1, 1_000_000) },
  { path: 'probes.startup.timeout', value: duration(1) },
  { path: 'watch.debounce', value: duration() },
  { path: 'process.schedule.jitter', value: duration() },
  { path: 'process.schedule.not_before', value: instants },
  { path: 'process.schedule.missed', value: word('skip', 'once') },
];

/** What a map needs that is there at all. */
export const NEEDED: Readonly<Record<string, string>> = {
  process: 'command: [sleep, "60"]',
  'hooks.pre_start': 'command: [./prepare]',
  'probes.readiness': 'exec: [./ready]',
  'probes.startup': 'fd: 3',
  watch: 'paths: [/srv]',
  'process.schedule': 'cron: 0 3 * * *',
};

/** The first word names the program. */
function unlessNoProgram(command: Written): Written {
  const isNamed = !Array.isArray(command.means) || command.means[0] !== '';
  return isNamed ? command : { ...command, means: undefined };
}

function signal(unfit: readonly string[]): fc.Arbitrary<Written> {
  const names = fc.constantFrom(
    ...(['SIGTERM', 'TERM', 'sigint', 'USR1', '15', '10', 'SIGHUP'] as const).map((yaml): Written => {
      const byNumber: Readonly<Record<string, string>> = { 15: 'SIGTERM', 10: 'SIGUSR1' };
      return { yaml, means: byNumber[yaml] ?? `SIG${yaml.toUpperCase().replace(/^SIG/, '')}` };
    }),
  );
  return mostly(names, wrong('SIGNONE', '0', '-1', 'true', '[]', '99', '1.5', ...unfit));
}
