/** What a process finds around it when it starts: exactly what was asked for, verified from inside. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Credentials } from '../../src/model/spec.ts';
import { inheritedDescriptors } from '../../src/world/inherited-descriptors.ts';
import { systemUsers } from '../../src/world/users.ts';
import { type Containment, isFailure, type Launch } from '../../src/world/world.ts';
import {
  bundledFixture,
  cgroupGround,
  cgroupsMissing,
  emptied,
  type Ground,
  keyOf,
  launchOf,
  outcomeOf,
  outputOf,
  started,
  temporaryDirectory,
} from './ground.ts';

describe.skipIf(cgroupsMissing)('a process started by root', () => {
  let ground: Ground;
  let containment: Containment;
  let directory: string;

  beforeAll(() => {
    ground = cgroupGround();
    containment = ground.containment;
    directory = temporaryDirectory();
    fs.chmodSync(directory, 0o755);
  });
  afterAll(() => {
    ground.clear();
    fs.rmSync(directory, { recursive: true });
  });

  const status = async (field: string, changes: Partial<Launch> = {}) => {
    const text = await outputOf(containment, ['cat', '/proc/self/status'], changes);
    return new RegExp(`^${field}:[ \\t]*(.*?)[ \\t]*$`, 'm').exec(text)?.[1];
  };
  const knownUser = (name: string): Credentials => {
    const user = systemUsers().user(name);
    if (user === undefined || isFailure(user)) throw new Error(`this host has no user ${name}`);
    return user;
  };
  const ids = (id: number) => [id, id, id, id].join('\t');

  it('has the user, the group and the complete group list of its user, nothing of ours', async () => {
    const nobody = knownUser('nobody');
    const credentials = { ...nobody, groups: null };
    expect(await status('Uid', { credentials })).toBe(ids(nobody.uid));
    expect(await status('Gid', { credentials })).toBe(ids(nobody.gid));
    // `id NAME` asks the name service for the list that the user gets at a login.
    const list = await outputOf(containment, ['id', '-G', 'nobody']);
    expect((await status('Groups', { credentials }))?.split(' ').sort()).toEqual(
      list.trim().split(' ').sort(),
    );
    expect(await status('CapEff', { credentials })).toBe('0'.repeat(16));
  });

  it('has exactly the supplementary groups that were listed, or none', async () => {
    const nobody = knownUser('nobody');
    expect(await status('Groups', { credentials: { ...nobody, groups: [7, 11] } })).toBe('7 11');
    expect(await status('Groups', { credentials: { ...nobody, groups: [] } })).toBe('');
  });

  it('may run as a user that exists only as a number', async () => {
    const credentials = knownUser('54321');
    expect(credentials).toMatchObject({ uid: 54321, gid: 54321, groups: [], home: '/', shell: '/bin/sh' });
    expect(await status('Uid', { credentials })).toBe(ids(54321));
    expect(await status('Gid', { credentials })).toBe(ids(54321));
    expect(await status('Groups', { credentials })).toBe('');
  });

  it('has the environment as given and nothing else, whatever the names and values', async () => {
    process.env['DAEMON_SECRET'] = 'leaked';
    const environment = {
      PATH: '/usr/bin:/bin',
      PROCESSMASTER_RUN_ID: 'run',
      PLAIN: 'a b\n"c" $d `e`',
      EMPTY: '',
      'odd.name-1': 'kept',
      PWD: '/somewhere/else',
      IFS: 'x',
      OPTIND: '7',
      PPID: '1',
      SHLVL: '3',
      LD_LIBRARY_PATH: '/nonexistent',
    };
    const text = await outputOf(containment, ['cat', '/proc/self/environ'], { environment });
    delete process.env['DAEMON_SECRET'];
    const entries = text.split('\0').filter((entry) => entry !== '');
    expect(entries.sort()).toEqual(
      Object.entries(environment)
        .map(([name, value]) => `${name}=${value}`)
        .sort(),
    );
  });

  it('has no variable that only the shell of the launcher made', async () => {
    const text = await outputOf(containment, ['cat', '/proc/self/environ']);
    const names = text.split('\0').map((entry) => entry.split('=')[0]);
    expect(names.filter((name) => name !== '').sort()).toEqual(['PATH', 'PROCESSMASTER_RUN_ID']);
  });

  it('gets loader variables only after root was given up', async () => {
    // With these, the loader writes a file for every program that it starts, as the user that it runs as.
    const nobody = knownUser('nobody');
    const trace = join(directory, 'trace');
    fs.mkdirSync(trace);
    fs.chownSync(trace, nobody.uid, nobody.gid);
    const environment = { PATH: '/usr/bin:/bin', LD_DEBUG: 'libs', LD_DEBUG_OUTPUT: join(trace, 'loader') };
    const changes = { environment, credentials: nobody, nice: 3, rlimits: { core: { soft: 0, hard: 0 } } };
    expect(await outputOf(containment, ['id', '-u'], changes)).toBe(`${nobody.uid}\n`);
    const owners = fs.readdirSync(trace).map((file) => fs.statSync(join(trace, file)).uid);
    expect(owners).toEqual([nobody.uid]);
  });

  it('has /dev/null as stdin, no other descriptor of ours, and a session of its own', async () => {
    const script = 'readlink /proc/$$/fd/0; ls /proc/$$/fd; cut -d" " -f1,6 /proc/$$/stat';
    const [stdin, ...rest] = (await outputOf(containment, ['sh', '-c', script])).trim().split('\n');
    expect(stdin).toBe('/dev/null');
    const ours = inheritedDescriptors().map(String);
    expect(rest.slice(0, -1).filter((fd) => !ours.includes(fd))).toEqual(['0', '1', '2']);
    const [pid, session] = (rest.at(-1) ?? '').split(' ');
    expect(session).toBe(pid);
  });

  it('writes to /dev/null where no log was given', async () => {
    const file = join(directory, 'links');
    const key = keyOf('web');
    // A redirection of readlink inside a command substitution, so that what it asks about is still the shell's own.
    const script = `for fd in 1 2; do link=$(readlink /proc/$$/fd/$fd); echo "$link" > ${file}.$fd; done`;
    started(containment.start(key, launchOf(key, ['sh', '-c', script])));
    expect(await outcomeOf(containment, key)).toEqual({ kind: 'exited', code: 0 });
    expect([1, 2].map((fd) => fs.readFileSync(`${file}.${fd}`, 'utf8'))).toEqual([
      '/dev/null\n',
      '/dev/null\n',
    ]);
  });

  it('starts in its directory, under the name that was written', async () => {
    const script = 'pwd; tr "\\0" "|" < /proc/$$/cmdline';
    const text = await outputOf(containment, ['sh', '-c', script, 'zero'], { workingDirectory: directory });
    expect(text).toBe(`${directory}\nsh|-c|${script}|zero|`);
  });

  it('finds a relative program from its directory', async () => {
    fs.writeFileSync(join(directory, 'tool'), '#!/bin/sh\necho found\n', { mode: 0o755 });
    const changes = { workingDirectory: directory };
    expect(await outputOf(containment, ['./tool'], changes)).toBe('found\n');
    const environment = { PATH: '/nowhere::/usr/bin:/bin' };
    expect(await outputOf(containment, ['tool'], { ...changes, environment })).toBe('found\n');
  });

  it('has the umask', async () => {
    expect(await outputOf(containment, ['sh', '-c', 'umask'], { umask: 0o027 })).toBe('0027\n');
    expect(await outputOf(containment, ['sh', '-c', 'umask'], { umask: 0 })).toBe('0000\n');
  });

  it('has the niceness, whatever ours is', async () => {
    const credentials = knownUser('nobody');
    const nice = (value: number) => outputOf(containment, ['nice'], { nice: value, credentials });
    expect(await nice(5)).toBe('5\n');
    expect(await nice(-3)).toBe('-3\n');
    expect(await nice(0)).toBe('0\n');
  });

  it('has the resource limits, unlimited ones too', async () => {
    const rlimits = { nofile: { soft: 123, hard: 456 }, core: { soft: 0, hard: null } };
    const credentials = knownUser('nobody');
    const text = await outputOf(containment, ['cat', '/proc/self/limits'], { rlimits, credentials });
    expect(text).toMatch(/^Max open files\s+123\s+456\s/m);
    expect(text).toMatch(/^Max core file size\s+0\s+unlimited\s/m);
  });

  it('has the OOM score, set before root was given up', async () => {
    const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(fs.readFileSync('/proc/self/status', 'utf8'))?.[1];
    // CAP_SYS_RESOURCE (24) is what lowering takes; containers often lack it.
    const mayLower = ((BigInt(`0x${capabilities}`) >> 24n) & 1n) === 1n;
    const oomScoreAdjust = mayLower ? -321 : 321;
    const changes = { oomScoreAdjust, credentials: knownUser('nobody') };
    const script = 'cat /proc/self/oom_score_adj';
    expect(await outputOf(containment, ['sh', '-c', script], changes)).toBe(`${oomScoreAdjust}\n`);
  });

  it('is refused with a sentence when the kernel refuses the OOM score', async () => {
    const key = keyOf('web');
    started(containment.start(key, launchOf(key, ['true'], { oomScoreAdjust: 5000 })));
    const message = 'the launch of "true" was refused: the kernel refused the OOM score 5000';
    expect(await outcomeOf(containment, key)).toMatchObject({ kind: 'not_started', problem: { message } });
  });

  it('may be kept from new privileges, and has the usual ones otherwise', async () => {
    expect(await status('NoNewPrivs', { noNewPrivileges: true })).toBe('1');
    expect(await status('NoNewPrivs', { noNewPrivileges: false })).toBe('0');
  });

  it('gets everything at once', async () => {
    const nobody = knownUser('nobody');
    const script =
      'id -u; umask; nice; ulimit -n; cat /proc/self/oom_score_adj; grep NoNewPrivs /proc/self/status';
    const text = await outputOf(containment, ['sh', '-c', script], {
      credentials: nobody,
      umask: 0o077,
      nice: 7,
      rlimits: { nofile: { soft: 99, hard: 99 } },
      oomScoreAdjust: 250,
      noNewPrivileges: true,
      environment: { PATH: '/usr/bin:/bin', LD_BIND_NOW: '1' },
    });
    expect(text).toBe(`${nobody.uid}\n0077\n7\n99\n250\nNoNewPrivs:\t1\n`);
  });

  it('is refused where its user may not execute the program, before any of it runs', async () => {
    const program = join(directory, 'private');
    fs.writeFileSync(program, '#!/bin/sh\necho never\n', { mode: 0o700 });
    const key = keyOf('web');
    const launch = launchOf(key, [program], { credentials: knownUser('nobody') });
    started(containment.start(key, launch));
    expect(await outcomeOf(containment, key)).toMatchObject({
      kind: 'not_started',
      problem: { code: 'command-missing', message: expect.stringContaining('by user nobody') },
    });
    await emptied(containment, key);
    expect(containment.remove(key)).toBeUndefined();
  });

  it('runs with a program that has an equals sign in its name and a variable that comes last', async () => {
    const program = join(directory, 'a=b');
    fs.writeFileSync(program, '#!/bin/sh\necho "$LD_BIND_NOW"\n', { mode: 0o755 });
    const environment = { PATH: '/usr/bin:/bin', LD_BIND_NOW: '1' };
    expect(await outputOf(containment, [program], { environment })).toBe('1\n');
  });

  it('inherits nothing that the daemon itself was started with', () => {
    const stdio = ['ignore', 'pipe', 'pipe', ...Array(30).fill('ignore'), fs.openSync('/dev/null', 'r')];
    const program = bundledFixture('started-dirty', directory);
    const { stdout, stderr } = spawnSync(process.execPath, [program, join(directory, 'state')], { stdio });
    fs.closeSync(stdio.at(-1));
    expect({ stdout: String(stdout), stderr: String(stderr) }).toEqual({ stdout: '0 1 2\n', stderr: '' });
  });
});
