/** What is told of the ends of children, whatever order the kernel lists them in. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Children } from '../../src/world/children.ts';
import type { Libc } from '../../src/world/libc.ts';

/** CLD_EXITED and CLD_KILLED (sigaction(2)). */
const EXITED = 1;
const KILLED = 2;

interface Zombie {
  readonly pid: number;
  readonly how: number;
  readonly status: number;
}

/** waitid(2) over a list: the first one of all, or one by its pid, which is taken unless it is only looked at. */
function kernelWith(zombies: Zombie[]): Libc {
  const waitid: Libc['waitid'] = (type, id, info, options) => {
    const at = type === 0 ? 0 : zombies.findIndex(({ pid }) => pid === id);
    const found = zombies[at];
    if (found === undefined) return 0;
    info.writeInt32LE(found.how, 8);
    info.writeInt32LE(found.pid, 16);
    info.writeInt32LE(found.status, 24);
    if ((options & 0x01000000) === 0) zombies.splice(at, 1);
    return 0;
  };
  return { waitid } as Partial<Libc> as Libc;
}

describe('children', () => {
  const before = process.listeners('SIGCHLD');
  afterEach(() => {
    for (const each of process.listeners('SIGCHLD')) if (!before.includes(each)) process.off('SIGCHLD', each);
  });

  const signal = () => process.emit('SIGCHLD', 'SIGCHLD');

  it('are all told of that one signal stands for, with code or signal', () => {
    const zombies = [
      { pid: 10, how: EXITED, status: 3 },
      { pid: 11, how: KILLED, status: 9 },
    ];
    const children = new Children(kernelWith(zombies));
    const told: unknown[] = [];
    for (const pid of [11, 10, 12]) children.add(pid, (end) => told.push([pid, end]));
    signal();
    expect(told).toEqual([
      [10, { code: 3, signal: null }],
      [11, { code: null, signal: 9 }],
    ]);
    expect(zombies).toEqual([]);
  });

  it('are found behind one of somebody else, which is left where it is', () => {
    const foreign = { pid: 5, how: EXITED, status: 0 };
    const zombies = [foreign, { pid: 10, how: EXITED, status: 3 }, { pid: 11, how: EXITED, status: 4 }];
    const children = new Children(kernelWith(zombies));
    const ended = vi.fn();
    children.add(10, ended);
    children.add(11, ended);
    signal();
    expect(ended).toHaveBeenCalledTimes(2);
    expect(zombies).toEqual([foreign]);
  });

  it('are forgotten once they were told of: the same pid may be that of somebody else then', () => {
    const zombies = [{ pid: 10, how: EXITED, status: 3 }];
    const children = new Children(kernelWith(zombies));
    const ended = vi.fn();
    children.add(10, ended);
    signal();
    zombies.push({ pid: 10, how: EXITED, status: 0 });
    signal();
    expect(ended).toHaveBeenCalledTimes(1);
    expect(zombies).toHaveLength(1);
  });

  it('may be added while another is told of', () => {
    const zombies = [{ pid: 10, how: EXITED, status: 3 }];
    const children = new Children(kernelWith(zombies));
    const second = vi.fn();
    children.add(10, () => {
      children.add(10, second);
      zombies.push({ pid: 10, how: EXITED, status: 4 });
    });
    signal();
    expect(second).toHaveBeenCalledWith({ code: 4, signal: null });
  });
});
