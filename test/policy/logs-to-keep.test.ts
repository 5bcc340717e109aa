import { describe, expect, it } from 'vitest';
import type { Defined, LogsSpec } from '../../src/model/spec.ts';
import { logsToKeep } from '../../src/policy/logs-to-keep.ts';
import { defined, name } from '../builders.ts';

function service(called: string, logs: Partial<LogsSpec>, instances = 1): Defined {
  return defined({ name: name(called), spec: { instances, logs: { stderr: '/dev/null', ...logs } } });
}

const kept = (services: readonly Defined[], placeOf = (path: string) => path) => [
  ...logsToKeep(new Map(services.map((each) => [each.name, each])), placeOf).values(),
];

describe('logsToKeep', () => {
  it('is every file that services and their stop commands write to, and no device', () => {
    const web = service('web', { stdout: '/l/web-${instance}.log', stop_command_stdout: '/l/stop.log' }, 2);
    expect(kept([web]).map(({ path }) => path)).toEqual(['/l/web-0.log', '/l/web-1.log', '/l/stop.log']);
  });

  it('knows a shared file by where it really is, with the rules of the first service', () => {
    const a = service('a', { stdout: '/l/x.log', rotation_mode: 'size', rotation_size: 5000 });
    const b = service('b', { stdout: '/link/x.log', rotation_mode: 'size', rotation_size: 9000 });
    const found = kept([a, b], (path) => path.replace('/link/', '/l/'));
    expect(found).toMatchObject([{ place: '/l/x.log', services: ['a', 'b'], spec: { size: 5000 } }]);
  });

  it('finds logs that rotation would take for rotated files of another', () => {
    const log = (called: string, stdout: string) => service(called, { stdout });
    const services = [
      log('a', '/l/x.log'),
      log('b', '/l/x.log.2.gz'),
      log('c', '/m/x.log.1'),
      log('d', '/l/x.log.old'),
    ];
    expect(kept(services).map(({ path, clash }) => [path, clash])).toEqual([
      ['/l/x.log', '/l/x.log.2.gz'],
      ['/l/x.log.2.gz', null],
      ['/m/x.log.1', null],
      ['/l/x.log.old', null],
    ]);
  });
});
