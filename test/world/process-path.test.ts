import { expect, test } from 'vitest';
import { isOfProcess } from '../../src/world/process-path.ts';

test.each([
  ['/dev/stdout', true],
  ['/dev/stderr', true],
  ['/dev/stdin', true],
  ['/dev/fd/2', true],
  ['/proc/self/fd/1', true],
  ['/proc/thread-self/fd/1', true],
  ['/var/../dev/./stdout', true],
  ['/dev/tty', true],
  ['/dev/fd', true],
  ['/dev/fdx', false],
  ['/dev/null', false],
  ['/dev/stdout.log', false],
  ['/var/log/dev/stdout', false],
  ['/proc/812/fd/1', false],
])('%s is another file for each who opens it: %j', (path, is) => {
  expect(isOfProcess(path)).toBe(is);
});
