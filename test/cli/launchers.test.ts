import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';

const BIN = fileURLToPath(new URL('../../bin', import.meta.url));

/** A checkout whose programs print how they were called and end with 7. */
function checkout(options: { built: boolean }): string {
  const root = mkdtempSync(join(tmpdir(), 'launch er-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  cpSync(BIN, join(root, 'bin'), { recursive: true });
  if (!options.built) return root;
  mkdirSync(join(root, 'dist'));
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  for (const name of ['pmctl', 'processmaster']) {
    const program = `console.log(${JSON.stringify(name)}, JSON.stringify(process.argv.slice(2))); process.exit(7);`;
    writeFileSync(join(root, 'dist', `${name}.js`), program);
  }
  return root;
}

function call(file: string, args: readonly string[], cwd?: string) {
  return new Promise<{ code: unknown; out: string; err: string }>((resolve) => {
    execFile(file, args, { ...(cwd === undefined ? {} : { cwd }) }, (error, out, err) => {
      resolve({ code: error?.code ?? 0, out, err });
    });
  });
}

describe.each(['pmctl', 'processmaster'])('bin/%s', (name) => {
  const said = `${name} ["a b","","--x=*"]\n`;
  const args = ['a b', '', '--x=*'];

  test('runs the program that was built beside it, with its arguments and exit code', async () => {
    const root = checkout({ built: true });
    expect(await call(join(root, 'bin', name), args)).toEqual({ code: 7, out: said, err: '' });
    expect(await call(`./${name}`, args, join(root, 'bin'))).toEqual({ code: 7, out: said, err: '' });
  });

  test('is found through a chain of symbolic links', async () => {
    const root = checkout({ built: true });
    mkdirSync(join(root, 'links'));
    symlinkSync(join('..', 'bin', name), join(root, 'links', 'relative'));
    symlinkSync(join(root, 'links', 'relative'), join(root, 'absolute'));
    expect(await call(join(root, 'links', 'relative'), args)).toEqual({ code: 7, out: said, err: '' });
    expect(await call(join(root, 'absolute'), args)).toEqual({ code: 7, out: said, err: '' });
  });

  test('is found through links to its directory and to those above it', async () => {
    const root = checkout({ built: true });
    mkdirSync(join(root, 'far/links/target'), { recursive: true });
    mkdirSync(join(root, 'far/away'));
    symlinkSync(join(root, 'bin'), join(root, 'far/links/programs'));
    symlinkSync('../..', join(root, 'far/links/above'));
    symlinkSync(join(root, 'far/links'), join(root, 'far/away/linked'));
    // As npm writes it: relative to a directory that is reached by a link.
    symlinkSync(join('../..', 'bin', name), join(root, 'far/links', name));
    const expected = { code: 7, out: said, err: '' };
    for (const place of [
      'far/links/programs',
      'far/links/programs/.',
      'far/links/programs/',
      'far/links/above/bin',
      'far/away/linked/programs',
      'far/away/linked/../links/programs',
      'far/away/linked',
      'far/away/linked/target/../../../bin',
    ]) {
      expect([place, await call(`${root}/${place}/${name}`, args)]).toEqual([place, expected]);
    }
    const cwd = join(root, 'far/away');
    expect(await call(`linked/programs/${name}`, args, cwd)).toEqual(expected);
    expect(await call(`./linked/above/bin/${name}`, args, cwd)).toEqual(expected);
    expect(await call(`../../bin/${name}`, args, cwd)).toEqual(expected);
  });

  test('says how to build what is not built', async () => {
    const root = checkout({ built: false });
    const { code, out, err } = await call(join(root, 'bin', name), args);
    expect(err).toBe(`${name}: not built yet; run in ${root}: npm install && npm run build\n`);
    expect(out).toBe('');
    expect(code).toBe(1);
  });
});
