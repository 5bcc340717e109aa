/** What only cgroups promise: the tree is the record, whatever somebody does to it. */
import { type ChildProcess, execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type RunKey, runDirectory } from '../../src/model/names.ts';
import { openCgroups } from '../../src/world/cgroups.ts';
import { systemClock } from '../../src/world/clock.ts';
import { rotateLog } from '../../src/world/log-rotation.ts';
import { environmentState, isAlive, processStat } from '../../src/world/procfs.ts';
import type { Containment } from '../../src/world/world.ts';
import { failingCall } from '../world/failing-call.ts';
import { rotationOrder } from '../world/rotation-order.ts';
import {
  bundledFixture,
  cgroupGround,
  cgroupsMissing,
  emptied,
  freshBaseName,
  type Ground,
  isGone,
  keyOf,
  launchOf,
  mountPoint,
  named,
  outcomeOf,
  removeTree,
  runOf,
  runsOf,
  started,
  temporaryDirectory,
  until,
} from './ground.ts';

describe.skipIf(cgroupsMissing)('a tree of cgroups', () => {
  let ground: Ground;
  let containment: Containment;

  beforeEach(() => {
    ground = cgroupGround();
    containment = ground.containment;
  });
  afterEach(() => ground.clear());

  const directoryOf = (key: RunKey) => `${ground.place}/${key.service}/${runDirectory(key)}`;

  async function ended() {
    const key = keyOf('web');
    started(containment.start(key, launchOf(key, ['true'])));
    await outcomeOf(containment, key);
    await emptied(containment, key);
    return key;
  }

  async function running(argv: readonly string[] = ['sleep', '1000']) {
    const key = keyOf('web');
    const { pid } = started(containment.start(key, launchOf(key, argv)));
    await until('its place', () => containment.members(key)[0]);
    return { ...key, pid };
  }

  it('has the run in a cgroup whose name says what it is', async () => {
    const key = await running();
    const line = fs
      .readFileSync(`/proc/${key.pid}/cgroup`, 'utf8')
      .split('\n')
      .find((each) => each.startsWith('0::'));
    expect(line?.endsWith(`/services/web/0.1.abcdef012345.${key.id}`)).toBe(true);
  });

  it('takes a run whose cgroup was removed by hand for gone, and starts the next one', async () => {
    const key = await ended();
    fs.rmdirSync(directoryOf(key));
    fs.rmdirSync(`${ground.place}/web`);
    expect(runsOf(containment, key.service)).toEqual([]);
    expect(containment.signal(key, 'SIGTERM')).toBeUndefined();
    expect(containment.kill(key)).toBeUndefined();
    expect(containment.remove(key)).toBeUndefined();
    const next = await running();
    expect(runOf(containment, next)?.main.is).toBe('running');
  });

  it('survives that the whole tree was removed by hand', async () => {
    const base = dirname(ground.place);
    for (const cgroup of [`${base}/services`, `${base}/daemon`, base]) fs.rmdirSync(cgroup);
    expect(containment.services()).toEqual([]);
    expect(runsOf(containment, named('web'))).toEqual([]);
    const key = await running();
    expect(containment.services()).toEqual(['web']);
    expect(runOf(containment, key)?.members).toEqual({ is: 'some' });
  });

  it('counts the processes of cgroups that a service made inside its own, and removes those', async () => {
    const key = await running(['sh', '-c', 'sleep 1000 & sleep 1000']);
    const child = await until('a child', () => containment.members(key).find((pid) => pid !== key.pid));
    const inner = `${directoryOf(key)}/inner/most`;
    fs.mkdirSync(inner, { recursive: true });
    fs.writeFileSync(`${inner}/cgroup.procs`, String(child));
    expect(containment.members(key)).toContain(child);
    containment.signal(key, 'SIGTERM');
    await emptied(containment, key);
    expect(isGone(child)).toBe(true);
    expect(containment.remove(key)).toBeUndefined();
    expect(fs.existsSync(directoryOf(key))).toBe(false);
  });

  it('finds, stops and adopts a run that made a threaded cgroup inside its own', async () => {
    const key = await running(['sh', '-c', 'trap "exit 7" TERM; while :; do sleep 0.01; done']);
    const inner = `${directoryOf(key)}/vcpu0`;
    fs.mkdirSync(inner);
    fs.writeFileSync(`${inner}/cgroup.type`, 'threaded');
    fs.writeFileSync(`${inner}/cgroup.threads`, String(key.pid));
    expect(() => fs.readFileSync(`${inner}/cgroup.procs`)).toThrow();
    expect(containment.members(key)).toContain(key.pid);
    const next = ground.reopen();
    const { startTicks } = processStat(key.pid)!;
    expect(next.look(key.service, () => ({ pid: key.pid, ticks: startTicks }))).toMatchObject({
      kind: 'seen',
      runs: [{ main: { is: 'running', pid: key.pid }, members: { is: 'some' } }],
    });
    expect(next.signal(key, 'SIGTERM')).toBeUndefined();
    expect(await outcomeOf(containment, key)).toEqual({ kind: 'exited', code: 7 });
    await emptied(containment, key);
    expect(containment.remove(key)).toBeUndefined();
    expect(fs.existsSync(directoryOf(key))).toBe(false);
  });

  it('does not see, and never touches, what is not its own', () => {
    const foreign = [
      '.hidden',
      'a b',
      'all',
      'web/notes',
      'web/0.1.abcdef012345.short',
      'web/-1.1.abcdef012345.0mabcdef1-abcd',
    ];
    for (const name of foreign) fs.mkdirSync(`${ground.place}/${name}`, { recursive: true });
    expect(containment.services()).toEqual(['web']);
    expect(runsOf(containment, named('web'))).toEqual([]);
    containment.forget(named('web'));
    for (const name of foreign) expect(fs.existsSync(`${ground.place}/${name}`)).toBe(true);
  });

  it('tells a place in which nothing ever ran from one that is empty again', async () => {
    const never = keyOf('web');
    fs.mkdirSync(directoryOf(never), { recursive: true });
    const ran = await ended();
    const later = ground.reopen();
    expect(runOf(later, never)).toMatchObject({
      everRan: false,
      members: { is: 'none' },
      main: { is: 'unknown' },
    });
    expect(runOf(later, ran)).toMatchObject({
      everRan: true,
      members: { is: 'none' },
      main: { is: 'unknown' },
    });
  });

  it('starts a run in the place that a start of it has left which failed', async () => {
    const key = keyOf('web');
    fs.mkdirSync(directoryOf(key), { recursive: true });
    const { pid } = started(containment.start(key, launchOf(key, ['sleep', '1000'])));
    expect(runOf(containment, key)).toMatchObject({ main: { is: 'running', pid } });
  });

  it('refuses to start a run again that has been, while its place tells so', async () => {
    const key = await ended();
    const later = ground.reopen();
    expect(later.start(key, launchOf(key, ['true']))).toMatchObject({ code: 'start-failed', passing: true });
    expect(runOf(later, key)).toMatchObject({ everRan: true, members: { is: 'none' } });
  });

  it('refuses to start the same run twice, and blames nobody for it', async () => {
    const key = await running();
    expect(containment.start(key, launchOf(key, ['true']))).toMatchObject({
      code: 'start-failed',
      message: expect.stringContaining('EEXIST'),
      passing: true,
    });
    expect(runOf(containment, key)?.main).toEqual({ is: 'running', pid: key.pid });
  });

  it('does not believe a pid that has another start time, or lives elsewhere', async () => {
    const key = await running(['sh', '-c', 'sleep 1000 & sleep 1000']);
    const later = ground.reopen();
    const main = (pid: number, ticks: number | null) => {
      const observed = later.look(key.service, () => ({ pid, ticks }));
      return observed.kind === 'seen' ? observed.runs[0]?.main : undefined;
    };
    const unknown = { is: 'ended', outcome: { kind: 'unknown', oom: false }, at: expect.any(Number) };
    expect(main(key.pid, 1)).toEqual(unknown);
    expect(main(process.pid, null)).toEqual(unknown);
    expect(main(key.pid, null)).toEqual({ is: 'running', pid: key.pid });
  });

  describe('a main process that has left its cgroup', () => {
    let elsewhere: string;

    beforeEach(() => {
      elsewhere = `${mountPoint}/${freshBaseName()}-elsewhere`;
      fs.mkdirSync(elsewhere);
    });
    afterEach(() => removeTree(elsewhere));

    async function strayed(argv?: readonly string[]) {
      const key = await running(argv);
      const ticks = processStat(key.pid)?.startTicks ?? null;
      fs.writeFileSync(`${elsewhere}/cgroup.procs`, String(key.pid));
      const look = (by: Containment, main: { pid: number; ticks: number | null } | null) => {
        const observed = by.look(key.service, () => main);
        return observed.kind === 'seen' ? observed.runs.find((run) => run.key.id === key.id) : undefined;
      };
      return { ...key, ticks, look };
    }

    it('is the run all the same, and it is told where it is', async () => {
      const { look, pid } = await strayed();
      expect(look(containment, null)).toMatchObject({
        main: { is: 'running', pid, outside: elsewhere.slice((mountPoint ?? '').length) },
        members: { is: 'some' },
      });
    });

    it('is adopted, and not taken for ended', async () => {
      const { look, pid, ticks, ...key } = await strayed(['sh', '-c', 'sleep 1000 & exec sleep 1000']);
      containment.close();
      const later = ground.reopen();
      expect(look(later, { pid, ticks })).toMatchObject({
        adopted: true,
        everRan: true,
        main: { is: 'running', pid, outside: expect.stringContaining('-elsewhere') },
        members: { is: 'some' },
      });
      expect(later.members(key)).toContain(pid);
      expect(later.remove(key)).toMatchObject({ code: 'stop-blocked' });
    });

    it.each(['signal', 'kill'] as const)('is reached by a %s, and its end is noticed', async (how) => {
      const { look, pid, ticks, ...key } = await strayed();
      containment.close();
      const later = ground.reopen();
      const woken = new Promise<string>((resolve) => later.onChange(resolve));
      expect(look(later, { pid, ticks })?.main.is).toBe('running');
      if (how === 'kill') later.kill(key);
      else later.signal(key, 'SIGTERM');
      expect(await woken).toBe('web');
      await until('its end', () => (look(later, { pid, ticks })?.main.is === 'ended' ? true : undefined));
      expect(later.remove(key)).toBeUndefined();
    });

    it('is somebody else where its mark is not that of the run', async () => {
      const { look, pid, ticks, ...key } = await strayed(['env', '-i', 'sleep', '1000']);
      await until('the program', () => (environmentState(pid) === 'none' ? true : undefined));
      containment.close();
      const later = ground.reopen();
      expect(look(later, { pid, ticks })?.main.is).toBe('ended');
      later.kill(key);
      expect(isGone(pid)).toBe(false);
    });

    it.each(['the daemon that started it', 'a later one'])(
      'loses no line by a rotation of %s, though nobody has looked since it left',
      async (who) => {
        const directory = temporaryDirectory();
        onTestFinished(() => fs.rmSync(directory, { recursive: true }));
        const [asked, path] = [`${directory}/asked`, `${directory}/stdout.log`];
        execFileSync('mkfifo', [asked]);
        const ask = fs.openSync(asked, 'r+');
        onTestFinished(() => fs.closeSync(ask));
        const key = keyOf('web');
        const echo = 'while read -r line; do echo "$line"; done <"$0"';
        const stdout = fs.openSync(path, 'a');
        const launch = launchOf(key, ['sh', '-c', echo, asked], { stdout });
        const { pid } = started(containment.start(key, launch));
        fs.closeSync(stdout);
        await until('its place', () => containment.members(key)[0]);
        const isLater = who === 'a later one';
        if (isLater) containment.close();
        const daemon = isLater ? ground.reopen() : containment;
        const ticks = processStat(pid)?.startTicks ?? null;
        expect(daemon.look(key.service, () => ({ pid, ticks }))).toMatchObject({
          runs: [{ main: { is: 'running', pid } }],
        });
        expect(daemon.freezer([key.service])?.cgroups).toEqual([`${ground.place}/web`]);
        fs.writeFileSync(`${elsewhere}/cgroup.procs`, String(pid));

        /** Nothing else can happen until it has written, as nothing can while a log is cut. */
        const writes = (line: string) => {
          fs.writeSync(ask, `${line}\n`);
          const deadline = performance.now() + 5000;
          while (!fs.readFileSync(path, 'utf8').includes(line)) {
            if (performance.now() > deadline) throw new Error(`${line} was not written`);
          }
        };
        writes('line 1');
        let cuts = 0;
        const answer = await rotateLog(
          rotationOrder(path, `${directory}/journal`, {
            freezer: () => daemon.freezer([key.service]),
            passed: (step) => {
              if (step === 'cutting' && ++cuts === 1) writes('line 2');
            },
          }),
        );
        expect(answer).toMatchObject({ kind: 'rotated' });
        writes('line 3');
        const [rotated, active] = [`${path}.1`, path].map((each) => fs.readFileSync(each, 'utf8'));
        expect([rotated, active]).toEqual(['line 1\nline 2\n', 'line 3\n']);
      },
    );

    it('has ended where it ends while it is looked at', async () => {
      const { look, pid, ticks } = await strayed();
      containment.close();
      const later = ground.reopen();
      const read = fs.readFileSync as (path: unknown, ...more: unknown[]) => unknown;
      const ends = vi.spyOn(fs, 'readFileSync').mockImplementation(((path: unknown, ...more: unknown[]) => {
        const text = read(path, ...more);
        if (path === `/proc/${pid}/environ`) {
          process.kill(pid, 'SIGKILL');
          const deadline = performance.now() + 5000;
          while (isAlive(pid, ticks) && performance.now() < deadline);
        }
        return text;
      }) as never);
      onTestFinished(() => ends.mockRestore());
      const main = look(later, { pid, ticks })?.main;
      ends.mockRestore();
      expect(main).toMatchObject({ is: 'ended' });
    });

    it('is somebody else where only its number is known', async () => {
      const { look, pid, ...key } = await strayed();
      containment.close();
      const later = ground.reopen();
      expect(look(later, { pid, ticks: null })?.main.is).toBe('ended');
      later.kill(key);
      expect(isGone(pid)).toBe(false);
    });
  });

  it('tells by event, without a timer, that the last process of an adopted run is gone', async () => {
    const key = await running();
    const clock = { ...systemClock(), after: () => () => undefined };
    const answer = openCgroups({ root: mountPoint ?? '', name: baseName(), lock: false, clock });
    if (!('containment' in answer)) throw new Error(JSON.stringify(answer));
    const later = answer.containment;
    expect(runOf(later, key)).toMatchObject({ adopted: true, main: { is: 'unknown' } });
    const woken = new Promise<string>((resolve) => later.onChange(resolve));
    process.kill(key.pid, 'SIGKILL');
    expect(await woken).toBe('web');
    await emptied(later, key);
    later.close();
  });

  it.each(['the run', 'the service'])(
    'lets a process act on a signal although %s was frozen',
    async (what) => {
      const ready = `${temporaryDirectory()}/ready`;
      const key = await running([
        'sh',
        '-c',
        'trap "exit 7" TERM; : > "$0"; while :; do sleep 0.01; done',
        ready,
      ]);
      await until('the trap', () => (fs.existsSync(ready) ? true : undefined));
      fs.rmSync(dirname(ready), { recursive: true });
      const frozen = what === 'the run' ? directoryOf(key) : dirname(directoryOf(key));
      fs.writeFileSync(`${frozen}/cgroup.freeze`, '1');
      await until('the freeze', () => {
        const events = fs.readFileSync(`${frozen}/cgroup.events`, 'utf8');
        return events.includes('frozen 1') ? true : undefined;
      });
      containment.signal(key, 'SIGTERM');
      expect(await outcomeOf(containment, key)).toEqual({ kind: 'exited', code: 7 });
    },
  );

  it('sends SIGTERM to children that are forked while it is being sent', async () => {
    // Bounded, so that a failure leaves no storm behind; rounds enough for a fork to fall into the sending.
    const script = 'f() { i=0; while [ $((i+=1)) -lt 300 ]; do sleep 1000 & done; wait; }; f & f & f & wait';
    for (let round = 0; round < 20; round++) {
      const key = await running(['sh', '-c', script]);
      await until('a crowd', () => (containment.members(key).length > 30 ? true : undefined));
      containment.signal(key, 'SIGTERM');
      await emptied(containment, key);
    }
  });

  it.each([
    ['to find them', 'readFileSync', 'self/mountinfo', 'EMFILE'],
    ['to make them', 'mkdirSync', '/daemon', 'ENOMEM'],
    ['to join them', 'openSync', '/daemon', 'ENFILE'],
  ] as const)(
    'does not do without cgroups where the host is only short of what it takes %s',
    (_what, call, part, code) => {
      const name = freshBaseName();
      onTestFinished(() => removeTree(`${mountPoint}/${name}`));
      const mend = failingCall(call, (path) => path.includes(part), code);
      const opened = openCgroups({ name });
      mend();
      expect(opened).toMatchObject({
        refused: { code: 'host-short', message: expect.stringContaining(code) },
      });
    },
  );

  it('names every limit that this host cannot apply, and only those', () => {
    const read = (file: string) => fs.readFileSync(`${ground.place}/${file}`, 'utf8').trim().split(' ');
    const keys = { cpu: 'max_cpu', memory: 'max_memory', pids: 'max_pids', io: 'io_weight' };
    const enabled = read('cgroup.subtree_control');
    for (const [controller, key] of Object.entries(keys)) {
      const named = containment.shortcomings.some((each) => each.message.includes(key));
      expect({ controller, named }).toEqual({
        controller,
        named: !enabled.includes(controller) || (key === 'io_weight' && named),
      });
    }
    for (const each of containment.shortcomings)
      expect(each).toMatchObject({ code: 'limit-unapplied', severity: 'warning' });
  });

  it('answers "unseen", never "gone", while it cannot read', async () => {
    const key = await running();
    const directory = temporaryDirectory();
    const program = bundledFixture('out-of-descriptors', directory);
    const argv = ['--nofile=64', process.execPath, program, mountPoint ?? '', baseName(), key.service];
    const { stdout, stderr } = spawnSync('prlimit', argv, { encoding: 'utf8' });
    fs.rmSync(directory, { recursive: true });
    expect(stderr).toBe('');
    const seen = { members: [{ is: 'some' }] };
    const unseen = expect.stringMatching(/cannot be read: too many open files \(EMFILE\)/);
    expect(JSON.parse(stdout)).toEqual({
      before: seen,
      during: {
        look: { problem: unseen },
        services: { unseen: expect.objectContaining({ message: unseen }) },
      },
      after: seen,
    });
  });

  function baseName(): string {
    return ground.place.split('/').at(-2) ?? '';
  }
});

