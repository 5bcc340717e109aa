import { describe, expect, it } from 'vitest';
import { describeProcess, harmless } from '../../src/world/describe-process.ts';
import {
  hasEnded,
  hasMark,
  isAlive,
  parseEnvironment,
  parseStat,
  processStat,
  sessionMark,
} from '../../src/world/procfs.ts';

/** A line of /proc/<pid>/stat with numbers that name their own field, after proc_pid_stat(5). */
function statLine(name: string, state = 'S'): string {
  const rest = Array.from({ length: 49 }, (_, index) => String(index + 4));
  return `811 (${name}) ${state} ${rest.join(' ')}\n`;
}

describe('the stat file of a process', () => {
  it.each(['node', 'my worker', 'a) S 1 (b', '(sd-pam)', ') R 9 9 9', 'line\nbreak', ''])(
    'is read by field number whatever the name is: %j',
    (name) => {
      expect(parseStat(statLine(name, 'D'))).toEqual({
        pid: 811,
        name,
        state: 'D',
        parent: 4,
        group: 5,
        session: 6,
        cpuTicks: 14 + 15,
        threads: 20,
        startTicks: 22,
      });
    },
  );

  it.each(['', '811', '811 (node', '811 (node) S 4', 'x (node) S 4'])('is not guessed from %j', (text) => {
    expect(parseStat(text)).toBeUndefined();
  });

  it('tells about ourselves', () => {
    const stat = processStat(process.pid);
    expect(stat).toMatchObject({ pid: process.pid, parent: process.ppid });
    expect(isAlive(process.pid, stat!.startTicks)).toBe(true);
    expect(isAlive(process.pid, null)).toBe(true);
    expect(isAlive(process.pid, stat!.startTicks + 1)).toBe(false);
    expect(processStat(2 ** 30)).toBeUndefined();
  });

  it.each([
    ['Z', 1, true],
    ['X', 1, true],
    ['Z', 2, false],
    ['S', 1, false],
  ])('in state %s with %i threads is that of an ended process: %s', (state, threads, ended) => {
    const stat = parseStat(statLine('node', state));
    expect(hasEnded({ ...stat!, threads })).toBe(ended);
  });
});

describe('the mark of a session', () => {
  it('is the same for a process of it, and nobody who cannot be asked counts as a stranger', () => {
    const mark = sessionMark(process.pid);
    expect(hasMark(process.pid, mark)).toBe(true);
    expect(hasMark(process.pid, null)).toBe(true);
    expect(hasMark(2 ** 30, '/autogroup-1')).toBe(true);
    if (mark !== null) expect(hasMark(process.pid, `${mark}0`)).toBe(false);
  });
});

describe('an environment', () => {
  it('may have values with anything but a NUL in them; what is no entry is passed over', () => {
    expect(parseEnvironment('A=1\0B=x=y\nz\0EMPTY=\0junk\0=odd\0')).toEqual({
      A: '1',
      B: 'x=y\nz',
      EMPTY: '',
    });
    expect(parseEnvironment('')).toEqual({});
  });
});

describe('a process shown to people', () => {
  it('has its pid and its command line', () => {
    expect(describeProcess(process.pid)).toMatch(new RegExp(`^${process.pid} \\S+`));
    expect(describeProcess(2 ** 30)).toBe(`${2 ** 30} (gone)`);
  });

  it('cannot move the cursor, reorder the line or fill the screen', () => {
    expect(harmless('a\u001b[2Jb\nc\u202ed\u0085e\u2028f')).toBe('a?[2Jb?c?d?e?f');
    expect(harmless('ü'.repeat(80))).toBe('ü'.repeat(80));
    expect(harmless('ü'.repeat(81))).toBe(`${'ü'.repeat(79)}…`);
  });
});
