import { beforeEach, describe, expect, test } from 'vitest';
import type { DefineRequest } from '../../src/api/definition.ts';
import { Definitions, type ServiceFileTools } from '../../src/daemon/definitions.ts';
import type { ServiceName } from '../../src/model/names.ts';
import type { Problem } from '../../src/model/problem.ts';
import type { DesiredState } from '../../src/model/spec.ts';
import { defined, problem, WEB } from '../builders.ts';
import { SimulatedDaemon } from '../simulation/daemon.ts';
import { Injector } from '../twins/injector.ts';
import { Machine } from '../twins/machine.ts';
import { MemoryFiles } from '../twins/memory-files.ts';
import { Chance } from '../twins/random.ts';

let machine: Machine;
let daemon: SimulatedDaemon;
let definitions: Definitions;
/** Names of the services that have a file. */
let files: Set<ServiceName>;
let readable: boolean;
let holder: string | undefined;
let stays: ReturnType<ServiceFileTools['removable']> | undefined;
let unremovable: boolean;
/** Whether `worker` depends on `web`. */
let needs: boolean;
let deeds: string[];
/** Why no definition is good enough. */
let wrong: Problem | undefined;
/** Of the state. */
let disk: MemoryFiles;
const store = () => daemon.store;

beforeEach(() => {
  machine = new Machine(new Chance(1, 'machine'));
  files = new Set();
  readable = true;
  holder = undefined;
  stays = undefined;
  unremovable = false;
  needs = false;
  deeds = [];
  wrong = undefined;
  const injector = new Injector();
  disk = new MemoryFiles(injector);
  daemon = new SimulatedDaemon({
    number: 1,
    offset: 1_700_000_000_000,
    bootId: 'boot',
    machine,
    injector,
    files: disk,
    reader: reading,
    chance: new Chance(1, 'daemon'),
    blindness: () => ({ tree: false, services: new Set(), runs: new Set() }),
    refuses: () => false,
    record: () => {},
    told: () => {},
    changed: (service: ServiceName) => daemon.containment.wake(service),
  });
  machine.watcher = { changed: (service) => daemon.containment.wake(service), ended: () => {} };
  definitions = new Definitions({
    world: { clock: daemon.clock, containment: { portHolder: () => holder } },
    loop: daemon.loop,
    followed: () => {},
    note: () => {},
    serviceFiles: {
      define: ({ name }) => {
        if (wrong !== undefined) return { problems: [wrong] };
        const was = files.has(name as ServiceName) ? 'the_same' : 'new';
        deeds.push(`define ${name}`);
        files.add(name as ServiceName);
        return { file: `config.d/${name}.yaml`, was };
      },
      removable: ({ name }) => stays ?? { path: `/etc/config.d/${name}.yaml` },
      remove: (path) => {
        if (unremovable) return problem({ code: 'file-unreadable', message: 'EROFS' });
        deeds.push(`remove ${path} approved=${daemon.store.intent(WEB).removalApproved}`);
        files.delete(path.replace(/^.*\/|\.yaml$/g, '') as ServiceName);
        return undefined;
      },
    },
  });
});

function reading(): DesiredState {
  const services = new Map(
    [...files].map((name) => {
      const file = `config.d/${name}.yaml`;
      return [
        name,
        {
          ...defined({
            spec: { name, port: 8080, depends_on: needs && name === 'worker' ? { [WEB]: 'started' } : {} },
          }),
          name,
          file,
        },
      ] as const;
    }),
  );
  return { services, problems: [], files: files.size, readable };
}

/** Lets a minute pass at most, until the answer is there. */
async function answered<Answer>(question: Promise<Answer>): Promise<Answer> {
  let answer: Answer | undefined;
  const arrived = question.then((value) => {
    answer = value;
    return value;
  });
  const until = machine.now + 60_000;
  while (answer === undefined && machine.now < until) {
    machine.advance(machine.now + 1);
    for (let letter = daemon.mail.take(machine.now); letter; letter = daemon.mail.take(machine.now))
      letter.act();
    if (daemon.due || (daemon.wakeAt ?? 0) <= machine.now) {
      daemon.due = false;
      const { more, wakeAt } = daemon.loop.pass(25);
      daemon.due ||= more;
      daemon.wakeAt = wakeAt === undefined ? undefined : wakeAt - daemon.offset;
    }
    await Promise.resolve();
  }
  return arrived;
}

function define(more: Partial<DefineRequest> = {}) {
  const request = { name: 'web', command: ['x'], directory: '/srv', by: 'bob', wait: 30_000, ...more };
  return answered(definitions.define(request));
}

function remove(...services: readonly string[]) {
  return answered(definitions.delete({ services, by: 'bob', wait: 30_000 }));
}

async function exists(name = WEB): Promise<void> {
  files.add(name);
  daemon.loop.reload();
  await until(() => machine.placesOf(name).length > 0);
}

/** Passes go by until then. */
async function until(isSo: () => boolean): Promise<void> {
  await answered(
    new Promise<void>((resolve) => {
      const stop = daemon.loop.onPass(() => {
        if (!isSo()) return;
        stop();
        resolve();
      });
    }),
  );
}

const STOPPED = { stopped: { by: 'bob', at: 0 } };

async function existsStopped(): Promise<void> {
  await exists();
  daemon.loop.setIntents(new Map([[WEB, STOPPED]]));
}

