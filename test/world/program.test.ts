import fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findProgram } from '../../src/world/program.ts';
import { temporaryDirectory } from '../linux/ground.ts';
import { failingCall } from './failing-call.ts';

let directory: string;

beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(directory, { recursive: true });
});

const find = (command: string, PATH = directory) =>
  findProgram({ argv: [command], environment: { PATH }, workingDirectory: directory });

/** From now on the status of this path cannot be had. */
function breakStatus(path: string, code: string): void {
  failingCall('statSync', (asked) => asked === path, code);
}

function write(name: string, text: string): string {
  const path = join(directory, name);
  fs.writeFileSync(path, text, { mode: 0o755 });
  return path;
}

describe('a program that cannot be looked at', () => {
  it.each([
    ['EIO', true],
    ['ENOMEM', true],
    ['EACCES', false],
    ['ELOOP', false],
  ])('comes back by itself or does not: %s', (code, isPassing) => {
    const program = write('tool', '');
    const passing = isPassing ? { passing: true } : {};
    breakStatus(program, code);
    expect(find(program)).toEqual({
      ...{ code: 'command-missing', severity: 'error', message: expect.stringContaining(`(${code})`) },
      ...passing,
    });
    expect(find('tool')).toEqual({
      ...{ code: 'command-missing', severity: 'error', message: 'no program "tool" in PATH' },
      hint: `PATH is ${directory}`,
      ...passing,
    });
    vi.restoreAllMocks();
    expect(find('tool')).toEqual({ path: program });
    breakStatus(directory, code);
    expect(find('tool')).toEqual({
      ...{ code: 'working-directory-missing', severity: 'error' },
      message: expect.stringContaining(`(${code})`),
      ...passing,
    });
  });

  it('is looked at in the next directory of the PATH', () => {
    const program = write('tool', '');
    breakStatus('/broken/tool', 'EIO');
    expect(find('tool', `/broken:${directory}`)).toEqual({ path: program });
  });
});

describe('the interpreter of a script', () => {
  it('is not the one that is meant where the first line ends as of DOS', () => {
    const script = write('script', '#!/bin/sh\r\nexit 0\r\n');
    expect(find(script)).toMatchObject({
      code: 'command-missing',
      message: `${script} cannot be executed: its first line ends with a carriage return (CRLF), which the kernel takes for a letter of the interpreter's name`,
      hint: 'save it with the line ends of Unix (LF)',
    });
    // Here it is a letter of an argument.
    const other = write('other', '#!/bin/sh -e\r\nexit 0\r\n');
    expect(find(other)).toEqual({ path: other });
    const odd = write('sh\r', '');
    const well = write('well', `#!${odd}\n`);
    expect(find(well)).toEqual({ path: well });
  });

  it('is read once for each version of the file, by whatever path', () => {
    const first = write('first', '#!/bin/sh\n');
    const second = join(directory, 'second');
    fs.linkSync(first, second);
    const newer = write('newer', '#!/no/such/interpreter\n');
    const opened = vi.spyOn(fs, 'openSync');
    for (const path of [first, second, first]) expect(find(path)).toEqual({ path });
    expect(opened).toHaveBeenCalledTimes(1);
    fs.renameSync(newer, first);
    expect(find(first)).toMatchObject({ message: expect.stringContaining('/no/such/interpreter') });
    expect(opened).toHaveBeenCalledTimes(2);
  });

  it('is asked for again where the script could not be read', () => {
    const script = write('script', '#!/no/such/interpreter\n');
    const opened = vi.spyOn(fs, 'openSync').mockImplementation(() => {
      throw Object.assign(new Error('EMFILE'), { code: 'EMFILE' });
    });
    expect(find(script)).toEqual({ path: script });
    opened.mockRestore();
    expect(find(script)).toMatchObject({ message: expect.stringContaining('/no/such/interpreter') });
  });
});