describe('a base that cannot be', () => {
  it.each(['/pm', '..', 'a/b', '', '.', 'a b', '-x'])('is refused by its name: %j', (name) => {
    expect(openCgroups({ root: mountPoint ?? '/', name })).toMatchObject({
      unavailable: { code: 'containment-weak' },
    });
  });

  it('is refused outside a cgroup2 file system', () => {
    expect(openCgroups({ root: '/tmp', name: 'processmaster' })).toMatchObject({
      unavailable: { message: 'cgroup_root /tmp is no directory of a cgroup2 file system' },
    });
    expect(fs.existsSync('/tmp/processmaster/services')).toBe(false);
  });
});

describe.skipIf(cgroupsMissing).each([
  { title: 'one daemon for each base', way: [] },
  { title: 'one daemon for each base, with joining it begun before', way: ['begun'] },
])('$title', ({ way }) => {
  let directory: string;
  let program: string;
  let name: string;
  let holders: ChildProcess[];

  beforeAll(() => {
    directory = temporaryDirectory();
    program = bundledFixture('base-holder', directory);
  });
  afterAll(() => fs.rmSync(directory, { recursive: true }));
  beforeEach(() => {
    name = freshBaseName();
    holders = [];
  });
  afterEach(() => {
    for (const holder of holders) holder.kill('SIGKILL');
    removeTree(`${mountPoint}/${name}`);
  });

  function daemon(): Promise<unknown> {
    const child = spawn(process.execPath, [program, mountPoint ?? '', name, ...way], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    holders.push(child);
    return new Promise((resolve) =>
      createInterface({ input: child.stdout! }).once('line', (line) => resolve(JSON.parse(line))),
    );
  }

  it('lets nobody else in while it lives, names it, and leaves nothing behind when it is killed', async () => {
    const first = holders.length;
    expect(await daemon()).toEqual({ pid: holders[first]!.pid });
    const { pid } = holders[first]!;
    expect(fs.readFileSync(`${mountPoint}/${name}/daemon/cgroup.procs`, 'utf8')).toBe(`${pid}\n`);

    expect(await daemon()).toMatchObject({
      refused: { code: 'daemon-running', message: expect.stringContaining(`: ${pid} `) },
    });
    process.kill(pid!, 'SIGKILL');
    await new Promise((resolve) => holders[first]!.once('exit', resolve));
    expect(await daemon()).toEqual({ pid: holders.at(-1)!.pid });
  });

  it('leaves nothing behind when it closes and no service is left', async () => {
    await daemon();
    fs.mkdirSync(`${mountPoint}/${name}/services/web`);
    await closed();
    expect(fs.existsSync(`${mountPoint}/${name}`)).toBe(false);
    expect(await daemon()).toEqual({ pid: holders.at(-1)!.pid });
  });

  it('leaves what is not empty as it is when it closes', async () => {
    await daemon();
    const services = `${mountPoint}/${name}/services`;
    for (const path of ['web/0.1.abcdef012345.x', 'idle'])
      fs.mkdirSync(`${services}/${path}`, { recursive: true });
    await closed();
    expect(fs.existsSync(`${services}/web/0.1.abcdef012345.x`)).toBe(true);
    expect(fs.existsSync(`${services}/idle`)).toBe(false);
    expect(await daemon()).toEqual({ pid: holders.at(-1)!.pid });
  });

  it('lets the next one in that comes while it closes, with a whole tree', async () => {
    for (let round = 0; round < 10; round++) {
      await daemon();
      const [answer] = await Promise.all([daemon(), closed(holders.at(-2))]);
      expect(answer).toEqual({ pid: holders.at(-1)!.pid });
      expect(fs.readdirSync(`${mountPoint}/${name}`)).toEqual(expect.arrayContaining(['daemon', 'services']));
      await closed();
    }
  });

  /** Ends it in peace. */
  async function closed(holder = holders.at(-1)): Promise<void> {
    const over = new Promise((resolve) => holder!.once('exit', resolve));
    holder!.stdin!.end();
    await over;
  }

  it('lets exactly one of several in that come at the same moment', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, daemon));
    const won = answers.filter((answer) => typeof answer === 'object' && answer !== null && 'pid' in answer);
    expect(won, JSON.stringify(answers)).toHaveLength(1);
    for (const answer of answers) {
      if (!(won as unknown[]).includes(answer))
        expect(answer).toMatchObject({ refused: { code: 'daemon-running' } });
    }
  });

  /** A process in the cgroup of the daemon that no living daemon has started. */
  function leftover(environment: Readonly<Record<string, string>> = {}): number {
    const cgroup = `${mountPoint}/${name}/daemon`;
    fs.mkdirSync(cgroup, { recursive: true });
    const child = spawn('sleep', ['1000'], { env: { PATH: process.env['PATH'], ...environment } });
    holders.push(child);
    fs.writeFileSync(`${cgroup}/cgroup.procs`, String(child.pid));
    return child.pid!;
  }

  it('is not kept out by what a dead daemon has left, and keeps others out beside it', async () => {
    const left = leftover();
    expect(await daemon()).toEqual({ pid: holders.at(-1)!.pid });
    const { pid } = holders.at(-1)!;
    expect(await daemon()).toMatchObject({
      refused: { code: 'daemon-running', message: expect.stringContaining(`: ${pid} `) },
    });
    await closed(holders[1]);
    expect(isGone(left)).toBe(false);
  });

  it('is kept out by a launch that has yet to join its run', async () => {
    const pid = leftover({ PROCESSMASTER_RUN_ID: '0mabcdef1-abcd' });
    expect(await daemon()).toMatchObject({
      refused: { code: 'daemon-running', message: expect.stringContaining(`: ${pid} sleep`) },
    });
  });

  it.each([
    { beside: 'nobody', patient: '1' },
    { beside: 'what a dead daemon has left', patient: '0' },
  ])('never lets two in, however close they come to each other, beside $beside', async ({ patient }) => {
    const base = `${mountPoint}/${name}`;
    for (const cgroup of ['daemon', 'home']) fs.mkdirSync(`${base}/${cgroup}`, { recursive: true });
    if (patient === '0') leftover();
    const racer = bundledFixture('lock-racer', directory);
    const first = String(Date.now() + 1000);
    const argv = [racer, `${base}/daemon`, `${base}/home`, first, '10', '300', patient, ...way];
    type Held = readonly (readonly [from: number, to: number])[];
    const race = async () => JSON.parse((await promisify(execFile)(process.execPath, argv)).stdout) as Held;
    const [left, right] = await Promise.all([race(), race()]);
    const both = left.flatMap((one) => right.filter((other) => one[0] < other[1] && other[0] < one[1]));
    expect(both).toEqual([]);
    expect(left.length + right.length).toBeGreaterThan(0);
  });
});
