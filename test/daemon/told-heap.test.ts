import { expect, it } from 'vitest';
import { toldHeap } from '../../src/daemon/told-heap.ts';
import { startOfRun } from '../../src/model/names.ts';
import type { Desired } from '../../src/model/spec.ts';
import { defined, run } from '../builders.ts';
import { instanceView, serviceView } from '../cli/sample-views.ts';

const [first, second] = [run({ slot: 0 }).key, run({ slot: 1 }).key];
const STARTED = startOfRun(first.id);
const web = serviceView('web', {
  instances: [
    instanceView(0, { run_id: first.id, port: 4000 }),
    instanceView(1, { run_id: second.id, port: 4001 }),
  ],
});

function naming(file: string | undefined): Desired {
  const env = file === undefined ? {} : { PROCESSMASTER_STATS_FILE: file };
  return defined({ spec: { process: { env, working_directory: '/srv/${instance}' } } });
}

function telling(files: Readonly<Record<string, { heap: number; at: number }>>) {
  const asked: string[] = [];
  const told = (path: string) => {
    asked.push(path);
    return files[path];
  };
  return { asked, told };
}

it('is asked for only where a service names a file', () => {
  const { asked, told } = telling({});
  for (const desired of [naming(undefined), naming(''), undefined]) {
    expect(toldHeap(web, desired, told)).toBeNull();
  }
  expect(asked).toEqual([]);
});

it('is the sum of what the instances tell, each in the file of its own', () => {
  const { asked, told } = telling({
    '/srv/0/stats-4000': { heap: 5, at: STARTED + 1000 },
    '/srv/1/stats-4001': { heap: 7, at: STARTED + 1000 },
  });
  expect(toldHeap(web, naming('stats-${port}'), told)).toBe(12);
  expect(asked).toEqual(['/srv/0/stats-4000', '/srv/1/stats-4001']);
});

it('of a file that all share counts once', () => {
  const { told } = telling({ '/run/web.json': { heap: 5, at: STARTED } });
  expect(toldHeap(web, naming('/run/web.json'), told)).toBe(5);
});

it('is not what an earlier run has left, and null while nobody has told', () => {
  const { told } = telling({ '/run/web.json': { heap: 5, at: STARTED - 1000 } });
  expect(toldHeap(web, naming('/run/web.json'), told)).toBeNull();
  expect(toldHeap(web, naming('/run/other.json'), told)).toBeNull();
});
