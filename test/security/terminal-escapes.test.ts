/** May anything that a service, a file or a forged daemon says command the terminal of the person who asks? */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type FakeDaemon, fakeDaemon, HANDLED, run, runOn } from '../cli/fake-daemon.ts';
import { fakeTerminal } from '../cli/fake-terminal.ts';
import { ago, instanceView, restingView, serviceView } from '../cli/sample-views.ts';

/** Clears, sets the title, writes the clipboard, the same with C1 controls, turns the writing direction, hides. */
const ATTACK =
  '\u001b[2J\u001b]0;title\u0007\u001b]52;c;aGk=\u0007\u009b31m\u009d0;t\u009c\u0085\r\u0008\u007f\u202e\u2066\u200b\ufeff\u{e0041}\nforged line';

/** Everything that must not reach a terminal; line breaks and tabs are ours. */
const HARMFUL =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069\ufeff\u{e0000}-\u{e007f}]/u;

/** The first harmful character with what stands before it. */
function harmIn(told: string): string | undefined {
  const at = HARMFUL.exec(told)?.index;
  return at === undefined ? undefined : JSON.stringify(told.slice(Math.max(0, at - 12), at + 9));
}

/** Keys that the program decides by: other values are none that a daemon of ours sends. */
const DECIDED_BY = new Set(
  'state drift stream action result class severity code mark trigger at since started_at id name'.split(' '),
);

/** @param deep also what is decided by, as a daemon might say it that is none */
function attacked(value: unknown, deep: boolean, key = ''): unknown {
  if (typeof value === 'string') {
    return deep || !(DECIDED_BY.has(key) || value === 'itself') ? `${value}${ATTACK}` : value;
  }
  if (Array.isArray(value)) return value.map((each) => attacked(each, deep, key));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, inner]) => [name, attacked(inner, deep, name)]);
  return Object.fromEntries(deep ? entries : [...entries, [`more${ATTACK}`, ATTACK]]);
}

const PROBLEM = {
  ...{ code: 'yaml-syntax', severity: 'error', message: 'duplicate key', hint: 'each once' },
  ...{ file: 'config.d/web.yaml', line: 3, column: 1, path: 'process', service: 'web' },
};
const INSTANCE = instanceView(0, { reason: 'it failed' });
const SERVICE = serviceView('web', {
  ...{ description: 'the shop', labels: { team: 'shop' }, reason: 'held by bob', drift: 'pending' },
  instances: [INSTANCE],
});
const CHANGE = {
  ...{ service: 'web', action: 'roll', reason: 'changed', instances: 1, result: 'failed', detail: 'boom' },
  because: [{ path: 'process.args[0]', from: 'old', to: 'new', class: 'roll', file: 'f.yaml', line: 2 }],
  log: ['last words'],
};
const UPDATE = {
  changes: [CHANGE],
  ...{ errors: [PROBLEM], warnings: [PROBLEM], unchanged: 1, prune: { services: ['db'], reason: 'many' } },
  held: [{ service: 'web', reason: 'held' }],
  frozen: { snapshot: 'abc', since: ago(1000), by: 'bob', reason: 'rolled back', pending: ['web'] },
  failure: { did: 'stopped', detail: 'boom', services: ['web'] },
};
const EXIT = {
  ...{ instance: 0, code: 3, signal: null, oom: false, at: ago(1000), by: 'itself' },
  ...{ uptime_ms: 9, reason: 'exit_3' },
};
const COMMAND = { results: [{ service: 'web', result: 'failed', detail: 'it would not', log: ['words'] }] };
const ENTRY = {
  ...{ number: 7, id: '0123456789ab', at: ago(1000), trigger: 'update', by: 'bob', mark: 'current' },
  ...{ commit: { oid: 'abcdef0123456789', branch: 'main', dirty: true } },
  ...{ added: ['a'], changed: ['b'], removed: ['c'], result: 'failed', results: { a: 'failed' } },
};
const EVENT = {
  ...{ id: 1, at: 1000, name: 'hold_requested', service: 'web', actor: 'bob' },
  fields: { reason: 'mending', detail: 'boom' },
};

