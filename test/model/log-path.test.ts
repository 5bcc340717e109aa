import { describe, expect, it } from 'vitest';
import { instancePlace, logPattern, writtenLogs } from '../../src/model/log-path.ts';
import { spec } from '../builders.ts';

const logs = (stdout: string, stderr: string) => spec({ logs: { stdout, stderr } }).logs;

describe('writtenLogs', () => {
  it('names a shared file once, and a file for each instance once for each', () => {
    expect(writtenLogs(logs('/a-${instance}.log', '/err.log'), 2)).toEqual([
      { stream: 'stdout', path: '/a-0.log', instance: 0 },
      { stream: 'stderr', path: '/err.log', instance: null },
      { stream: 'stdout', path: '/a-1.log', instance: 1 },
    ]);
  });

  it('also names the logs of a service that has no instance now', () => {
    expect(writtenLogs(logs('/a.log', '/b.log'), 0).map(({ path }) => path)).toEqual(['/a.log', '/b.log']);
  });
});

it('a pattern stands for the files of all instances', () => {
  expect(logPattern('/a-${instance}/${instance}.log')).toBe('/a-*/*.log');
  expect(logPattern('/a.log')).toBe('/a.log');
});

describe('the place of instances', () => {
  it.each([
    ['/srv/web-${instance}.log', '/srv/', 'web-12.log', 12],
    ['/srv/web-${instance}.log', '/srv/', 'web-0.log', 0],
    ['/srv/${instance}/out-${instance}.log', '/srv/', '7', 7],
    ['/srv/a${instance}-${instance}.log', '/srv/', 'a3-3.log', 3],
    // What follows the number begins with a digit.
    ['/srv/web-${instance}1.log', '/srv/', 'web-41.log', 4],
    ['/srv/$${instance}-${instance}.log', '/srv/', '${instance}-5.log', 5],
  ])('%s tells of %s%s', (template, directory, name, instance) => {
    const place = instancePlace(template);
    expect(place?.directory).toBe(directory);
    expect(place?.instanceOf(name)).toBe(instance);
  });

  it.each([
    'web-.log',
    'web-01.log',
    'web-1.log.1',
    'web-1.log.gz',
    'web-1000.log',
    'web-x.log',
    'web-',
    'other',
  ])('%s is the log of no instance', (name) => {
    expect(instancePlace('/srv/web-${instance}.log')?.instanceOf(name)).toBeUndefined();
  });

  it('is none where all share a file', () => {
    expect(instancePlace('/srv/$${instance}.log')).toBeUndefined();
  });
});
