/** Which services are brought in force by `enable` and `disable`, and which were so before? */
import { expect, test } from 'vitest';
import { enableInFiles } from '../../src/daemon/enabling.ts';
import { defined, WEB } from '../builders.ts';

function enabled(inForce: boolean, answer: 'set' | 'same') {
  const reloaded: string[] = [];
  const desired = defined({ spec: { enabled: inForce } });
  const inForceNow = { services: new Map([[WEB, desired]]), problems: [], files: 1, readable: true };
  const { already } = enableInFiles(
    {
      loop: {
        desired: inForceNow,
        reload: (only) => {
          reloaded.push(...(only ?? []));
          return inForceNow;
        },
      },
      setEnabled: () => answer,
      followed: () => undefined,
    },
    { verb: 'enable', by: 'bob' },
    [WEB],
  );
  return { reloaded, already: [...already] };
}

test('what is in force and in its file is left alone', () => {
  expect(enabled(true, 'same')).toEqual({ reloaded: [], already: [WEB] });
});

test('what only its file says, as nobody has read it since it was edited, is brought in force', () => {
  expect(enabled(false, 'same')).toEqual({ reloaded: [WEB], already: [] });
});

test('what is written now is brought in force', () => {
  expect(enabled(false, 'set')).toEqual({ reloaded: [WEB], already: [] });
});
