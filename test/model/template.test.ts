import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fillIn, needsStart, type TemplatePart, writeTemplate } from '../../src/model/template.ts';

const VALUES = { instance: 3, generation: 7, port: 4001 };

test('instance, generation and port are filled in; everything else stands for itself', () => {
  expect(fillIn('--id=${instance}.${generation}', VALUES)).toBe('--id=3.7');
  expect(fillIn('http://[::1]:${port}/', VALUES)).toBe('http://[::1]:4001/');
  expect(fillIn('$HOME costs $5 {instance} ${other}', VALUES)).toBe('$HOME costs $5 {instance} ${other}');
});

test('$${ is a literal ${', () => {
  expect(fillIn('echo $${instance}', VALUES)).toBe('echo ${instance}');
});

test('whatever pieces are written down, exactly they come out', () => {
  const awkward = fc.string({ unit: fc.constantFrom('$', '{', '}', 'instance', 'port', 'a') });
  const part: fc.Arbitrary<TemplatePart> = fc.oneof(
    awkward.map((text) => ({ text })),
    fc
      .constantFrom('instance' as const, 'generation' as const, 'port' as const)
      .map((variable) => ({ variable })),
  );
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const meant = parts
        .map((each) => ('text' in each ? each.text : String(VALUES[each.variable])))
        .join('');
      expect(fillIn(writeTemplate(parts), VALUES)).toBe(meant);
    }),
    { numRuns: 2000 },
  );
});

test('it is known which texts wait for a start', () => {
  expect(['a', '${instance}', '$${instance}', '${generation}', '${port}'].map(needsStart)).toEqual([
    false,
    true,
    false,
    true,
    true,
  ]);
});
