/** What may stand for services, and what would only look like none? */
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { givenTexts } from '../../src/library/given-services.ts';

/** Finds nothing wrong with any text. */
const reader = {
  load: () => ({ services: new Map(), problems: [], files: 0, readable: true }) as never,
};

const SLEEP = { process: { command: ['sleep', '1000'] } };

const filesOf = (services: unknown): readonly string[] =>
  givenTexts(services as never, '/srv', reader).map(({ file }) => file);

describe('givenTexts', () => {
  it.each<[string, unknown]>([
    ['an object', { web: SLEEP }],
    ['one without a prototype', Object.assign(Object.create(null), { web: SLEEP })],
    ['one of another realm', runInNewContext('({ web: { process: { command: ["sleep", "1000"] } } })')],
  ])('takes %s', (_, services) => {
    expect(filesOf(services)).toEqual(['/srv/web.yaml']);
  });

  it('takes none where none is given', () => {
    expect(filesOf({})).toEqual([]);
  });

  class Hidden {
    get web(): object {
      return SLEEP;
    }
  }
  it.each<[string, unknown]>([
    ['a list', []],
    ['a Map', new Map([['web', SLEEP]])],
    ['a Set', new Set(['web'])],
    ['a promise that nobody waited for', Promise.resolve({ web: SLEEP })],
    ['an instance of a class', new Hidden()],
    ['a text', ''],
    ['null', null],
    ['nothing', undefined],
  ])('refuses %s, and does not take it for none', (_, services) => {
    expect(() => filesOf(services)).toThrow(
      expect.objectContaining({
        code: 'invalid',
        message: expect.stringMatching(/^services: write a plain object/),
      }),
    );
  });
});
