/** Are the declarations of several modules written into one text, and is nothing passed over in silence? */
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
// @ts-expect-error: part of the build, without types
import { rollUp } from '../../scripts/build/declarations.mjs';

function rolledUp(modules: Readonly<Record<string, string>>): string {
  const directory = fs.mkdtempSync(join(os.tmpdir(), 'pmdecl-'));
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
  for (const [name, text] of Object.entries(modules)) fs.writeFileSync(join(directory, `${name}.d.ts`), text);
  return rollUp(join(directory, 'entry.d.ts'));
}

describe('rollUp', () => {
  it('exports what the entry exports, and declares what that mentions, with its comments', () => {
    const text = rolledUp({
      entry: "/** Which? */\nexport type { A } from './a.ts';\nexport { make } from './a.ts';\n",
      a: [
        "import type { B } from './b.ts';",
        '/** A thing. */',
        'export interface A {',
        '    readonly b: B;',
        '}',
        'export interface Unused {',
        '}',
        'export declare function make(a: A): void;',
        'export declare function make(a: string): void;',
        '',
      ].join('\n'),
      b: "export type B = {\n    readonly is: 'one';\n}\n/** The other one. */\n | {\n    readonly is: C;\n};\ntype C = 'c';\n",
    });
    expect(text).toContain('/** A thing. */\nexport interface A {\n    readonly b: B;\n}');
    expect(text).toContain("\ntype B = {\n    readonly is: 'one';\n}\n/** The other one. */\n | {");
    expect(text).toContain("\ntype C = 'c';");
    expect(text.match(/^export declare function make/gm)).toHaveLength(2);
    expect(text).not.toContain('Unused');
    expect(text).not.toContain('import');
  });

  it('refuses two declarations of one name', () => {
    const modules = {
      entry: "export type { A } from './a.ts';\nexport type { B } from './b.ts';\n",
      a: 'interface Same {\n}\nexport interface A extends Same {\n}\n',
      b: 'interface Same {\n}\nexport interface B extends Same {\n}\n',
    };
    expect(() => rolledUp(modules)).toThrow(/two declarations are called Same/);
  });

  it.each([
    ["import type { X as Y } from './x.ts';\nexport type A = Y;\n", /renames/],
    ["import type { Server } from 'node:http';\nexport type A = Server;\n", /imports from node:http/],
    ["export type A = import('./x.ts').X;\n", /import\(/],
    ['export default A;\n', /another kind/],
  ])('refuses what it does not know: %j', (a, message) => {
    expect(() => rolledUp({ entry: "export type { A } from './a.ts';\n", a })).toThrow(message);
  });
});
