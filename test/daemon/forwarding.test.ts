import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Forwarding } from '../../src/daemon/forwarding.ts';
import type { Problem } from '../../src/model/problem.ts';
import type { Defined, DesiredState, LogsSpec } from '../../src/model/spec.ts';
import { systemFiles } from '../../src/world/files.ts';
import { identityOf } from '../../src/world/log-files.ts';
import { rotateLog } from '../../src/world/log-rotation.ts';
import { nextTurn } from '../../src/world/turn.ts';
import type { Clock } from '../../src/world/world.ts';
import { defined, name as named } from '../builders.ts';
import { failingFstat } from '../world/failing-fstat.ts';
import { rotationOrder } from '../world/rotation-order.ts';

let directory: string;
let said: string[];
let problems: Problem[];
let wrote: string[];
let own: string[];
let clock: Clock & { advance(): Promise<number> };
let open: Forwarding[];

const at = (name: string) => join(directory, name);
const write = (name: string, text: string) => fs.appendFileSync(at(name), text);

/** Time passes only from timer to timer. */
function steppedClock(): typeof clock {
  let now = 1_000_000;
  let timer: { readonly at: number; readonly wake: () => void } | undefined;
  return {
    now: () => now,
    wall: () => now,
    after: (delay, wake) => {
      expect(timer).toBeUndefined();
      const mine = { at: now + delay, wake };
      timer = mine;
      return () => {
        if (timer === mine) timer = undefined;
      };
    },
    advance: async () => {
      const due = timer;
      if (due === undefined) return 0;
      timer = undefined;
      const passed = due.at - now;
      now = due.at;
      due.wake();
      await nextTurn();
      return passed;
    },
  };
}

beforeEach(() => {
  directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  said = [];
  problems = [];
  wrote = [];
  own = [];
  open = [];
  clock = steppedClock();
});
afterEach(async () => {
  for (const forwarding of open) await forwarding.close();
  fs.rmSync(directory, { recursive: true });
});

function forwarding(): Forwarding {
  const tell = (level: string) => (fields: object, message: string) =>
    void said.push(`${level} ${Object.values(fields).join(' ')} ${message}`);
  const made = new Forwarding({
    clock,
    files: systemFiles(),
    path: at('forward.json'),
    log: { info: tell('info'), warn: tell('warn'), error: tell('error') },
    own: () => own,
    complain: (problem) => problems.push(problem),
    wrote: (part, problem) => wrote.push(`${part} ${problem?.code ?? 'well'}`),
  });
  open.push(made);
  return made;
}

function service(name: string, logs: Partial<LogsSpec> = {}, instances = 1): Defined {
  const files = { stdout: at('out.log'), stderr: at('err.log'), forward: true, ...logs };
  return defined({ name: named(name), spec: { instances, logs: files } });
}

function desiredState(services: readonly Defined[]): DesiredState {
  const all = new Map(services.map((one) => [one.name, one]));
  return { services: all, problems: [], files: all.size, readable: true };
}

const takeSaid = () => said.splice(0);
async function looked(): Promise<readonly string[]> {
  await clock.advance();
  return takeSaid();
}

