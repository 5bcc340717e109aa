/** Both ways to create a process, compared: nobody may notice which of them it was. */
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ProcessEnd } from '../../src/world/children.ts';
import { inheritedDescriptors } from '../../src/world/inherited-descriptors.ts';
import * as library from '../../src/world/libc.ts';
import { createProcess, type Request, whyForked } from '../../src/world/new-process.ts';
import { temporaryDirectory } from './ground.ts';

interface Told extends ProcessEnd {
  readonly said: string;
}

let directory: string;
let opened: number[];

beforeEach(() => {
  directory = temporaryDirectory();
  opened = [];
});
afterEach(() => {
  vi.restoreAllMocks();
  for (const fd of opened) fs.closeSync(fd);
  fs.rmSync(directory, { recursive: true });
});

/** A file that what is started writes into. */
function file(name: string): number {
  const fd = fs.openSync(join(directory, name), 'w');
  opened.push(fd);
  return fd;
}

const written = (name: string) => fs.readFileSync(join(directory, name), 'utf8');

function request(script: string, changes: Partial<Request> = {}): Request {
  return {
    argv: ['/bin/sh', '-c', script],
    environment: { PATH: '/usr/bin:/bin' },
    workingDirectory: directory,
    descriptors: ['null', 'null', 'null'],
    isHeard: false,
    ...changes,
  };
}

function run(asked: Request): Promise<Told & { readonly pid: number }> {
  return new Promise((resolve, reject) => {
    const made = createProcess(asked, (end, said) => {
      if ('pid' in made) resolve({ ...end, said, pid: made.pid });
    });
    if (!('pid' in made)) reject(new Error(`not created: ${made.failed}`));
  });
}

function failureOf(asked: Request): string | undefined {
  const made = createProcess(asked, () => undefined);
  if ('pid' in made) throw new Error('it was created');
  return made.failed;
}

it('borrows the memory of this program where that is possible, and never quietly does not', () => {
  const isThere = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch);
  expect(whyForked()).toEqual(isThere ? null : expect.any(String));
});

describe.skipIf(whyForked() !== null)('without a fork', () => {
  it('leaves the page tables alone: one call creates it, and node hears nothing of it', async () => {
    const found = library.libc();
    if (!('functions' in found)) throw new Error('it was found a moment ago');
    const posixSpawn = vi.spyOn(found.functions, 'posix_spawn');
    await run(request('exit 0'));
    expect(posixSpawn).toHaveBeenCalledTimes(1);
  });

  it('tells at once why there is none', () => {
    expect(failureOf(request('exit 0', { argv: ['/nowhere/sh'] }))).toBe('ENOENT');
    expect(failureOf(request('exit 0', { workingDirectory: join(directory, 'none') }))).toBe('ENOENT');
    fs.writeFileSync(join(directory, 'plain'), '');
    expect(failureOf(request('exit 0', { workingDirectory: join(directory, 'plain') }))).toBe('ENOTDIR');
    expect(failureOf(request('exit 0', { argv: [join(directory, 'plain')] }))).toBe('EACCES');
    expect(failureOf(request('exit 0', { argv: ['/bin/sh', 'x'.repeat(4e6)] }))).toBe('E2BIG');
  });

  it('leaves no descriptor behind, whether it came to be or not', async () => {
    const open = () => fs.readdirSync('/proc/self/fd').length;
    await run(request('echo a >&2', { isHeard: true }));
    const before = open();
    for (let round = 0; round < 20; round++) {
      await run(request('echo a >&2', { isHeard: true }));
      failureOf(request('exit 0', { argv: ['/nowhere/sh'], isHeard: true }));
    }
    expect(open()).toBe(before);
  });

  it('hears of many ends at once, and leaves those that node waits for to node', async () => {
    const NUMBER = 40;
    const gate = join(directory, 'gate');
    execFileSync('mkfifo', [gate]);
    opened.push(fs.openSync(gate, 'r+'));
    // Each takes one line of many that are written at once.
    const lines = `read -r line < ${gate};`;
    const own = Array.from({ length: NUMBER }, (_, at) => run(request(`${lines} exit ${at}`)));
    const others = Array.from({ length: NUMBER }, (_, at) => {
      const child = spawn('/bin/sh', ['-c', `${lines} exit ${at}`]);
      return new Promise<number | null>((resolve) => child.on('exit', resolve));
    });
    fs.writeFileSync(gate, '\n'.repeat(2 * NUMBER));
    const wanted = Array.from({ length: NUMBER }, (_, at) => at);
    expect((await Promise.all(own)).map(({ code }) => code)).toEqual(wanted);
    expect(await Promise.all(others)).toEqual(wanted);
    const zombies = fs.readdirSync('/proc').filter((pid) => {
      try {
        const [state, parent] = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
        return state === 'Z' && Number(parent) === process.pid;
      } catch {
        return false;
      }
    });
    expect(zombies).toEqual([]);
  });

  it('takes what C could not be told for nothing of its own', () => {
    expect(() => failureOf(request('exit 0', { environment: { A: 'b\0c' } }))).toThrow(/null bytes/);
    expect(() => failureOf(request('exit 0', { argv: ['/bin/sh', '-c', 'exit\0 1'] }))).toThrow(/null bytes/);
  });
});

