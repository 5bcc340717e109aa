import { describe, expect, it } from 'vitest';
import { logPattern, writtenLogs } from '../../src/model/log-path.ts';
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