describe('lines of a service', () => {
  it('are told once, with their stream, from the first line after the first start', async () => {
    write('out.log', 'of long ago\n');
    const one = forwarding();
    one.starting(service('web'));
    await nextTurn();
    write('out.log', 'hello\nhalf a ');
    write('err.log', 'oh\u001b[2J\n');
    one.arrange(desiredState([service('web')]));
    expect(await looked()).toEqual([
      'warn web stderr [web] STDERR: oh\u001b[2J',
      'info web stdout [web] STDOUT: hello',
    ]);
    write('out.log', 'line\n');
    expect(await looked()).toEqual(['info web stdout [web] STDOUT: half a line']);
    expect(await looked()).toEqual([]);
  });

  it('tell the instance where it has a file of its own', async () => {
    const logs = { stdout: at('out-${instance}.log'), stderr: at('err.log') };
    const one = forwarding();
    one.arrange(desiredState([service('web', logs, 2)]));
    await looked();
    for (const name of ['out-0.log', 'out-1.log', 'err.log']) write(name, `of ${name}\n`);
    expect((await looked()).toSorted()).toEqual([
      'info web stdout [web[0]] STDOUT: of out-0.log',
      'info web stdout [web[1]] STDOUT: of out-1.log',
      'warn web stderr [web] STDERR: of err.log',
    ]);
  });

  it('are not lost or repeated by the next daemon, through rotation', async () => {
    const first = forwarding();
    first.starting(service('web'));
    first.arrange(desiredState([service('web')]));
    write('out.log', 'one\ntwo\nthr');
    expect(await looked()).toHaveLength(2);
    await first.close();
    write('out.log', 'ee\nfour\n');
    await rotateLog(rotationOrder(at('out.log'), at('journal')));
    write('out.log', 'five\n');
    const second = forwarding();
    second.starting(service('web'));
    second.arrange(desiredState([service('web')]));
    write('out.log', 'six\n');
    await clock.advance();
    await second.close();
    expect(said.map((line) => line.replace(/.*: /, ''))).toEqual(['three', 'four', 'five', 'six']);
    expect(problems).toEqual([]);
  });

  it('are told once of a file that services name by several paths, also by the next daemon', async () => {
    fs.symlinkSync('.', at('link'));
    const services = [service('api', { stdout: at('link/out.log') }), service('web')];
    const first = forwarding();
    for (const each of services) first.starting(each);
    first.arrange(desiredState(services));
    await looked();
    write('out.log', 'one\n');
    expect(await looked()).toEqual(['info api stdout [api] STDOUT: one']);
    await first.close();
    write('out.log', 'two\n');
    const second = forwarding();
    second.arrange(desiredState(services.slice(1)));
    expect(await looked()).toEqual(['info web stdout [web] STDOUT: two']);
    // By another name it is still the same file.
    second.arrange(desiredState(services.slice(0, 1)));
    write('out.log', 'three\n');
    expect(await looked()).toEqual(['info api stdout [api] STDOUT: three']);
  });

  it('come to no end for a while after the service was taken away, and then do', async () => {
    const one = forwarding();
    one.arrange(desiredState([service('web')]));
    await looked();
    one.arrange(desiredState([]));
    write('out.log', 'last words\n');
    expect(await looked()).toEqual(['info web stdout [web] STDOUT: last words']);
    let passed = 0;
    for (let step = await clock.advance(); step > 0; step = await clock.advance()) passed += step;
    expect(passed).toBeLessThan(15_000);
    write('out.log', 'of nobody\n');
    await one.close();
    expect(said).toEqual([]);
  });

  it('are not lost when somebody else takes the file over just when it would be let go', async () => {
    fs.symlinkSync('.', at('link'));
    const one = forwarding();
    one.arrange(desiredState([service('web')]));
    await looked();
    one.arrange(desiredState([]));
    const end = clock.now() + 10_000;
    while (clock.now() < end) await clock.advance();
    const last = clock.advance();
    const heir = service('heir', { stdout: at('link/out.log'), stderr: at('link/err.log') });
    one.arrange(desiredState([heir]));
    await last;
    write('out.log', 'hello\n');
    expect(await looked()).toEqual(['info heir stdout [heir] STDOUT: hello']);
  });

  it('cost a start of a service that is known no look at where its logs lie', () => {
    const one = forwarding();
    const web = service('web');
    one.arrange(desiredState([web]));
    const spy = vi.spyOn(fs.realpathSync, 'native');
    onTestFinished(() => spy.mockRestore());
    one.starting(web);
    expect(spy).not.toHaveBeenCalled();
    one.starting(service('db', { stdout: at('db.log') }));
    expect(spy).toHaveBeenCalled();
  });

  it('are forwarded from when it is switched on until it is switched off', async () => {
    const one = forwarding();
    const off = desiredState([service('web', { forward: false })]);
    one.arrange(off);
    expect(await clock.advance()).toBe(0);
    write('out.log', 'before\n');
    one.arrange(desiredState([service('web')]));
    expect(await looked()).toEqual([]);
    write('out.log', 'while\n');
    expect(await looked()).toEqual(['info web stdout [web] STDOUT: while']);
    one.arrange(off);
    write('out.log', 'after\n');
    expect(await looked()).toEqual([]);
    one.arrange(desiredState([service('web')]));
    expect(await looked()).toEqual([]);
  });
});