const VIEWS: Readonly<Record<string, unknown>> = {
  'GET /api/status': {
    services: [SERVICE, restingView('db', { state: 'failed', reason: 'exit 3' })],
    problems: [PROBLEM],
    prune: UPDATE.prune,
    frozen: UPDATE.frozen,
  },
  'GET /api/why/web': {
    ...{ service: SERVICE, because: ['it failed'], exits: [EXIT], changes: CHANGE.because },
    ...{ problems: [PROBLEM], stderr_tail: ['last words'], log: ['words'] },
  },
  'GET /api/diff': UPDATE,
  'POST /api/update': UPDATE,
  'POST /api/rollback': UPDATE,
  'POST /api/resume': UPDATE,
  'GET /api/compare': UPDATE,
  'POST /api/command': COMMAND,
  'POST /api/delete': COMMAND,
  'POST /api/sync': {
    ...{ result: 'refused', reason: 'git fetch failed', branch: 'main', from: 'aaaa', to: 'bbbb' },
    ...{ commits: [{ id: 'bbbb', subject: 'a subject' }], errors: [PROBLEM], diff: UPDATE, update: UPDATE },
  },
  'GET /api/history': { entries: [ENTRY], problems: ['one is torn'] },
  'GET /api/history/0123456789ab': {
    entry: ENTRY,
    files: [{ path: 'web.yaml', service: 'web', blob: 'b', hash: 'h', env_files: { '/e': true } }],
  },
  'GET /api/logs': {
    files: [{ service: 'web', stream: 'stdout', path: '/nowhere/out.log' }],
    logs: [{ service: 'web', stream: 'stdout', path: '/nowhere/out.log', line: 'a line', time: null }],
    problems: [PROBLEM],
  },
  'GET /api/doctor': {
    system: 'linux',
    checks: [{ name: 'cgroup2', ok: false, detail: 'no' }],
    problems: [],
  },
  'GET /api/stats': { services: [], daemon: {} },
  'GET /api/version': { version: '1', pid: 7, protocol: 1, started_at: ago(1000), containment: 'cgroup' },
};

const COMMANDS = [
  ...['status', 'status web', 'why web', 'diff', 'update', 'rollback', 'resume', 'compare 0123456789ab'],
  ...['restart web', 'stop web', 'delete web', 'sync', 'history', 'show 0123456789ab', 'logs', 'events'],
  ...['doctor', 'stats', 'version', 'wait web', 'hold web'],
];

async function forged(deep: boolean): Promise<FakeDaemon> {
  const routes = Object.fromEntries(Object.entries(VIEWS).map(([key, view]) => [key, attacked(view, deep)]));
  return fakeDaemon({
    ...routes,
    'GET /api/events': (_asked: unknown, response: { end(text: string): void }) => {
      response.end(`${JSON.stringify(attacked(EVENT, deep))}\n`);
      return HANDLED;
    },
  });
}

describe.each([
  ['what services and files say', false],
  ['a daemon that is none', true],
] as const)('%s', (_title, deep) => {
  test.each(COMMANDS)('pmctl %s only shows it', async (command) => {
    const daemon = await forged(deep);
    const screen = { columns: 200, rows: 50 };
    const terminal = fakeTerminal({ screen, progressColumns: 200 });
    const end = runOn(terminal, daemon, `${command} --no-color`);
    // It may give up a daemon that says what none can say.
    await (deep ? end.catch(() => undefined) : end);
    // Progress is drawn over itself: that is our own doing.
    const told = `${terminal.out()}${terminal.err()}`.replaceAll('\r\u001b[K', '\n');
    expect(harmIn(told)).toBeUndefined();
    expect(told.split('\n').filter((line) => line.startsWith('forged line'))).toEqual([]);
    if (!deep) expect(told).not.toBe('');
  });

  test.each(COMMANDS)('pmctl %s --json says the same, and harmlessly', async (command) => {
    const daemon = await forged(deep);
    const { out, err } = await run(daemon, `${command} --json`, { screen: { columns: 200, rows: 50 } });
    expect(harmIn(`${out}${err}`)).toBeUndefined();
    for (const line of out.trimEnd().split('\n')) if (line !== '') JSON.parse(line);
  });
});

test('nothing but names of services is completed on a command line', async () => {
  const names = ['web', 'web;reboot', '$(reboot)', 'a b', '-rf', '*', '\u001b[2J'];
  const daemon = await fakeDaemon({
    'GET /api/status': { services: names.map((name) => ({ name })), problems: [], prune: null },
  });
  const { out } = await run(daemon, 'completion services');
  expect(out).toBe('web\n');
});

test('JSON that is made harmless is the same JSON', async () => {
  const daemon = await forged(false);
  const { out } = await run(daemon, 'why web --json');
  expect(JSON.parse(out)).toMatchObject({ stderr_tail: [`last words${ATTACK}`] });
});

test('names of files that cannot be read are shown harmlessly by pmctl check', async () => {
  const daemon = await forged(false);
  const file = join(daemon.directory, 'a\u001b[2J\u202e.yaml');
  writeFileSync(file, 'process: [\u009b31m');
  const { out, err } = await run(daemon, ['check', '-c', file, '--no-color'], {
    screen: { columns: 200, rows: 50 },
    directory: daemon.directory,
  });
  expect(out + err).not.toBe('');
  expect(harmIn(out + err)).toBeUndefined();
});
