/** Which troubles does a host have, and whom do they meet? Each is one kind of trouble, drawn by a seed. */
import type { Chance } from '../twins/random.ts';
import type { Area, Call, Fate, Weather } from './faulty-calls.ts';

interface Trouble {
  readonly name: string;
  readonly meets: (call: Call) => boolean;
  readonly codes: readonly [string, ...string[]];
}

const OPENING = new Set(['open', 'readFile', 'readdir', 'watch', 'spawn']);
const TELLING = new Set(['event', 'wake']);
const DISKS: readonly Area[] = ['state', 'logs', 'config'];

const onDisk = ({ area }: Call): boolean => area !== null && DISKS.includes(area);

const TROUBLES: readonly Trouble[] = [
  { name: 'no descriptors', meets: ({ name }) => OPENING.has(name), codes: ['EMFILE', 'ENFILE'] },
  { name: 'no processes', meets: ({ name }) => name === 'spawn', codes: ['EAGAIN'] },
  { name: 'no memory', meets: ({ name }) => !TELLING.has(name), codes: ['ENOMEM'] },
  {
    name: 'a full disk',
    meets: (call) =>
      onDisk(call) && call.writes && !['unlink', 'rm', 'rmdir', 'ftruncate'].includes(call.name),
    codes: ['ENOSPC', 'EDQUOT'],
  },
  {
    name: 'a broken disk',
    meets: (call) => onDisk(call) && !TELLING.has(call.name) && call.name !== 'watch',
    codes: ['EIO'],
  },
  { name: 'a read-only disk', meets: (call) => onDisk(call) && call.writes, codes: ['EROFS'] },
  {
    name: 'closed doors',
    // A log that may not be written is a mistake that somebody has to mend, and counts as one.
    meets: ({ area, name }) => area === 'config' && ['open', 'readdir', 'mkdir'].includes(name),
    codes: ['EACCES'],
  },
  {
    name: 'an unwilling kernel',
    meets: ({ area, writes, name }) => area === 'cgroup' && (writes || name === 'open'),
    codes: ['EBUSY', 'EAGAIN', 'ENOSPC'],
  },
  {
    name: 'a kernel that tells nothing',
    meets: ({ area, name }) => area === 'cgroup' && ['open', 'readFile', 'readdir', 'stat'].includes(name),
    codes: ['EIO', 'EINTR'],
  },
];

/** One spell of it: which calls fail, and how many of them. */
export function drawWeather(chance: Chance): Weather & { readonly name: string } {
  const deaf = chance.happens(0.25);
  const slow = chance.happens(0.2);
  const trouble = chance.happens(0.85) ? TROUBLES[chance.between(0, TROUBLES.length - 1)] : undefined;
  const rate = chance.pick([1, 0.5, 0.1]);
  const code = trouble === undefined ? '' : chance.pick([...trouble.codes] as [string, ...string[]]);
  const fateOf = (call: Call): Fate => {
    if (TELLING.has(call.name)) return deaf && chance.happens(rate) ? { lost: true } : undefined;
    if (trouble?.meets(call) && chance.happens(rate)) return { code };
    // A look at all processes of a host is a thousand calls, and no disk is behind them.
    return slow && call.area !== 'proc' && chance.happens(0.05) ? { late: chance.between(1, 20) } : undefined;
  };
  const names = [
    trouble === undefined ? '' : `${trouble.name} (${code}, ${rate * 100} %)`,
    deaf ? 'lost events' : '',
    slow ? 'slow calls' : '',
  ];
  return { name: names.filter((name) => name !== '').join(', ') || 'fair', fateOf };
}
