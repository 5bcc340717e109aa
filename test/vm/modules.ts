/** Which modules of the kernel are to be loaded, in which order? Each of them says what it needs. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';

/** Absolute paths, dependencies first. What is not there is built into the kernel. */
export function withDependencies(directory: string, names: readonly string[]): readonly string[] {
  const files = new Map(fs.readdirSync(directory).map((file) => [nameOf(file), join(directory, file)]));
  const order: string[] = [];
  const add = (name: string) => {
    const file = files.get(name);
    if (file === undefined || order.includes(plain(file))) return;
    const path = plain(file);
    for (const dependency of dependenciesOf(path)) add(dependency);
    order.push(path);
  };
  for (const name of names) add(name);
  return order;
}

/** In the kernel a dash and an underscore are the same here. */
function nameOf(file: string): string {
  return file.replace(/\.ko(\.xz)?$/, '').replaceAll('-', '_');
}

/** Newer releases compress them. */
function plain(path: string): string {
  if (!path.endsWith('.xz')) return path;
  const to = path.slice(0, -'.xz'.length);
  if (!fs.existsSync(to)) fs.writeFileSync(to, execFileSync('xz', ['-dc', path], { maxBuffer: 1 << 28 }));
  return to;
}

/** `depends=a,b` among its texts (modinfo(8)). */
function dependenciesOf(path: string): readonly string[] {
  const list = fs.readFileSync(path, 'latin1').match(/\0depends=([^\0]*)\0/)?.[1] ?? '';
  return list
    .split(',')
    .filter((name) => name !== '')
    .map((name) => name.replaceAll('-', '_'));
}
