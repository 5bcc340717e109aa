/** Can anything that somebody else has written reach a terminal as more than text? */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { LogFile } from '../../src/api/contract.ts';
import type { SnapshotView } from '../../src/api/deploys.ts';
import type { Call } from '../../src/cli/call.ts';
import { paintFor } from '../../src/cli/paint.ts';
import { renderCheck } from '../../src/cli/render-check.ts';
import { renderDiff } from '../../src/cli/render-diff.ts';
import { renderEvent } from '../../src/cli/render-events.ts';
import { renderHistory, renderSnapshot } from '../../src/cli/render-history.ts';
import { logPrinter } from '../../src/cli/render-logs.ts';
import { renderStats } from '../../src/cli/render-stats.ts';
import { renderStatus } from '../../src/cli/render-status.ts';
import { renderWhy } from '../../src/cli/render-why.ts';
import { LineCutter } from '../../src/logs/line-cutter.ts';
import { fakeTerminal, NOW } from '../cli/fake-terminal.ts';
import { instanceView, serviceView } from '../cli/sample-views.ts';
import { anyText, odd } from './noise.ts';
import { fuzz } from './share.ts';

const PAINT = paintFor({ terminal: true, refused: false, environment: { TERM: 'xterm' } });

/** The colours of paint.ts, which are the product's own: nothing else may begin with ESC. */
const OWN = new Set(['0', '1', '2', '31', '32', '33', '34', '35', '36'].map((number) => `[${number}m`));

/** The first character of the text that a terminal would obey, or show as nothing or elsewhere. */
function obeyed(text: string): string | undefined {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.codePointAt(at)!;
    if (code === 0x1b) {
      const end = text.indexOf('m', at);
      if (end < 0 || !OWN.has(text.slice(at + 1, end + 1))) return `ESC at ${at}`;
    } else if (code < 0x20 && code !== 0x0a && code !== 0x09) return `C0 at ${at}`;
    else if (code >= 0x7f && code <= 0x9f) return `C1 at ${at}`;
    else if (code >= 0xd800 && code <= 0xdfff) return `half a character at ${at}`;
    else if ((code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069))
      return `direction at ${at}`;
    else if (code === 0x2028 || code === 0x2029) return `line break at ${at}`;
    if (code > 0xffff) at += 1;
  }
  return undefined;
}

const exit = {
  ...{
    instance: 0,
    code: 1,
    signal: 'SIGTERM',
    oom: false,
    at: new Date(NOW).toISOString(),
    by: 'policy' as const,
  },
  ...{ because: 'x', uptime_ms: 5, reason: 'exit_1', log: ['a', 'b'] },
};
const problem = {
  code: 'start-failed',
  severity: 'error',
  message: 'm',
  file: 'f',
  line: 1,
  column: 2,
  hint: 'h',
} as const;
const fields = [{ path: 'process.command', from: 'a', to: 'b', file: 'web.yaml', line: 1, class: 'live' }];
const change = { service: 'web', action: 'roll', instances: 1, reason: 'r', because: fields };
const probe = {
  kind: 'readiness',
  ok: false,
  detail: 'd',
  at: new Date(NOW).toISOString(),
  failures: 1,
  threshold: 3,
} as const;
const service = serviceView('web', {
  labels: { a: 'b' },
  instances: [instanceView(0, { reason: 'r', probes: [probe] })],
  last_exit: exit,
  reason: 'r',
});
const frozen = { snapshot: 's', since: 'x', by: 'bob', reason: 'r', pending: ['web'] };
const entry = {
  ...{
    id: 'i',
    number: 1,
    at: 'x',
    trigger: 'command',
    by: 'bob',
    commit: { oid: 'c', branch: 'b', dirty: true },
  },
  ...{
    added: ['a'],
    changed: ['b'],
    removed: ['c'],
    results: { web: 'failed' },
    result: 'failed',
    mark: 'm',
  },
};
const problems = [problem];
const errors = [{ ...problem, path: 'p', service: 'web' }];
const prune = { services: ['web'], reason: 'r' };

/** What a daemon, or whoever says to be one, may answer. Only the compiler knows that some of it cannot be. */
const VIEWS = {
  status: { services: [service], problems, prune, frozen },
  why: { service, because: ['x'], exits: [exit], changes: fields, problems, stderr_tail: ['x'] },
  diff: {
    changes: [change],
    errors,
    warnings: errors,
    unchanged: 1,
    held: [{ service: 'x', reason: 'r' }],
    scaled: [{ service: 'x', instances: 2, file: 1, by: 'bob', at: NOW }],
    prune,
    frozen,
  },
  update: {
    changes: [{ ...change, result: 'failed', detail: 'd', log: ['x'] }],
    errors: [],
    warnings: [],
    unchanged: 0,
    held: [],
    prune: null,
    failure: { did: 'rolled_back', detail: 'd', services: ['x'] },
  },
  history: { entries: [entry], problems: ['p'] },
  snapshot: {
    entry,
    files: [{ path: 'p', service: 's', hash: 'h', env_files: { a: true } }],
  },
  stats: [
    {
      name: 'x',
      status: 'running',
      pid: 1,
      uptime: 1,
      restartCount: 1,
      cpu: 1,
      memoryRss: 1,
      memoryHeap: null,
      memory: 1,
      mode: 'fork',
      instances: 1,
      running: 1,
      processes: 1,
      ioRead: 1,
      ioWritten: 1,
    },
  ],
  check: { files: 1, errors, warnings: errors, unchecked: [{ file: 'f', depends_on: ['x', 'y'] }] },
  event: {
    id: 1,
    at: NOW,
    name: 'worker_started',
    service: 'web',
    actor: 'bob',
    run_id: 'r',
    fields: { reason: 'r', x: 'y', instance: 1 },
  },
} as const;

