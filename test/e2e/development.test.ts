/** While somebody develops: does each change restart the service, and nothing else? */
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { GROUND, GROUNDS } from './grounds.ts';
import { type Host, openHost } from './host.ts';
import { SLEEP } from './services.ts';

const QUICK = { debounce: '100ms' };

interface Sources {
  readonly host: Host;
  readonly directory: string;
  write(file: string, text: string): void;
  starts(): number;
  /** Waits for start number `times`, and for the service to run; there must be no further one. */
  restarted(times: number): Promise<void>;
  /** Waits until a restart is told of that this file caused; answers all that were told, in their order. */
  toldOf(file: string): Promise<readonly string[]>;
}

function sources(host: Host, command: string, more: object = {}): Sources {
  const directory = join(host.work, 'app');
  fs.mkdirSync(join(directory, 'src'), { recursive: true });
  const write = (file: string, text: string) => {
    fs.mkdirSync(join(directory, file, '..'), { recursive: true });
    fs.writeFileSync(join(directory, file), text);
  };
  write('src/main.sh', command);
  if (process.geteuid?.() === 0)
    for (const path of [directory, join(directory, 'src')]) fs.chmodSync(path, 0o777);
  host.service('app', {
    process: { command: ['sh', 'src/main.sh'], working_directory: directory },
    watch: { paths: ['.'], ...QUICK },
    ...more,
  });
  const told = () => host.stderr.split('\n').filter((line) => line.includes('app is restarted'));
  const toldOf = async (file: string) => {
    await host.until(`a restart for ${file}`, () => told().find((line) => line.includes(file)), told);
    return told();
  };
  const starts = () => host.lifecycle('worker_started').filter(({ service }) => service === 'app').length;
  const restarted = async (times: number) => {
    await host.until(`start number ${times}`, () => (starts() >= times ? true : undefined), starts);
    await host.runs('app');
    expect(starts()).toBe(times);
  };
  return { host, directory, write, starts, restarted, toldOf };
}

describe.each(GROUNDS)('$title', (ground) => {
  test('a change, a new file and a removed one restart it; a touch, node_modules and .git do not', async () => {
    const { host, directory, write, restarted, toldOf } = sources(openHost({ ground }), SLEEP);
    write('src/other.sh', 'never changed');
    await host.start();
    await restarted(1);
    write('src/main.sh', `: 2; ${SLEEP}`);
    await restarted(2);
    write('src/new/deep.sh', 'new');
    await restarted(3);
    fs.rmSync(join(directory, 'src/new'), { recursive: true });
    await restarted(4);
    const later = new Date(Date.now() + 5000);
    fs.utimesSync(join(directory, 'src/other.sh'), later, later);
    write('node_modules/left-pad/index.js', 'changed');
    write('.git/index', 'changed');
    // What counts comes last: whatever else had counted would have been told by then, or with it.
    write('src/last.sh', 'new');
    const told = await toldOf('last.sh');
    expect(told.filter((line) => /other\.sh|left-pad|\.git/.test(line))).toEqual([]);
    expect(told).toHaveLength(4);
    await restarted(5);
  });
});

test('a crash right after a change waits for the next change, and says so', async () => {
  const options = { restart_policy: { crash_on_start: 'wait_for_change', restart_backoff: '0s' } };
  const { host, write, starts, restarted } = sources(openHost({ ground: GROUND }), SLEEP, options);
  await host.start();
  await restarted(1);
  write('src/main.sh', 'echo "a mistake" >&2; exit 2');
  const view = await host.sees('app', 'failed', ({ state }) => state === 'failed');
  expect(view.reason).toContain('waits for the next change');
  expect(view.last_exit).toMatchObject({ code: 2 });
  const tried = starts();
  expect(tried).toBe(2);
  expect((await host.pmctl('why', 'app')).stdout).toContain('a mistake');
  write('src/main.sh', `: mended; ${SLEEP}`);
  await restarted(3);
  // One start for each definition: had it been tried again meanwhile, one of them would stand there twice.
  const generations = host.lifecycle('worker_started').map(({ fields }) => fields['generation']);
  expect(generations).toEqual(['1', '2', '3']);
});

test('its own logs in the watched directory do not restart it', async () => {
  const chatter = 'while :; do echo line; echo error >&2; sleep 0.05; done';
  const { host, directory, write, starts, restarted } = sources(openHost({ ground: GROUND }), chatter);
  await host.start();
  await restarted(1);
  await host.until('forty lines', () =>
    fs.readFileSync(join(directory, 'stdout.log'), 'utf8').split('\n').length > 40 ? true : undefined,
  );
  expect(starts()).toBe(1);
  write('src/main.sh', `: 2; ${chatter}`);
  await restarted(2);
});

test('that it writes its own sources at each start is told, and what each restart was for', async () => {
  const writes = `date +%s.%N > src/written; ${SLEEP}`;
  const { host } = sources(openHost({ ground: GROUND }), writes);
  await host.start();
  const why = () => host.pmctl('why', 'app').then(({ stdout }) => stdout);
  await host.until('why tells of it', async () => {
    const told = await why();
    return told.includes('src/written is changed by the service itself') ? told : undefined;
  });
  expect((await host.pmctl('events', 'app')).stdout).toContain(
    'restart asked for: src/written changed (watch)',
  );
});

test('many changes at once are one restart', async () => {
  const { host, write, restarted, toldOf } = sources(openHost({ ground: GROUND }), SLEEP);
  await host.start();
  await restarted(1);
  for (let file = 0; file < 50; file++) write(`src/module-${file}.js`, `${file}`);
  await restarted(2);
  write('src/last.js', 'last');
  expect(await toldOf('last.js')).toHaveLength(2);
});

test('what somebody stopped is not started by a change', async () => {
  const { host, directory, write, starts, restarted } = sources(openHost({ ground: GROUND }), SLEEP);
  host.service('witness', { process: { command: SLEEP }, watch: { paths: [directory], debounce: '500ms' } });
  await host.start();
  await restarted(1);
  await host.pmctl('stop', 'app');
  write('src/main.sh', `: 2; ${SLEEP}`);
  await host.sees('witness', 'restarted', ({ generation, state }) => generation === 2 && state === 'running');
  expect(starts()).toBe(1);
  expect(await host.view('app')).toMatchObject({ state: 'stopped', pid: null });
});