describe('a new service', () => {
  test('is written, then started, and the answer comes when it is up', async () => {
    expect(await define()).toMatchObject({ result: 'done', file: 'config.d/web.yaml', problems: [] });
    expect(machine.placesOf(WEB)).toHaveLength(1);
  });

  describe('of the name of one that was stopped, and is gone,', () => {
    beforeEach(async () => {
      await exists('db' as ServiceName);
      await existsStopped();
      files.delete(WEB);
      daemon.loop.reload();
      await until(() => !daemon.loop.names().includes(WEB));
    });

    test('has nothing to do with it', async () => {
      expect(store().intent(WEB)).toMatchObject(STOPPED);
      expect(await define()).toMatchObject({ result: 'done' });
      expect(machine.placesOf(WEB)).toHaveLength(1);
    });

    test('is refused as long as that cannot be forgotten', async () => {
      disk.failing = 'ENOSPC';
      expect(await define()).toMatchObject({ result: 'refused', problems: [{ code: 'state-unwritable' }] });
      expect(deeds).toEqual([]);
    });

    test('leaves that as it is when it is refused itself', async () => {
      wrong = problem({ code: 'command-missing', message: 'no such program' });
      expect(await define()).toMatchObject({ result: 'refused', problems: [wrong] });
      expect(store().intent(WEB)).toMatchObject(STOPPED);
    });
  });

  test.each([
    { why: 'a bad name', more: { name: 'all' }, code: 'name-invalid' },
    { why: 'a taken port', more: { port: 80 }, code: 'port-taken' },
  ])('with $why is refused before anything is written', async ({ more, code }) => {
    holder = '811 nginx';
    expect(await define(more)).toMatchObject({ result: 'refused', file: null, problems: [{ code }] });
    expect(deeds).toEqual([]);
  });

  test('that has the name or the port of another one is refused, and the other file is named', async () => {
    await exists();
    expect(await define()).toMatchObject({
      result: 'refused',
      problems: [{ message: 'web is defined in config.d/web.yaml already' }],
    });
    expect(await define({ name: 'shop', port: 8080 })).toMatchObject({
      result: 'refused',
      problems: [{ message: 'port 8080 is the port of web (config.d/web.yaml)' }],
    });
    expect(deeds).toEqual([]);
  });

  test('is refused while the directory of other services cannot be read', async () => {
    await exists();
    readable = false;
    daemon.loop.reload();
    expect(await define({ name: 'shop' })).toMatchObject({ result: 'refused' });
    expect(deeds).toEqual([]);
  });

  test('of the same development command is started again once it was stopped, not before', async () => {
    await exists();
    expect(await define({ dev: true })).toMatchObject({ result: 'refused' });
    daemon.loop.setIntents(new Map([[WEB, { stopped: { by: 'bob', at: 0 } }]]));
    expect(await define({ dev: true })).toMatchObject({ result: 'done' });
    expect(store().intent(WEB).stopped).toBeUndefined();
  });
});

describe('a service that is deleted', () => {
  test('goes with its file, though it is all that runs; nothing of it is remembered', async () => {
    await exists();
    const { results } = await remove('web');
    expect(results).toMatchObject([{ service: 'web', result: 'done' }]);
    expect(machine.placesOf(WEB)).toEqual([]);
    expect(daemon.loop.names()).toEqual([]);
    expect(deeds).toEqual(['remove /etc/config.d/web.yaml approved=true']);
  });

  test('is no reason to delete others: one unknown name and nothing happens', async () => {
    await exists();
    expect((await remove('web', 'wbe')).results).toMatchObject([
      { service: 'wbe', result: 'unknown_service' },
    ]);
    expect(deeds).toEqual([]);
  });

  test.each([
    {
      why: 'somebody holds it',
      prepare: () => void daemon.loop.setIntents(new Map([[WEB, { held: { by: 'al', at: 0 } }]])),
      result: 'refused',
    },
    {
      why: 'its file must stay',
      prepare: () => {
        stays = problem({ code: 'file-odd', message: 'a link' });
      },
      result: 'refused',
    },
    {
      why: 'its file cannot be removed',
      prepare: () => {
        unremovable = true;
      },
      result: 'failed',
    },
  ])('stays when $why', async ({ prepare, result }) => {
    await exists();
    prepare();
    expect((await remove('web')).results).toMatchObject([{ service: 'web', result }]);
    expect(machine.placesOf(WEB)).toHaveLength(1);
    expect(store().intent(WEB).removalApproved).toBeUndefined();
    expect(files.has(WEB)).toBe(true);
  });

  test('stays while another one depends on it, and goes together with that one', async () => {
    await exists();
    needs = true;
    const worker = 'worker' as ServiceName;
    files.add(worker);
    daemon.loop.reload();
    expect((await remove('web')).results).toMatchObject([
      { result: 'refused', detail: expect.stringContaining('worker depends on it (config.d/worker.yaml)') },
    ]);
    expect(files.has(WEB)).toBe(true);
    expect((await remove('web', 'worker')).results).toMatchObject([{ result: 'done' }, { result: 'done' }]);
    expect(daemon.loop.names()).toEqual([]);
  });

  test('is not remembered as one that was stopped', async () => {
    await existsStopped();
    await remove('web');
    expect(store().intents.size).toBe(0);
  });

  test('stays stopped where its file cannot be removed', async () => {
    await existsStopped();
    unremovable = true;
    await remove('web');
    expect(store().intent(WEB)).toEqual(STOPPED);
  });

  test('whose file was gone, and whose removal the guard held back, goes', async () => {
    await exists();
    files.delete(WEB);
    daemon.loop.reload();
    expect(daemon.loop.removals.held).toEqual([WEB]);
    expect((await remove('web')).results).toMatchObject([{ result: 'done' }]);
    expect(machine.placesOf(WEB)).toEqual([]);
  });
});
