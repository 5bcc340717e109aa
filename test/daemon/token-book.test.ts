import { describe, expect, test } from 'vitest';
import { hashOf } from '../../src/api/tokens.ts';
import { TokenBook } from '../../src/daemon/token-book.ts';
import { sentence } from '../../src/model/problem.ts';
import type { FileStatus, Files } from '../../src/world/world.ts';

/** One file of which everything can be said. */
class OneFile implements Pick<Files, 'status' | 'read'> {
  text: string | undefined;
  change: Partial<FileStatus> = {};
  reads = 0;
  #version = 0;

  write(text: string, change: Partial<FileStatus> = {}): void {
    this.text = text;
    this.change = change;
    this.#version += 1;
  }

  status(): ReturnType<Files['status']> {
    if (this.text === undefined) return { failed: 'ENOENT' };
    const version = String(this.#version);
    return {
      kind: 'file',
      size: this.text.length,
      mode: 0o600,
      uid: 1000,
      gid: 1000,
      version,
      ...this.change,
    };
  }

  read(): ReturnType<Files['read']> {
    this.reads += 1;
    return this.text ?? { failed: 'ENOENT' };
  }
}

function book() {
  const file = new OneFile();
  const told: string[] = [];
  const opened = new TokenBook('/t', {
    files: file,
    users: { self: { user: 'pm', uid: 1000, gid: 1000, home: '/' } } as never,
    complain: (problem) => told.push(`${problem.code}  ${sentence(problem)}`),
  });
  return { file, told, names: () => opened.tokens.map(({ name }) => name) };
}

const line = (name: string) => `${name} read ${hashOf(name)}\n`;

describe('the tokens that are valid now', () => {
  test('are those of the file as it is, which is read only when it has changed', () => {
    const { file, names, told } = book();
    file.write(line('ann'));
    expect([names(), names(), names()]).toEqual([['ann'], ['ann'], ['ann']]);
    expect(file.reads).toBe(1);
    file.write(line('bob'));
    expect(names()).toEqual(['bob']);
    file.text = undefined;
    expect(names()).toEqual([]);
    file.write(line('ann'));
    expect(names()).toEqual(['ann']);
    expect(told).toEqual([
      'api-tokens-unusable  /t does not exist: nobody is let in; pmctl token new NAME makes a token',
    ]);
  });

  test.each<[string, Partial<FileStatus>, string]>([
    ['of somebody else', { uid: 1001 }, 'belongs to somebody else'],
    ['writable by the group', { mode: 0o620 }, 'can be written by others'],
    ['writable by everybody', { mode: 0o602 }, 'can be written by others'],
    ['readable by everybody', { mode: 0o604 }, 'can be read by every user'],
    ['a directory', { kind: 'directory' }, 'is no regular file'],
  ])('a file that is %s lets nobody in, and is told of once', (_title, change, says) => {
    const { file, names, told } = book();
    file.write(line('ann'), change);
    expect([names(), names()]).toEqual([[], []]);
    expect(told).toEqual([expect.stringContaining(says)]);
    expect(file.reads).toBe(0);
  });

  test.each<[string, Partial<FileStatus>]>([
    ['of root', { uid: 0 }],
    ['readable by the group', { mode: 0o640 }],
  ])('a file that is %s will do', (_title, change) => {
    const { file, names } = book();
    file.write(line('ann'), change);
    expect(names()).toEqual(['ann']);
  });

  test('a line that cannot be followed is told of with its place', () => {
    const { file, names, told } = book();
    file.write(`${line('ann')}bob root x\n`);
    expect(names()).toEqual(['ann']);
    expect(told).toEqual([
      'api-tokens-unusable  /t:2:1  the role of bob is none of read, operate, admin; that line gives nobody access',
    ]);
  });
});
