/** Do limits bind in a real kernel, are they changed under a running process, and are they gone when nobody wants them? */
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFailed, test } from 'vitest';
import { freshFile, Machine } from './machine.ts';
import { type Definition, Manager } from './manager.ts';
import { machineMissing } from './tools.ts';

const BASE = '/sys/fs/cgroup/processmaster';
const MB = 1 << 20;

/** For each line that is told: holds so many megabytes in all, or starts so many processes, and says so. */
const HOG = `{ for (; held < $1; held++) memory[held] = sprintf("%1048576s", ""); print "holds " $1; fflush() }`;
const FORKER = `{ refused = 0
  for (n = $1; n > 0; n--) if (system("sleep 10000 > /dev/null 2>&1 &") != 0) refused++
  print "refused " refused; fflush() }`;

describe.skipIf(machineMissing)('limits', () => {
  let machine: Machine;
  let manager: Manager;

  beforeAll(async () => {
    machine = await Machine.boot({
      disks: (directory) => [freshFile(join(directory, 'swap'), 256), freshFile(join(directory, 'disk'), 64)],
    });
    await machine.sh('mkswap /dev/vda > /dev/null && swapon /dev/vda');
    const settings = { cgroup_memory_max: '600M', cgroup_cpu_max: 1.5, cgroup_memory_swap_max: '200M' };
    manager = new Manager(machine, { directory: '/run/pm', settings });
    await manager.start();
  });
  beforeEach(() => {
    onTestFailed(async () => console.error(await manager.story()));
  });
  afterAll(() => machine?.close());

  const control = async (name: string, file: string) =>
    (await machine.read(`${BASE}/services/${name}/${file}`)).trim();

  /** A number of a control file in the format `key number`. */
  const count = async (name: string, file: string, key: string) =>
    Number((await control(name, file)).match(new RegExp(`^${key} (\\d+)$`, 'm'))?.[1]);

  const becomes = (name: string, file: string, text: string) => {
    let seen = '';
    const look = async () => {
      seen = await control(name, file);
      return seen === text ? true : undefined;
    };
    return machine.until(`${file} of ${name} to be ${text}`, look, () => seen);
  };

  /** A service that acts on lines of a fifo, and what it answers. */
  async function told(name: string, program: string, resources: Definition, more: Definition = {}) {
    await machine.sh(`mkfifo /run/${name} && mkdir -p /run/${name}.d`);
    const definition = (limits: Definition) => ({
      process: {
        // Opened for both, so that it has no end.
        command: ['sh', '-c', `exec awk "$0" <> /run/${name}`, program],
        working_directory: `/run/${name}.d`,
        ...more,
      },
      restart_policy: { policy: 'never' },
      resources: limits,
    });
    await manager.service(name, definition(resources));
    const pid = await manager.runs(name);
    return {
      pid,
      limit: (limits: Definition) => manager.service(name, definition(limits)),
      say: (number: number) => machine.sh(`echo ${number} > /run/${name}`),
      answers: (line: string) => {
        let log = '';
        const look = async () => {
          log = await machine.readOr(`/run/${name}.d/stdout.log`);
          return log.split('\n').includes(line) ? true : undefined;
        };
        return machine.until(`${name} to say ${line}`, look, () => log);
      },
      /** Nobody has touched it. */
      isTheSame: async () => {
        expect((await manager.view(name))?.pid).toBe(pid);
        expect(await manager.lifecycle('worker_started', name)).toHaveLength(1);
      },
    };
  }

  test('every controller is there, and nothing is called missing', async () => {
    const { status, body } = await manager.ask('GET', '/api/doctor');
    expect(status).toBe(200);
    expect(body.checks.filter((check: { ok: boolean }) => !check.ok)).toEqual([]);
  });

  test('the whole tree has the limits of the master file', async () => {
    const files = ['memory.max', 'cpu.max', 'memory.swap.max'].map((file) => machine.read(`${BASE}/${file}`));
    expect(await Promise.all(files)).toEqual([`${600 * MB}\n`, '150000 100000\n', `${200 * MB}\n`]);
  });

  test('max_cpu slows a service down, more and less while it runs, and then no more', async () => {
    const definition = (limits: Definition) => ({
      process: { command: 'while :; do :; done' },
      resources: limits,
    });
    await manager.service('spinner', definition({ max_cpu: '20%' }));
    const pid = await manager.runs('spinner');
    /** Microseconds of processor time that it used within ten periods of 100 ms, and how often it was held up. */
    const used = async () => {
      const stat = `${BASE}/services/spinner/cpu.stat`;
      const text = await machine.sh(`cat ${stat} /proc/uptime; sleep 1; cat ${stat} /proc/uptime`);
      const numbers = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, number]) => Number(number));
      const [[before = 0, after = 0], [held = 0, heldAfter = 0], [start = 0, end = 0]] = [
        numbers(/^usage_usec (\d+)$/gm),
        numbers(/^nr_throttled (\d+)$/gm),
        numbers(/^([\d.]+) [\d.]+$/gm),
      ];
      return { share: (after - before) / (end - start) / 1e6, held: heldAfter - held };
    };
    await becomes('spinner', 'cpu.max', '20000 100000');
    const slow = await used();
    expect(slow.held).toBeGreaterThan(0);
    // One period more than were looked at may have begun.
    expect(slow.share).toBeLessThan(0.3);
    await manager.service('spinner', definition({ max_cpu: '60%' }));
    await becomes('spinner', 'cpu.max', '60000 100000');
    const faster = await used();
    expect(faster.share).toBeGreaterThan(0.35);
    expect(faster.share).toBeLessThan(0.75);
    await manager.service('spinner', definition({}));
    await becomes('spinner', 'cpu.max', 'max 100000');
    const free = await used();
    expect(free.held).toBe(0);
    expect(free.share).toBeGreaterThan(0.75);
    expect((await manager.view('spinner'))?.pid).toBe(pid);
    expect(await manager.lifecycle('worker_started', 'spinner')).toHaveLength(1);
    await manager.order('stop', 'spinner');
  });

  test('max_memory is raised, lifted and lowered under a running process; the swap takes what is too much', async () => {
    const hog = await told('hog', HOG, { max_memory: '48M', max_swap: 0 });
    await becomes('hog', 'memory.max', String(48 * MB));
    await becomes('hog', 'memory.swap.max', '0');
    await hog.say(30);
    await hog.answers('holds 30');
    await hog.limit({ max_memory: '96M', max_swap: 0 });
    await becomes('hog', 'memory.max', String(96 * MB));
    await hog.say(70);
    await hog.answers('holds 70');
    await hog.limit({});
    await becomes('hog', 'memory.max', 'max');
    await becomes('hog', 'memory.swap.max', 'max');
    await hog.say(110);
    await hog.answers('holds 110');
    expect(Number(await control('hog', 'memory.current'))).toBeGreaterThan(110 * MB);
    await hog.limit({ max_memory: '64M' });
    await becomes('hog', 'memory.max', String(64 * MB));
    // The kernel has the limit before it has made room.
    await machine.until('the rest to be in the swap', async () =>
      Number(await control('hog', 'memory.current')) <= 64 * MB ? true : undefined,
    );
    expect(Number(await control('hog', 'memory.swap.current'))).toBeGreaterThan(40 * MB);
    expect(await count('hog', 'memory.events', 'oom_kill')).toBe(0);
    await hog.isTheSame();
    await manager.order('stop', 'hog');
  });

  test('memory_high drives a service into the swap and kills nobody', async () => {
    const hog = await told('high', HOG, { memory_high: '32M' });
    await becomes('high', 'memory.high', String(32 * MB));
    await hog.say(60);
    await hog.answers('holds 60');
    expect(await count('high', 'memory.events', 'high')).toBeGreaterThan(0);
    expect(Number(await control('high', 'memory.current'))).toBeLessThan(40 * MB);
    await hog.limit({});
    await becomes('high', 'memory.high', 'max');
    const before = await count('high', 'memory.events', 'high');
    await hog.say(90);
    await hog.answers('holds 90');
    expect(await count('high', 'memory.events', 'high')).toBe(before);
    await hog.isTheSame();
    await manager.order('stop', 'high');
  });

  test.each(['service', 'oneshot'] as const)(
    'a %s that the kernel ends for its memory is told as that',
    async (type) => {
      const hog = await told(type, HOG, { max_memory: '32M', max_swap: 0 }, { type });
      await becomes(type, 'memory.max', String(32 * MB));
      await hog.say(60);
      const view = await manager.sees(
        type,
        'told as out of memory',
        (service) => service.last_exit?.reason === 'oom',
      );
      expect(view.last_exit).toMatchObject({ oom: true, signal: 'SIGKILL', code: null, by: 'itself' });
      const lines = await manager.lifecycle('worker_exited', type);
      expect(lines.map(({ fields }) => fields['exit_reason'])).toEqual(['oom']);
      const why = await manager.pmctl('why', type);
      expect(why.stdout).toMatch(/memory/);
    },
  );

  test('what somebody else kills is not told as out of memory', async () => {
    const hog = await told('killed', HOG, { max_memory: '32M', max_swap: 0 });
    await machine.sh(`kill -KILL ${hog.pid}`);
    const view = await manager.sees('killed', 'ended', (service) => service.last_exit !== null);
    expect(view.last_exit).toMatchObject({ oom: false, signal: 'SIGKILL', reason: 'signal_9' });
  });

  test('max_pids stops a service that forks, and lets it when it is raised', async () => {
    const forker = await told('forker', FORKER, { max_pids: 8 });
    await becomes('forker', 'pids.max', '8');
    await forker.say(20);
    await machine.until('forks to be refused', async () =>
      (await count('forker', 'pids.events', 'max')) > 0 ? true : undefined,
    );
    // One is the program itself, and one the shell through which it starts each.
    await forker.answers('refused 14');
    await forker.limit({ max_pids: 40 });
    await becomes('forker', 'pids.max', '40');
    await forker.say(15);
    await forker.answers('refused 0');
    await forker.limit({});
    await becomes('forker', 'pids.max', 'max');
    await forker.say(30);
    await machine.until('all to run', async () =>
      Number(await control('forker', 'pids.current')) === 1 + 6 + 15 + 30 ? true : undefined,
    );
    await forker.isTheSame();
    await manager.order('stop', 'forker');
  });

  test('io_weight shares a busy disk, and the other way round when it is edited', async () => {
    // The disk is said to be slow, so that there is too little of it.
    const { stdout } = await machine.run('cat', '/sys/block/vdb/dev');
    const device = stdout.trim();
    const model =
      'ctrl=user model=linear rbps=2000000 rseqiops=125 rrandiops=125 wbps=2000000 wseqiops=125 wrandiops=125';
    await machine.sh(`
      echo '${device} ${model}' > /sys/fs/cgroup/io.cost.model
      echo '${device} enable=1 ctrl=user min=100 max=100' > /sys/fs/cgroup/io.cost.qos`);
    // Several at a time, so that there is always more to do than is let through.
    const read16k = 'while :; do dd if=/dev/vdb of=/dev/null iflag=direct bs=16k count=4000; done';
    const reader = (weight: number) => ({
      process: { command: `for each in 1 2 3 4; do ${read16k} & done; wait` },
      resources: { io_weight: weight },
    });
    const read = async () => {
      const bytes = async (name: string) =>
        Number((await control(name, 'io.stat')).match(new RegExp(`^${device} rbytes=(\\d+)`, 'm'))?.[1] ?? 0);
      return { left: await bytes('left'), right: await bytes('right') };
    };
    let last = {};
    /** How much each of them reads until both together have read so much. */
    const shared = async () => {
      const start = await read();
      return machine.until(
        'both to read',
        async () => {
          const now = await read();
          const [left, right] = [now.left - start.left, now.right - start.right];
          last = { start, now };
          return left + right > 3 * MB ? { left, right } : undefined;
        },
        () => last,
      );
    };
    await Promise.all([manager.service('left', reader(1000)), manager.service('right', reader(100))]);
    const pids = [await manager.runs('left'), await manager.runs('right')];
    await machine.until(
      'both to have begun',
      async () => {
        const now = await read();
        last = now;
        return now.left > MB / 4 && now.right > MB / 32 ? true : undefined;
      },
      () => last,
    );
    const first = await shared();
    expect(first.left).toBeGreaterThan(2 * first.right);
    await Promise.all([manager.service('left', reader(100)), manager.service('right', reader(1000))]);
    await Promise.all([
      becomes('left', 'io.weight', 'default 100'),
      becomes('right', 'io.weight', 'default 1000'),
    ]);
    const second = await shared();
    expect(second.right).toBeGreaterThan(2 * second.left);
    expect([(await manager.view('left'))?.pid, (await manager.view('right'))?.pid]).toEqual(pids);
    await manager.order('stop', ['left', 'right']);
  });

  test('what was edited while no daemon was there is written by the next one, under the same process', async () => {
    const hog = await told('away', HOG, { max_memory: '48M', max_pids: 20, cpu_weight: 300 });
    await becomes('away', 'memory.max', String(48 * MB));
    await becomes('away', 'cpu.weight', '300');
    await manager.end('KILL');
    await hog.limit({ max_memory: '80M' });
    await manager.start();
    await becomes('away', 'memory.max', String(80 * MB));
    await becomes('away', 'pids.max', 'max');
    await becomes('away', 'cpu.weight', '100');
    expect((await manager.view('away'))?.pid).toBe(hog.pid);
  });
});