it('much is forwarded in small portions that come one soon after the other', async () => {
  const one = forwarding();
  one.starting(service('web'));
  const lines = Array.from({ length: 2000 }, (_, index) => `line ${index}`);
  write('out.log', `${lines.join('\n')}\n`);
  const told: string[] = [];
  for (let looks = 0; told.length < 2000 && looks < 100; looks++) {
    const passed = await clock.advance();
    const portion = takeSaid();
    expect(portion.length).toBeLessThanOrEqual(300);
    if (looks > 0) expect(passed).toBeLessThan(50);
    told.push(...portion.map((line) => line.replace(/.*: /, '')));
  }
  expect(told).toEqual(lines);
});

it('the log of the daemon itself is not forwarded', async () => {
  write('out.log', '');
  own.push(identityOf(at('out.log')) ?? '');
  const one = forwarding();
  one.arrange(desiredState([service('web')]));
  await looked();
  write('out.log', 'its own words\n');
  expect(await looked()).toEqual([]);
  expect(problems.map(({ message }) => message)).toEqual([
    `${at('out.log')} is not forwarded: the daemon writes its own log there`,
  ]);
});

it('positions that cannot be read back are told, and forwarding begins anew', async () => {
  fs.writeFileSync(at('forward.json'), '{"logs": [');
  write('out.log', 'old\n');
  const one = forwarding();
  one.arrange(desiredState([service('web')]));
  expect(await looked()).toEqual([]);
  expect(problems.map(({ code }) => code)).toEqual(['state-corrupt']);
  write('out.log', 'new\n');
  expect(await looked()).toEqual(['info web stdout [web] STDOUT: new']);
});

it('positions that cannot be kept are told as long as that lasts', async () => {
  const one = forwarding();
  one.arrange(desiredState([service('web')]));
  for (const round of [1, 2]) {
    fs.rmSync(at('forward.json'), { recursive: true, force: true });
    fs.mkdirSync(at('forward.json'));
    for (let line = 0; line < 20; line++) {
      write('out.log', `line ${line}\n`);
      await looked();
    }
    expect(wrote.at(-1), `round ${round}`).toBe('forward.json state-unwritable');
    fs.rmdirSync(at('forward.json'));
    write('out.log', 'well\n');
    for (let look = 0; look < 10; look++) await looked();
    expect(wrote.at(-1), `round ${round}`).toBe('forward.json well');
  }
});

it('logs that take long to look at do not hold up the daemon, and each gets its turn', async () => {
  const services = ['a', 'b', 'c', 'd', 'e'].map((name) => service(name, { stdout: at(`${name}.log`) }));
  let slowly = 0;
  const { now } = clock;
  let isSlow = false;
  clock = {
    ...clock,
    now: () => {
      if (isSlow) slowly += 40;
      return now() + slowly;
    },
  };
  const one = forwarding();
  one.arrange(desiredState(services));
  await looked();
  for (const { name } of services) write(`${name}.log`, 'hello\n');
  isSlow = true;
  const first = [...(await looked())];
  expect(first.length).toBeGreaterThan(0);
  expect(first.length).toBeLessThan(services.length);
  for (let look = 0; look < 2 * services.length; look++) first.push(...(await looked()));
  expect([...first].sort()).toEqual(
    services.map(({ name }) => `info ${name} stdout [${name}] STDOUT: hello`),
  );
});

it('a disk that fails is told once, and what could not be read then is forwarded later', async () => {
  const one = forwarding();
  one.arrange(desiredState([service('web', { stderr: at('out.log') })]));
  await looked();
  write('out.log', 'one\n');
  const mend = failingFstat((_look, isExact) => isExact);
  expect([await looked(), await looked()]).toEqual([
    [expect.stringMatching(/^warn web stdout \[web\] STDOUT is forwarded with a gap: .*EIO/)],
    [],
  ]);
  mend();
  expect(await looked()).toEqual(['info web stdout [web] STDOUT: one']);
});
