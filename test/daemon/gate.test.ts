import { expect, it } from 'vitest';
import { Gate } from '../../src/daemon/gate.ts';

/** Work that ends when it is told to. */
function work() {
  let end: (failed?: Error) => void = () => {};
  const promise = new Promise<void>((resolve, reject) => {
    end = (failed) => (failed === undefined ? resolve() : reject(failed));
  });
  return { promise, end };
}

it('lets so many in at a time, the others in their order, also after one that failed', async () => {
  const gate = new Gate(2);
  const works = [work(), work(), work(), work()];
  const begun: number[] = [];
  const results = works.map(({ promise }, index) =>
    gate
      .through(() => {
        begun.push(index);
        return promise;
      })
      .then(
        () => 'done',
        () => 'failed',
      ),
  );
  await Promise.resolve();
  expect(begun).toEqual([0, 1]);
  works[1]?.end(new Error('it broke'));
  expect(await results[1]).toBe('failed');
  expect(begun).toEqual([0, 1, 2]);
  for (const { end } of works) end();
  expect(await Promise.all(results)).toEqual(['done', 'failed', 'done', 'done']);
  expect(begun).toEqual([0, 1, 2, 3]);
});
