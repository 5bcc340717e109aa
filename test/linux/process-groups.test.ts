/** What process groups promise beside what all containments do, where no cgroups can be had. */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type RunKey, runDirectory } from '../../src/model/names.ts';
import { systemClock } from '../../src/world/clock.ts';
import { openProcessGroups } from '../../src/world/process-groups.ts';
import type { Containment } from '../../src/world/world.ts';
import { failingCall } from '../world/failing-call.ts';
import {
  bundledFixture,
  emptied,
  type Ground,
  isGone,
  isRoot,
  keyOf,
  launchOf,
  named,
  processGroupGround,
  runOf,
  runsOf,
  started,
  temporaryDirectory,
  until,
} from './ground.ts';

describe('process groups', () => {
  let ground: Ground;
  let containment: Containment;

  beforeEach(() => {
    ground = processGroupGround();
    containment = ground.containment;
  });
  afterEach(() => ground.clear());

  const recordOf = (key: RunKey) => join(ground.place, key.service, `${runDirectory(key)}.json`);

  /** It has executed its program: before that, its environment may be neither the old one nor the new one. */
  async function running(argv: readonly string[] = ['sleep', '1000']) {
    const key = keyOf('web');
    const { pid } = started(containment.start(key, launchOf(key, argv)));
    const line = `${argv.join('\0')}\0`;
    await until('the program', () => fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8') === line || undefined);
    return { ...key, pid };
  }

  it('say what they promise less', () => {
    expect(containment.shortcomings).toEqual([
      { code: 'containment-weak', severity: 'warning', message: expect.stringContaining('escapes') },
    ]);
  });

  it.each([
    ['lost its content', ''],
    ['is broken', '{"pid": 1'],
    ['names a process that cannot be meant', '{"pid": 1, "ticks": 0, "boot": "x"}'],
  ])('find a run by its marker when its record %s', async (_, text) => {
    const key = await running();
    fs.writeFileSync(recordOf(key), text);
    const later = ground.reopen();
    expect(runOf(later, key)).toMatchObject({
      adopted: true,
      main: { is: 'unknown' },
      members: { is: 'some' },
    });
    expect(later.members(key)).toEqual([key.pid]);
    later.kill(key);
    await emptied(later, key);
    expect(later.remove(key)).toBeUndefined();
    expect(runsOf(later, key.service)).toEqual([]);
  });

  describe('whose records are lost', () => {
    const lose = () => {
      containment.close();
      fs.rmSync(ground.place, { recursive: true });
    };

    it('find every run again by what its processes have in their environment', async () => {
      const key = await running(['sh', '-c', 'sleep 1000 & wait']);
      await until('its child', () => containment.members(key)[1]);
      const pids = containment.members(key);
      lose();
      const later = ground.reopen();
      expect(later.services()).toEqual([key.service]);
      expect(runsOf(later, key.service)).toMatchObject([
        {
          key: { id: key.id, hash: key.hash, slot: 0, generation: 1 },
          adopted: true,
          everRan: true,
          members: { is: 'some' },
        },
      ]);
      expect(later.members(key)).toEqual(pids);
      later.kill(key);
      await emptied(later, key);
      // It has ended, and was not a start that came to nothing.
      expect(runOf(later, key)).toMatchObject({ everRan: true, members: { is: 'none' } });
      expect(later.remove(key)).toBeUndefined();
    });

    it.each([
      ['those of another state directory', { PROCESSMASTER_RECORD: '/elsewhere/runs/web/NAME' }],
      ['who has only inherited it', { PROCESSMASTER_RUN_ID: keyOf('inner').id }],
      ['commands beside a run', { PROCESSMASTER_BESIDE: 'liveness' }],
      ['a name that is that of no run', { PROCESSMASTER_RECORD: 'PLACE/web/x.json' }],
      ['what leads out of the directory', { PROCESSMASTER_RECORD: 'PLACE/../web/NAME' }],
    ])('leave alone %s', async (_who, changes: Readonly<Record<string, string>>) => {
      const key = keyOf('web');
      const name = `${runDirectory(key)}.json`;
      const record = (changes['PROCESSMASTER_RECORD'] ?? 'PLACE/web/NAME').replace('NAME', name);
      const env = {
        PROCESSMASTER_RUN_ID: key.id,
        ...changes,
        PROCESSMASTER_RECORD: record.replace('PLACE', ground.place),
      };
      const other = spawn('/bin/sleep', ['1000'], { env, stdio: 'ignore' });
      onTestFinished(() => void other.kill('SIGKILL'));
      await until('its program', () => {
        const environment = fs.readFileSync(`/proc/${other.pid}/environ`, 'utf8');
        return environment.includes('PROCESSMASTER_RECORD') || undefined;
      });
      lose();
      expect(ground.reopen().services()).toEqual([]);
    });

    it.skipIf(!isRoot)('are believed of the user that their service runs as, and of no other', async () => {
      const key = keyOf('web');
      const record = join(ground.place, 'web', `${runDirectory(key)}.json`);
      const env = { PROCESSMASTER_RUN_ID: key.id, PROCESSMASTER_RECORD: record };
      const claimant = spawn('/bin/sleep', ['1000'], { env, stdio: 'ignore', uid: 65534, gid: 65534 });
      onTestFinished(() => void claimant.kill('SIGKILL'));
      await until('its program', () => {
        const environment = fs.readFileSync(`/proc/${claimant.pid}/environ`, 'utf8');
        return environment.includes('PROCESSMASTER_RECORD') || undefined;
      });
      lose();
      for (const user of [undefined, 0, 65533]) {
        const stranger = ground.reopen();
        stranger.believe?.(() => user);
        expect(stranger.services()).toEqual([]);
      }
      const later = ground.reopen();
      later.believe?.((service) => (service === 'web' ? 65534 : undefined));
      expect(later.services()).toEqual(['web']);
      fs.rmSync(ground.place, { recursive: true });
      const before = ground.reopen();
      expect(before.services()).toEqual([]);
      // The file that names the user was broken until now.
      before.believe?.((service) => (service === 'web' ? 65534 : undefined));
      expect(before.services()).toEqual(['web']);
    });

    it('end a command beside a run that a killed daemon left, before another one of its kind is begun', async () => {
      const key = await running();
      const begin = (by: Containment, argv: readonly string[], done: (outcome: unknown) => void) =>
        by.runBeside(key, 'pre_stop', launchOf(key, argv), 100_000, done);
      const pidFile = join(ground.exits, '..', 'pid');
      expect(
        begin(
          containment,
          ['sh', '-c', `echo $$ > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; exec sleep 1000`],
          () => undefined,
        ),
      ).toEqual({
        cancel: expect.any(Function),
      });
      const left = await until('the command', () =>
        fs.existsSync(pidFile) ? Number(fs.readFileSync(pidFile, 'utf8')) : undefined,
      );
      await until(
        'its program',
        () => /^sleep/.test(fs.readFileSync(`/proc/${left}/cmdline`, 'utf8')) || undefined,
      );
      // As after a kill: it is neither ended by its daemon nor known to the next one.
      fs.rmSync(ground.place, { recursive: true });
      const later = ground.reopen();
      expect(runsOf(later, key.service)).toMatchObject([{ key: { id: key.id } }]);
      await until('its end', () => isGone(left) || undefined);
      const outcomes: unknown[] = [];
      await until('its place to be free', () =>
        'cancel' in begin(later, ['true'], (outcome) => outcomes.push(outcome)) ? true : undefined,
      );
      await until('the next one to have ended', () => outcomes.length > 0 || undefined);
      expect(outcomes).toEqual([{ kind: 'exited', code: 0 }]);
      expect(runsOf(later, key.service)).toMatchObject([{ members: { is: 'some' } }]);
    });

    it('see nothing as long as they cannot be looked for', async () => {
      const key = await running();
      lose();
      const mend = failingCall('readdirSync', () => true, 'EMFILE');
      const later = ground.reopen();
      const problem = { message: expect.stringContaining('EMFILE') };
      expect(later.services()).toMatchObject({ unseen: problem });
      expect(later.look(key.service, () => null)).toMatchObject({ kind: 'unseen', problem });
      mend();
      expect(later.services()).toEqual([key.service]);
    });
  });

  describe('whose records vanish under them', () => {
    const look = (who: Containment, key: RunKey) => who.look(key.service, () => null);
    /** The run that this very containment has started, and one of an earlier daemon that it has adopted. */
    const both = async () => {
      const adopted = await running();
      const later = ground.reopen();
      const own = { ...keyOf('web'), slot: 1 };
      const { pid } = started(later.start(own, launchOf(own, ['sleep', '1000'])));
      const mains = [adopted.pid, pid].map((each) => ({ main: { is: 'running', pid: each } }));
      expect(runsOf(later, own.service)).toMatchObject(mains);
      return { later, adopted, own, mains };
    };

    it.each([
      ['with the state directory', () => fs.rmSync(join(ground.place, '..'), { recursive: true })],
      ['with the directory of the service', () => fs.rmSync(join(ground.place, 'web'), { recursive: true })],
      ['one by one', (key: RunKey) => fs.rmSync(recordOf(key))],
    ])('write them again as they were: %s', async (_how, lose) => {
      const { later, adopted, own, mains } = await both();
      const records = [adopted, own].map((key) => [recordOf(key), fs.readFileSync(recordOf(key), 'utf8')]);
      lose(own);
      expect(later.services()).toEqual(['web']);
      expect(look(later, own)).toMatchObject({ kind: 'seen', runs: mains });
      const again = records.map(([path = '']) => [path, fs.readFileSync(path, 'utf8')]);
      expect(again).toEqual(records);
    });

    it('are found while no look has told of a run before, by its marker', async () => {
      const key = await running();
      const later = ground.reopen();
      fs.rmSync(ground.place, { recursive: true });
      expect(look(later, key)).toMatchObject({ runs: [{ key: { id: key.id }, members: { is: 'some' } }] });
      expect(later.members(key)).toEqual([key.pid]);
    });

    it('see nothing where they cannot be written again, and everything as soon as they can', async () => {
      const { later, own, mains } = await both();
      const openSync = fs.openSync.bind(fs);
      const full = vi.spyOn(fs, 'openSync').mockImplementation((path, flags, mode) => {
        if (flags === 'wx') throw Object.assign(new Error('refused'), { code: 'ENOSPC', path });
        return openSync(path, flags, mode);
      });
      onTestFinished(() => full.mockRestore());
      fs.rmSync(ground.place, { recursive: true });
      const problem = {
        code: 'state-unwritable',
        service: 'web',
        message: expect.stringContaining('is gone and cannot be written again: no space left on device'),
        passing: true,
      };
      // Neither at the first look nor at the next, for which the directories are there already.
      expect(look(later, own)).toMatchObject({ kind: 'unseen', problem });
      expect(look(later, own)).toMatchObject({ kind: 'unseen', problem });
      full.mockRestore();
      expect(look(later, own)).toMatchObject({ kind: 'seen', runs: mains });
    });

    it('still know how a run has ended, and forget it only when it is removed', async () => {
      const key = keyOf('web');
      started(containment.start(key, launchOf(key, ['sh', '-c', 'exit 7'])));
      await until('its end', () => (runOf(containment, key)?.main.is === 'ended' ? true : undefined));
      fs.rmSync(ground.place, { recursive: true });
      expect(runOf(containment, key)?.main).toMatchObject({ outcome: { kind: 'exited', code: 7 } });
      expect(containment.remove(key)).toBeUndefined();
      fs.rmSync(ground.place, { recursive: true });
      expect(runsOf(containment, key.service)).toEqual([]);
      expect(containment.services()).toEqual([]);
    });

    it('tell a program from the shell that records its end, now and later', async () => {
      const key = keyOf('job');
      const script = 'trap "exit 7" HUP; : > "$0"; while :; do sleep 0.01; done';
      const ready = join(ground.place, 'ready');
      started(containment.start(key, launchOf(key, ['sh', '-c', script, ready], { record: true })));
      await until('its trap', () => (fs.existsSync(ready) ? true : undefined));
      const main = { pid: containment.members(key)[0] ?? 0, ticks: null };
      fs.rmSync(join(ground.place, '..'), { recursive: true });
      expect(runsOf(containment, key.service)).toMatchObject([{ main: { is: 'running', pid: main.pid } }]);
      // To the shell it would mean nothing.
      expect(ground.reopen().signalMain(key, main, 'SIGHUP')).toBeUndefined();
      await emptied(containment, key);
      expect(runOf(containment, key)?.main).toMatchObject({ outcome: { kind: 'exited', code: 7 } });
    });
  });

  it.skipIf(!isRoot)('believe nobody about the environment of a run who runs as another user', async () => {
    const key = await running();
    expect(containment.environment(key, null)).toMatchObject({ PROCESSMASTER_RUN_ID: key.id });
    const env = { PATH: '/usr/bin:/bin', PROCESSMASTER_RUN_ID: key.id, LD_PRELOAD: '' };
    const planted = spawn('sleep', ['1000'], { env, uid: 54_321, gid: 54_321, stdio: 'ignore' });
    process.kill(key.pid, 'SIGKILL');
    const later = ground.reopen();
    await until('the planted process to be alone', () => {
      const [first, ...rest] = later.members(key);
      return first === planted.pid && rest.length === 0 ? true : undefined;
    });
    expect(later.environment(key)).toMatchObject({ LD_PRELOAD: '' });
    expect(later.environment(key, null)).toBeUndefined();
    const credentials = { user: 'u', uid: 54_321, gid: 54_321, groups: [], home: '/', shell: '/bin/sh' };
    expect(later.environment(key, credentials)).toMatchObject({ LD_PRELOAD: '' });
    later.kill(key);
  });

  it('read one file when they look again at a run that they have adopted', async () => {
    const key = await running();
    const later = ground.reopen();
    const look = () => later.look(key.service, () => null);
    look();
    const spies = [vi.spyOn(fs, 'readFileSync'), vi.spyOn(fs, 'openSync')];
    onTestFinished(() => {
      for (const spy of spies) spy.mockRestore();
    });
    expect(look()).toMatchObject({ runs: [{ adopted: true, main: { is: 'running', pid: key.pid } }] });
    expect(spies.flatMap(({ mock }) => mock.calls.map(([path]) => path))).toEqual([`/proc/${key.pid}/stat`]);
  });

  it('say nothing of an empty run whose record cannot be read, until it can', () => {
    const key = keyOf('unread');
    fs.mkdirSync(join(ground.place, 'unread'));
    fs.mkdirSync(recordOf(key));
    const later = ground.reopen();
    const look = () => later.look(key.service, () => null);
    expect(look()).toMatchObject({ kind: 'unseen', problem: { message: expect.stringContaining('EISDIR') } });
    fs.rmdirSync(recordOf(key));
    fs.writeFileSync(recordOf(key), '');
    expect(look()).toMatchObject({ runs: [{ members: { is: 'none' }, everRan: false }] });
  });

  it('do not take a process for theirs that has the pid of a run of another boot', async () => {
    const key = await running();
    const record = JSON.parse(fs.readFileSync(recordOf(key), 'utf8'));
    const foreign = keyOf('other');
    fs.mkdirSync(join(ground.place, 'other'));
    fs.writeFileSync(recordOf(foreign), JSON.stringify({ ...record, boot: 'another' }));
    const later = ground.reopen();
    expect(runOf(later, foreign)).toMatchObject({
      main: { is: 'ended', outcome: { kind: 'unknown' } },
      members: { is: 'none' },
      everRan: true,
    });
    later.kill(foreign);
    expect(later.remove(foreign)).toBeUndefined();
    expect(isGone(key.pid)).toBe(false);
  });

  it('do not take a process for theirs that has the pid of a run, but another age', async () => {
    const key = await running();
    const record = JSON.parse(fs.readFileSync(recordOf(key), 'utf8'));
    const foreign = keyOf('other');
    fs.mkdirSync(join(ground.place, 'other'));
    fs.writeFileSync(recordOf(foreign), JSON.stringify({ ...record, ticks: record.ticks - 1 }));
    const later = ground.reopen();
    expect(runOf(later, foreign)).toMatchObject({ main: { is: 'ended' }, members: { is: 'none' } });
    later.kill(foreign);
    expect(isGone(key.pid)).toBe(false);
  });

  it('have a process of the session among their members that cleared its environment', async () => {
    const key = await running(['sh', '-c', 'env -i sleep 1000 & env -i sleep 1000 & wait']);
    await until('both', () =>
      containment.members(key).filter((pid) => fs.readFileSync(`/proc/${pid}/environ`).length === 0)
        .length === 2
        ? true
        : undefined,
    );
    containment.signal(key, 'SIGTERM');
    await emptied(containment, key);
  });

  it('start nothing when the record cannot be written', () => {
    fs.writeFileSync(join(ground.place, 'web'), 'a file where a directory is needed');
    const key = keyOf('web');
    const marker = join(ground.place, 'ran');
    expect(containment.start(key, launchOf(key, ['touch', marker]))).toMatchObject({
      code: 'state-unwritable',
    });
    expect(fs.existsSync(marker)).toBe(false);
    fs.rmSync(join(ground.place, 'web'));
  });

  it('answer "unseen" when the records cannot be listed', () => {
    fs.writeFileSync(join(ground.place, 'web'), '');
    expect(containment.look(keyOf('web').service, () => null)).toMatchObject({
      kind: 'unseen',
      problem: { code: 'observe-failed', service: 'web' },
    });
    fs.rmSync(join(ground.place, 'web'));
  });

  it('wake when the last survivor of a run is gone', async () => {
    const key = keyOf('web');
    started(containment.start(key, launchOf(key, ['sh', '-c', '(setsid sleep 1000 &); exit 0'])));
    await until('the end of the main process', () =>
      runOf(containment, key)?.main.is === 'ended' ? true : undefined,
    );
    const [survivor] = await until('the survivor', () =>
      containment.members(key).length === 1 ? containment.members(key) : undefined,
    );
    expect(runOf(containment, key)?.members).toEqual({ is: 'some' });
    const woken = new Promise<string>((resolve) => containment.onChange(resolve));
    process.kill(survivor!, 'SIGKILL');
    expect(await woken).toBe('web');
  });
});

describe('one daemon for each state directory', () => {
  let stateDirectory: string;
  beforeEach(() => {
    stateDirectory = temporaryDirectory();
  });
  afterEach(() => fs.rmSync(stateDirectory, { recursive: true }));

  const open = () => openProcessGroups({ stateDirectory, clock: systemClock(), because: null });

  /** By a daemon that nobody keeps out. */
  function opened(): Containment {
    const answer = open();
    if (!('containment' in answer)) throw new Error(answer.refused.message);
    return answer.containment;
  }

  it('keeps a second one out, names the first, and lets the next in when that has gone', () => {
    const first = opened();
    expect(open()).toEqual({
      refused: {
        code: 'daemon-running',
        severity: 'error',
        message: expect.stringContaining(`: ${process.pid} `),
        hint: expect.any(String),
      },
    });
    first.close();
    opened().close();
  });

  it('keeps a second one out also when the state directory has vanished meanwhile', () => {
    const first = opened();
    fs.rmSync(stateDirectory, { recursive: true });
    expect(first.services()).toEqual([]);
    expect(open()).toMatchObject({ refused: { code: 'daemon-running' } });
    first.close();
    opened().close();
  });

  it('keeps the next one out soon after the state directory has vanished, and nobody has looked at anything', () => {
    const first = opened();
    expect(first.keepPlace?.()).toBeUndefined();
    fs.rmSync(stateDirectory, { recursive: true });
    expect(first.keepPlace?.()).toBeUndefined();
    expect(open()).toMatchObject({ refused: { code: 'daemon-running' } });
    first.close();
  });

  it('lets go of what another one has found after the state directory had vanished', async () => {
    const first = opened();
    const key = keyOf('web');
    const { pid } = started(first.start(key, launchOf(key, ['sleep', '1000'])));
    onTestFinished(() => void process.kill(pid, 'SIGKILL'));
    await until(
      'the program',
      () => /^sleep/.test(fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8')) || undefined,
    );
    fs.rmSync(stateDirectory, { recursive: true });
    const second = opened();
    second.believe?.(() => undefined);
    // Its record is there again, by the same name.
    expect(runsOf(second, key.service)).toMatchObject([{ key: { id: key.id } }]);
    const problem = { code: 'daemon-running' };
    expect(first.services()).toMatchObject({ unseen: problem });
    for (const service of [key.service, named('other')]) {
      expect(first.look(service, () => null)).toMatchObject({ kind: 'unseen', problem });
    }
    expect(first.keepPlace?.()).toMatchObject(problem);
    expect(second.keepPlace?.()).toBeUndefined();
    first.close();
    second.close();
  });

  it('does not mind a lock file that a killed one left', () => {
    fs.mkdirSync(join(stateDirectory, 'runs'));
    fs.writeFileSync(join(stateDirectory, 'runs', 'lock'), `${process.ppid}\n`);
    const next = open();
    expect('containment' in next).toBe(true);
    if ('containment' in next) next.containment.close();
  });
});

describe('a host that is short of descriptors', () => {
  /** From now on files whose path matches cannot be read. */
  const breakReading = (path: RegExp) => failingCall('readFileSync', (asked) => path.test(asked), 'ENFILE');

  it('is not taken for another boot, of whose runs nothing is left', () => {
    const stateDirectory = temporaryDirectory();
    onTestFinished(() => fs.rmSync(stateDirectory, { recursive: true }));
    breakReading(/boot_id$/);
    expect(openProcessGroups({ stateDirectory, clock: systemClock(), because: null })).toEqual({
      refused: {
        code: 'observe-failed',
        severity: 'error',
        message: '/proc/sys/kernel/random/boot_id cannot be read: file table overflow (ENFILE)',
      },
    });
    expect(fs.readdirSync(join(stateDirectory, 'runs'))).toEqual([]);
  });

  it('starts runs and commands beside them, and finds them again, without the mark of their session', async () => {
    const ground = processGroupGround();
    onTestFinished(() => ground.clear());
    const { containment } = ground;
    const mend = breakReading(/autogroup$/);
    const key = keyOf('web');
    const { pid } = started(containment.start(key, launchOf(key, ['sleep', '1000'])));
    const beside = new Promise((done) => {
      const begun = containment.runBeside(key, 'readiness', launchOf(key, ['true']), 10_000, done);
      expect(begun).toEqual({ cancel: expect.any(Function) });
    });
    expect(await beside).toEqual({ kind: 'exited', code: 0 });
    mend();
    const later = ground.reopen();
    expect(runOf(later, key)).toMatchObject({ main: { is: 'running', pid } });
  });
});

describe.skipIf(!isRoot)('an ordinary user', () => {
  it('gets process groups: starts, adopts and ends a run with a child that left the session', () => {
    const directory = temporaryDirectory();
    fs.chmodSync(directory, 0o755);
    const state = join(directory, 'state');
    fs.mkdirSync(state);
    fs.chownSync(state, 65534, 65534);
    const program = bundledFixture('unprivileged', directory);
    const argv = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, program, state];
    const { stdout, stderr } = spawnSync('setpriv', argv, {
      encoding: 'utf8',
      timeout: 30_000,
      env: { PATH: '/usr/bin:/bin' },
    });
    fs.rmSync(directory, { recursive: true });
    expect(stderr).toBe('');
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({
      kind: 'process_group',
      shortcomings: [{ code: 'containment-weak', message: expect.stringContaining('cgroup') }],
      adopted: [{ adopted: true, main: { is: 'running', pid: told.main }, members: { is: 'some' } }],
      signaled: null,
      removed: null,
      left: { kind: 'seen', runs: [] },
    });
    expect([...told.members].sort()).toEqual([told.main, told.runaway].sort());
    expect([told.main, told.runaway].map(isGone)).toEqual([true, true]);
  });
});