describe.each(['without a fork', 'with one, by node'])('a process created %s', (way) => {
  beforeEach(() => {
    if (way === 'without a fork') return;
    vi.spyOn(library, 'libc').mockReturnValue({ missing: 'on trial' });
    expect(whyForked()).toBe('on trial');
  });

  it.each([0, 3, 124, 255])('tells that it has exited with %s', async (code) => {
    expect(await run(request(`exit ${code}`))).toMatchObject({ code, signal: null, said: '' });
  });

  it.each([9, 15, 6, 11, 29])('tells that signal %s has ended it', async (signal) => {
    expect(await run(request(`kill -${signal} $$`))).toMatchObject({ code: null, signal });
  });

  it('is heard until it has said all, also by those that it leaves behind', async () => {
    const script = 'echo first >&2; (sleep 0.2; echo last >&2) & exit 4';
    expect(await run(request(script, { isHeard: true }))).toMatchObject({
      code: 4,
      said: 'first\nlast\n',
    });
  });

  it('is heard up to a limit, and not held up beyond it', async () => {
    const { code, said } = await run(
      request('dd if=/dev/zero bs=1000 count=1000 2> /dev/null >&2', { isHeard: true }),
    );
    expect(code).toBe(0);
    expect(said.length).toBeLessThan(200_000);
  });

  it('has the descriptors that it was given, by their numbers, and no other', async () => {
    const out = file('out');
    const fifth = file('fifth');
    const script = 'ls -l /proc/$$/fd; echo five >&5; echo two >&2';
    await run(request(script, { descriptors: ['null', out, out, undefined, undefined, fifth] }));
    const links = [...written('out').matchAll(/ (\d+) -> (.*)$/gm)].map(([, fd, to]) => [fd, to]);
    // Whoever runs the tests may have left some open.
    const inherited = inheritedDescriptors().map(String);
    expect(links.filter(([fd = '']) => !inherited.includes(fd))).toEqual([
      ['0', '/dev/null'],
      ['1', join(directory, 'out')],
      ['2', join(directory, 'out')],
      ['5', join(directory, 'fifth')],
    ]);
    expect(written('fifth')).toBe('five\n');
    expect(written('out')).toMatch(/two\n$/);
  });

  it('has /dev/null to read from, and to write to, where it was given nothing else', async () => {
    const out = file('out');
    const script = 'read -r line; cat /proc/$$/fdinfo/0 /proc/$$/fdinfo/2; echo lost >&2';
    expect(await run(request(script, { descriptors: ['null', out, 'null'] }))).toMatchObject({ code: 0 });
    const modes = [...written('out').matchAll(/^flags:\s*([0-7]+)$/gm)].map(
      ([, each = '']) => parseInt(each, 8) & 3,
    );
    expect(modes).toEqual([fs.constants.O_RDONLY, fs.constants.O_RDWR]);
  });

  it('has standard streams that block, however they were opened, and the others as they were', async () => {
    const { O_WRONLY, O_CREAT, O_APPEND, O_NONBLOCK } = fs.constants;
    const openFile = (name: string) => {
      const fd = fs.openSync(join(directory, name), O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK);
      opened.push(fd);
      return fd;
    };
    const out = openFile('out');
    const descriptors = ['null', out, out, openFile('other')] as const;
    await run(request('cd /proc/$$/fdinfo; cat 1 2 3', { descriptors }));
    const flags = [...written('out').matchAll(/^flags:\s*([0-7]+)$/gm)].map(([, each = '']) =>
      parseInt(each, 8),
    );
    expect(flags.map((each) => [each & O_NONBLOCK, each & O_APPEND])).toEqual([
      [0, O_APPEND],
      [0, O_APPEND],
      [O_NONBLOCK, O_APPEND],
    ]);
  });

  it('has them also where the number of one is that of another of ours', async () => {
    const out = file('out');
    const other = file('other');
    const descriptors: (number | 'null' | undefined)[] = ['null', out, 'null'];
    descriptors[out] = other;
    descriptors[out + 1] = out;
    await run(request('ls -l /proc/$$/fd', { descriptors: Array.from(descriptors) }));
    const links = [...written('out').matchAll(/ (\d+) -> (.*)$/gm)].map(([, fd, to]) => [fd, to]);
    expect(links).toContainEqual([String(out), join(directory, 'other')]);
    expect(links).toContainEqual([String(out + 1), join(directory, 'out')]);
  });

  it('is the leader of a session, ignores and blocks no signal, and has the directory and variables given', async () => {
    // node itself ignores SIGPIPE.
    const script = "grep -E '^(Sig(Blk|Ign)|NSsid)' /proc/self/status; pwd; cat /proc/self/environ";
    const { pid } = await run(
      request(`exec sh -c "${script}"`, {
        environment: { PATH: '/usr/bin:/bin', A: 'ä b', B: '' },
        descriptors: ['null', file('out'), 'null'],
      }),
    );
    const text = written('out');
    expect(text).toContain(`NSsid:\t${pid}\n`);
    for (const mask of ['SigBlk', 'SigIgn']) expect(text).toContain(`${mask}:\t${'0'.repeat(16)}\n`);
    expect(text).toContain(`\n${directory}\n`);
    expect(
      text
        .split('\n')
        .at(-1)
        ?.split('\0')
        .filter((each) => /^[AB]=/.test(each)),
    ).toEqual(['A=ä b', 'B=']);
  });

  it('is not spoken of when it was released', async () => {
    const ended = vi.fn();
    const made = createProcess(request('exit 0'), ended);
    if (!('pid' in made)) throw new Error('not created');
    made.release();
    await expect.poll(() => fs.existsSync(`/proc/${made.pid}`)).toBe(false);
    await run(request('exit 0'));
    expect(ended).not.toHaveBeenCalled();
  });

  it('may be created by many in a row, each told of by itself', async () => {
    const all = await Promise.all(Array.from({ length: 200 }, (_, at) => run(request(`exit ${at}`))));
    expect(all.map(({ code }) => code)).toEqual(all.map((_, at) => at));
    expect(new Set(all.map(({ pid }) => pid)).size).toBe(200);
  });
});
