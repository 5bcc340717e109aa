import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { drawRunId, runDirectory } from '../../src/model/names.ts';
import { leavePlace, takePlace } from '../../src/world/former-place.ts';
import { runKey } from '../builders.ts';
import { failingCall } from './failing-call.ts';

let directory: string;
let stateDirectory: string;
let former: string;

beforeEach(() => {
  directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
  stateDirectory = join(directory, 'state');
  fs.mkdirSync(join(stateDirectory, 'runs'), { recursive: true });
  former = join(directory, 'former/services');
  fs.mkdirSync(former, { recursive: true });
  expect(takePlace({ stateDirectory, services: former })).toBeUndefined();
});

/** As the kernel tells of these services and of what is above them. */
function populate(services: Readonly<Record<string, boolean>>): void {
  const tell = (cgroup: string, isPopulated: boolean): void => {
    fs.mkdirSync(cgroup, { recursive: true });
    fs.writeFileSync(join(cgroup, 'cgroup.events'), `populated ${isPopulated ? 1 : 0}\nfrozen 0\n`);
  };
  tell(former, Object.values(services).includes(true));
  for (const [name, isPopulated] of Object.entries(services)) tell(join(former, name), isPopulated);
}

/** Of these services something was started. */
function know(...names: readonly string[]): void {
  const services = Object.fromEntries(names.map((name) => [name, {}]));
  fs.writeFileSync(join(stateDirectory, 'applied.json'), JSON.stringify({ version: 1, services }));
}

const newPlaces = () => [join(directory, 'other/services'), null];
const taken = () => newPlaces().map((services) => takePlace({ stateDirectory, services })?.message);

describe('a daemon that would not find what runs', () => {
  test('does not start where a service of its own runs, and names it', () => {
    populate({ web: true, worker: false });
    know('web', 'worker');
    expect(taken()).toEqual(
      Array(2).fill(
        `services of this state directory still run in ${former} (web), where this daemon would not find them`,
      ),
    );
  });

  test('does not start where nobody can tell whose services run', () => {
    populate({ web: true });
    expect(taken()).toEqual(Array(2).fill(expect.stringContaining('(web)')));
    fs.writeFileSync(join(stateDirectory, 'applied.json'), '{"services": nul');
    expect(taken()).toEqual(Array(2).fill(expect.stringContaining('(web)')));
  });

  test('does not start where nobody can tell which place that was', () => {
    const note = join(stateDirectory, 'cgroup');
    fs.rmSync(note);
    fs.mkdirSync(note);
    for (const services of newPlaces()) {
      expect(takePlace({ stateDirectory, services })).toMatchObject({
        code: 'state-unreadable',
        message: `${note} cannot be read: illegal operation on a directory (EISDIR)`,
      });
    }
  });

  test('does not start where one runs that has left its cgroup, as long as it runs', async () => {
    populate({ web: false });
    know('web');
    // All processes of the host are looked at: nobody else has this one.
    const key = { ...runKey(), id: drawRunId(Date.now(), Math.random()) };
    fs.mkdirSync(join(former, 'web', runDirectory(key)));
    leavePlace({ stateDirectory, services: former });
    const env = { ...process.env, PROCESSMASTER_RUN_ID: key.id };
    const main = spawn('sleep', ['1000'], { env, stdio: 'ignore' });
    onTestFinished(() => void main.kill('SIGKILL'));
    await once(main, 'spawn');
    expect(takePlace({ stateDirectory, services: join(directory, 'other/services') })?.message).toContain(
      '(web)',
    );
    main.kill('SIGKILL');
    await once(main, 'exit');
    expect(taken()).toEqual([undefined, undefined]);
  });

  test.each([
    ['that it had a place', 'openSync', '/state/cgroup', 'ENFILE'],
    ['whether anybody is there', 'readFileSync', 'web/cgroup.events', 'EMFILE'],
    ['who is there', 'readdirSync', '/former/services', 'ENOMEM'],
    ['whether sessions are left', 'readdirSync', '/state/runs', 'EMFILE'],
  ] as const)('does not start where the host is too short to tell %s', (_what, call, part, code) => {
    populate({ web: false });
    const mend = failingCall(call, (path) => path.endsWith(part), code);
    const problem = takePlace({ stateDirectory, services: join(directory, 'other/services') });
    mend();
    expect(problem).toMatchObject({ code: 'host-short', message: expect.stringContaining(code) });
    // Nothing is forgotten for that.
    populate({ web: true });
    know('web');
    expect(taken()).toEqual(Array(2).fill(expect.stringContaining('(web)')));
  });

  test('starts where somebody else has services by now', () => {
    populate({ shop: true, web: false });
    know('web');
    expect(taken()).toEqual([undefined, undefined]);
  });
});

describe('a place is not asked for again', () => {
  test('when a daemon has left nothing there', () => {
    populate({});
    leavePlace({ stateDirectory, services: former });
    // Somebody else, with services of the same names.
    populate({ web: true });
    know('web');
    expect(taken()).toEqual([undefined, undefined]);
  });

  test('when a daemon has found nothing there, and had its services in sessions', () => {
    populate({ web: false });
    expect(takePlace({ stateDirectory, services: null })).toBeUndefined();
    populate({ web: true });
    know('web');
    expect(taken()).toEqual([undefined, undefined]);
  });

  test.each([
    ['of what was left running', () => populate({ web: true }), () => former],
    ['of one that was refused', () => populate({ web: false }), () => join(directory, 'other/services')],
  ])('but for that %s', (_what, leave, left) => {
    leave();
    leavePlace({ stateDirectory, services: left() });
    populate({ web: true });
    know('web');
    expect(taken()).toEqual(Array(2).fill(expect.stringContaining('(web)')));
  });
});
