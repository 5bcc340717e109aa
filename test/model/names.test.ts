import { expect, test } from 'vitest';
import { parseRunDirectory, type ServiceName } from '../../src/model/names.ts';

const parsed = (text: string) => parseRunDirectory('web' as ServiceName, text);

test('a run has one name', () => {
  expect(parsed('0.10.0123456789ab.k0000000-000000')).toMatchObject({ slot: 0, generation: 10 });
  // These would be looked for, and ended, under the name above.
  expect(parsed('00.10.0123456789ab.k0000000-000000')).toBeUndefined();
  expect(parsed('0.010.0123456789ab.k0000000-000000')).toBeUndefined();
});
