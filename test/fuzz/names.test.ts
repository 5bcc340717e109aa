/** Does each name say exactly what it was made from, and is no other name taken for one of ours? */
import fc from 'fast-check';
import { expect } from 'vitest';
import { logPathOf, logPattern, writtenLogs } from '../../src/model/log-path.ts';
import {
  drawRunId,
  isServiceName,
  parseRunDirectory,
  runDirectory,
  type ServiceName,
  type SpecHash,
  serviceName,
  startOfRun,
} from '../../src/model/names.ts';
import { needsStart, writeTemplate } from '../../src/model/template.ts';
import { NUMBERED, placement, rotatedName, spelled } from '../../src/policy/rotation-names.ts';
import { besideName, isBesideName } from '../../src/world/beside-name.ts';
import { anyText, damaged } from './noise.ts';
import { fuzz } from './share.ts';

const WEB = 'web' as ServiceName;

const key = fc.record({
  service: fc.constant(WEB),
  slot: fc.nat(99_999),
  generation: fc.nat(999_999_999),
  hash: fc.stringMatching(/^[0-9a-f]{12}$/).map((text) => text as SpecHash),
  id: fc
    .tuple(fc.integer({ min: 0, max: 8e13 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }))
    .map(([at, chance]) => drawRunId(at, chance)),
});

fuzz(
  'names: runs and services',
  fc.tuple(
    key,
    fc.oneof(damaged(key.map(runDirectory), 2), anyText),
    fc.stringMatching(/^[a-z][a-z0-9_-]{0,31}$/),
  ),
  ([one, text, what]) => {
    const name = runDirectory(one);
    expect(parseRunDirectory(WEB, name)).toEqual(one);
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
    expect(startOfRun(one.id)).toBeLessThanOrEqual(8e13);
    const beside = besideName(what, one.id);
    expect([isBesideName(beside), parseRunDirectory(WEB, beside)]).toEqual([true, undefined]);
    const other = parseRunDirectory(WEB, text);
    // Whatever is taken for a run is called as a run of that identity is.
    if (other !== undefined) {
      expect(parseRunDirectory(WEB, runDirectory(other))).toEqual(other);
      expect(runDirectory(other)).toBe(text);
      expect(isBesideName(text)).toBe(false);
    }
    const service = serviceName(text);
    const isFit =
      /^[A-Za-z0-9._-]{1,64}$/.test(text) &&
      /^[A-Za-z0-9]/.test(text) &&
      text !== 'all' &&
      !text.endsWith('\n');
    expect([isServiceName(text), typeof service === 'string']).toEqual([isFit, isFit]);
    if (isFit) expect(['.', '..'].includes(text) || text.includes('/')).toBe(false);
  },
);

const base = fc.oneof(
  fc.constantFrom('stdout.log', 'a', 'x.1', 'y.gz', '.log', 'z.2026-11-21'),
  anyText.map((text) => text.replace(/[/\0]/g, '') || 'l'),
);
const suffix = fc.oneof(
  fc.tuple(fc.nat(1_000_001), fc.constantFrom('', '.gz')).map(([number, gz]) => `.${number}${gz}`),
  fc
    .tuple(
      fc.stringMatching(/^\.20[0-4]\d-[01]\d(-[0-3]\d(T[0-2]\d(-[0-5]\d)?)?)?$/),
      fc.constantFrom('', '.1', '.001', '.002', '.010', '.1000', '.0100', '.999999'),
      fc.constantFrom('', '.gz', '.bz2'),
    )
    .map((all) => all.join('')),
  anyText,
);

fuzz(
  'names: rotated files',
  fc.tuple(base, fc.array(suffix, { maxLength: 6 }), fc.boolean()),
  ([log, suffixes, byNumber]) => {
    const names = [...new Set(suffixes.map((text) => log + text))];
    for (const name of names) {
      const found = rotatedName(log, name);
      if (found === null) continue;
      // A name is one of ours only as we would have written it.
      expect(spelled(log, found)).toBe(name);
      expect(name).toMatch(/\.[0-9T-]+(\.[0-9]+)?(\.gz)?$/);
    }
    const { shifts, name } = placement(byNumber ? NUMBERED : '2026-11-21', log, names);
    const there = new Set(names);
    for (const { from, to } of shifts) {
      expect([there.has(from), there.has(to)]).toEqual([true, false]);
      there.delete(from);
      there.add(to);
    }
    expect(there.has(name)).toBe(false);
    expect(there.size).toBe(names.length);
    expect(rotatedName(log, name)).not.toBeNull();
  },
);

const part = fc.oneof(
  { weight: 2, arbitrary: fc.constant({ variable: 'instance' as const }) },
  { weight: 4, arbitrary: anyText.map((text) => ({ text: text.replaceAll('\0', '') })) },
  { weight: 2, arbitrary: fc.constantFrom('$', '{', '}', '${', '$$', '*', '/').map((text) => ({ text })) },
);

fuzz(
  'names: logs of instances',
  fc.tuple(fc.array(part, { maxLength: 6 }), fc.integer({ min: 1, max: 12 })),
  ([parts, count]) => {
    const path = `/${writeTemplate(parts)}`;
    const own = parts.some((one) => 'variable' in one);
    const wanted = (instance: string) =>
      `/${parts.map((one) => ('text' in one ? one.text : instance)).join('')}`;
    expect(needsStart(path)).toBe(own);
    expect(logPathOf(path, 7)).toBe(wanted('7'));
    expect(logPattern(path)).toBe(wanted('*'));
    const logs = writtenLogs({ stdout: path, stderr: '/err' } as never, count).filter(
      ({ stream }) => stream === 'stdout',
    );
    expect(logs.map(({ path: written }) => written)).toEqual(
      own ? Array.from({ length: count }, (_, nth) => wanted(String(nth))) : [wanted('')],
    );
    expect(logs.map(({ instance }) => instance)).toEqual(own ? [...Array(count).keys()] : [null]);
  },
);