const EVENTS = [
  'worker_started',
  'worker_exited',
  'manager_started',
  'prune_held',
  'manager_frozen',
  'nonsense',
  'toString',
];

/** The same with another text in the place of each; words that have a meaning stay that sometimes. */
function noisy(value: unknown, texts: readonly string[], keep: boolean): unknown {
  let next = 0;
  const other = (text: string, key: string): string => {
    const isWord =
      keep && ['state', 'action', 'severity', 'stream', 'kind', 'by', 'result', 'at'].includes(key);
    return isWord ? text : texts[next++ % texts.length]!;
  };
  const walk = (one: unknown, key: string): unknown => {
    if (typeof one === 'string') return other(one, key);
    if (Array.isArray(one)) return one.map((item) => walk(item, key));
    if (typeof one !== 'object' || one === null) return one;
    const isMap = ['labels', 'fields', 'results', 'env_files'].includes(key);
    return Object.fromEntries(
      Object.entries(one).map(([name, inner]) => [isMap ? other(name, '') : name, walk(inner, name)]),
    );
  };
  return walk(value, '');
}

const texts = fc.array(fc.oneof(anyText, odd), { minLength: 1, maxLength: 8 });

fuzz(
  'terminal: tables and sentences',
  fc.tuple(texts, fc.boolean(), fc.option(fc.integer({ min: 1, max: 200 })), fc.constantFrom(...EVENTS)),
  ([all, keep, width, name]) => {
    const of = <Name extends keyof typeof VIEWS>(view: Name) => noisy(VIEWS[view], all, keep) as never;
    const look = { width, paint: PAINT, now: NOW, instances: true, onTerminal: true };
    const shown = {
      status: renderStatus(of('status'), look),
      why: renderWhy(of('why'), look),
      diff: renderDiff(of('diff'), look),
      update: renderDiff(of('update'), look),
      history: renderHistory(of('history'), look),
      snapshot: renderSnapshot(of('snapshot') as SnapshotView, look),
      stats: renderStats(of('stats'), look),
      check: renderCheck(of('check'), PAINT),
      event: [renderEvent({ ...(of('event') as object), name } as never, PAINT)],
    };
    for (const [view, lines] of Object.entries(shown)) {
      for (const line of lines) {
        expect([view, obeyed(line)]).toEqual([view, undefined]);
        expect([view, line.includes('\n')]).toEqual([view, false]);
      }
    }
  },
);

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 80 }),
  anyText.map((text) => new Uint8Array(Buffer.from(text))),
  fc
    .array(
      fc.oneof(
        fc.uint8Array({ maxLength: 6 }),
        odd.map((text) => new Uint8Array(Buffer.from(text))),
      ),
      { maxLength: 10 },
    )
    .map((parts) => new Uint8Array(Buffer.concat(parts))),
);

fuzz(
  'terminal: lines of a log',
  fc.tuple(bytes, anyText, anyText, fc.nat(2)),
  ([written, name, path, place]) => {
    const cutter = new LineCutter();
    const lines = [...cutter.add(written), ...cutter.rest()];
    const stream = (['stdout', 'stderr', 'hint'] as const)[place]!;
    const file: LogFile = { service: name, stream, path, instance: place === 0 ? null : place };
    const print = (json: boolean, screen: boolean): string => {
      const terminal = fakeTerminal(screen ? { screen: { columns: 80, rows: 24 } } : {});
      const call = {
        words: [],
        options: { json },
        terminal,
        paint: PAINT,
        daemon: undefined,
      } as unknown as Call;
      const printer = logPrinter(call, [file]);
      for (const line of lines) printer([{ ...file, line }]);
      return terminal.out();
    };
    const shown = print(false, true);
    expect(obeyed(shown)).toBeUndefined();
    expect(shown.split('\n')).toHaveLength(lines.length + 1);
    for (const screen of [true, false]) {
      const json = print(true, screen);
      expect(obeyed(json)).toBeUndefined();
      const objects = json
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line));
      expect(objects).toHaveLength(lines.length);
      for (const [nth, object] of objects.entries())
        expect(object).toMatchObject({ service: name, stream, file: path, line: lines[nth] });
    }
  },
);
