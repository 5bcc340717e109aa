/** Do the examples of docs/library.md run, and do its types hold? Against the package as it was built. */

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { PackagePlace } from './package-place.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = fs.readFileSync(join(ROOT, 'docs/library.md'), 'utf8');

interface Example {
  readonly language: string;
  readonly title: string | undefined;
  readonly line: number;
  readonly text: string;
}

const EXAMPLES = [...PAGE.matchAll(/^```(js|ts)(?: title=(\S+))?\n([\s\S]*?)^```$/gm)].map(
  ({ 1: language = '', 2: title, 3: text = '', index }): Example => ({
    ...{ language, title, text },
    line: PAGE.slice(0, index).split('\n').length,
  }),
);

/** What each example prints, by the first words of a line that tell it apart. */
const SCRIPTS = EXAMPLES.filter(({ title }) => title === undefined);

describe('docs/library.md', () => {
  it('has examples of every kind', () => {
    expect(SCRIPTS.some(({ text }) => text.includes('require('))).toBe(true);
    expect(SCRIPTS.some(({ language }) => language === 'ts')).toBe(true);
    expect(SCRIPTS.length).toBeGreaterThan(6);
  });

  it.each(SCRIPTS)('the example in line $line runs to its end', async ({ language, text }) => {
    const place = new PackagePlace();
    for (const { title, text: content } of EXAMPLES) if (title !== undefined) place.write(title, content);
    place.write('package.json', '{ "type": "module" }');
    if (text.includes('connect')) await ensureDaemon(place);
    const { code } = language === 'ts' ? await transform(text, { loader: 'ts' }) : { code: text };
    const file = place.write(text.includes('require(') ? 'example.cjs' : 'example.mjs', code);
    const program = place.run(file);
    await program.over;
    expect({ code: program.child.exitCode, stderr: program.stderr }).toEqual({ code: 0, stderr: '' });
    if (text.includes('console.log(pid === still)')) expect(program.stdout).toBe('true\n');
    if (text.includes('memoryHeap')) expect(program.stdout).toMatch(/^[1-9]\d{5,}\n$/);
    if (text.includes('comand')) expect(program.stdout).toContain('process.comand');
  });

  it.each(['mts', 'cts'])('the types hold for a %s file of a strict project', (ending) => {
    const place = new PackagePlace();
    const typed = EXAMPLES.filter(({ language }) => language === 'ts').map(({ text }) => text);
    const wrong =
      '\nexport const wrong: number = await connect().stats();\nnew Processmaster({ services: { a: { process: {} } } });\n';
    const text = `${typed.join('\n')}${ending === 'mts' ? wrong : ''}`;
    // Only modules may await at their top level.
    const body = ending === 'mts' ? text : text.replace(/^await .*$|^console.*$/gm, '');
    fs.symlinkSync(join(ROOT, 'node_modules/@types'), join(place.directory, 'node_modules/@types'));
    place.write(`consumer.${ending}`, body);
    place.write(
      'tsconfig.json',
      JSON.stringify({
        compilerOptions: {
          ...{ module: 'nodenext', target: 'es2023', strict: true, noEmit: true, types: ['node'] },
          ...{ exactOptionalPropertyTypes: true, skipLibCheck: false, lib: ['es2023'] },
        },
        files: [`consumer.${ending}`],
      }),
    );
    const { stdout } = spawnSync(
      join(ROOT, 'node_modules/.bin/tsc'),
      ['-p', place.directory, '--pretty', 'false'],
      {
        encoding: 'utf8',
      },
    );
    const errors = stdout.split('\n').flatMap((line) => /error (TS\d+)/.exec(line)?.[1] ?? []);
    // Not assignable; a property is missing.
    expect({ errors, stdout }).toEqual({ errors: ending === 'mts' ? ['TS2322', 'TS2741'] : [], stdout });
  });
});

async function ensureDaemon(place: PackagePlace): Promise<void> {
  const program = place.run(
    place.write(
      'daemon.cjs',
      "require('processmaster').connect().ensureDaemon().then(({ pid }) => console.log(pid));\n",
    ),
  );
  await program.over;
  expect({ code: program.child.exitCode, stderr: program.stderr }).toEqual({ code: 0, stderr: '' });
}
