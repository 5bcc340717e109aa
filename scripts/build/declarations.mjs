// Writes the declarations of one module, and of everything that they mention, into one text. It relies on how tsc
// writes declarations and on what our sources do; whatever it does not know is an error and not a wrong declaration.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * @param entry path of a `.d.ts` file that only exports from others
 * @returns what the entry exports is exported; what it mentions is declared
 */
export function rollUp(entry) {
  const modules = new Map();
  const load = (path) => {
    if (!modules.has(path)) {
      modules.set(path, undefined);
      modules.set(path, parse(path));
    }
    return modules.get(path);
  };
  const exported = new Map();
  for (const { names, from } of load(entry).exports) {
    for (const name of names) exported.set(name, resolveName(join(dirname(entry), from), name, load));
  }
  const chosen = new Map();
  const visit = ({ path, name }) => {
    const before = chosen.get(name);
    if (before !== undefined) {
      if (before.path !== path)
        throw new Error(`two declarations are called ${name}: ${before.path}, ${path}`);
      return;
    }
    const module = load(path);
    const texts = module.declared.get(name);
    if (texts === undefined) throw new Error(`${path} declares no ${name}`);
    chosen.set(name, { path, texts });
    const code = texts.join('').replace(/\/\*[\s\S]*?\*\//g, '');
    if (/\bimport\(/.test(code)) throw new Error(`${name} of ${path} has a type import(…)`);
    for (const word of new Set(code.match(/[A-Za-z_$][\w$]*/g) ?? [])) {
      if (word === name) continue;
      if (module.declared.has(word)) visit({ path, name: word });
      else if (module.imports.has(word)) visit(resolveName(module.imports.get(word), word, load));
    }
  };
  for (const place of exported.values()) visit(place);
  const written = [...chosen].flatMap(([name, { texts }]) =>
    texts.map((text) => commentFirst(exported.has(name) ? `export ${text}` : text)),
  );
  return `${written.join('\n')}\nexport {};\n`;
}

/** Through modules that only hand it on. */
function resolveName(path, name, load) {
  const module = load(path);
  if (module.declared.has(name)) return { path, name };
  if (module.imports.has(name)) return resolveName(module.imports.get(name), name, load);
  const again = module.exports.find(({ names, from }) => from !== undefined && names.includes(name));
  if (again !== undefined) return resolveName(join(dirname(path), again.from), name, load);
  throw new Error(`${path} has no ${name}`);
}

const DECLARATION =
  /^(?:export )?(?:declare )?(?:abstract )?(?:interface|type|class|function|const) ([A-Za-z_$][\w$]*)/;

function parse(file) {
  const path = file.replace(/\.ts$/, '').replace(/\.d$/, '');
  const declared = new Map();
  const imports = new Map();
  const exports = [];
  const text = readFileSync(`${path}.d.ts`, 'utf8');
  for (const statement of statements(text)) {
    const code = statement.replace(/^(?:\s*\/\*\*[\s\S]*?\*\/)*\s*/, '');
    if (code === '') continue;
    const link = /^(import|export) (?:type )?\{([^}]*)\}(?: from '([^']+)')?;$/.exec(code.trim());
    const name = DECLARATION.exec(code)?.[1];
    if (link !== null) {
      const [, kind, list, from] = link;
      const names = list.split(',').flatMap((each) => each.replace(/\btype\b/, '').trim() || []);
      if (names.some((each) => /\bas\b/.test(each))) throw new Error(`${path} renames: ${code}`);
      if (kind === 'export') exports.push({ names, from });
      else if (from.startsWith('.')) for (const each of names) imports.set(each, join(dirname(path), from));
      else throw new Error(`${path} imports from ${from}`);
    } else if (name !== undefined) {
      // Overloads are several statements of one name.
      const before = declared.get(name);
      const plain = statement.replace(/^((?:\s*\/\*\*[\s\S]*?\*\/)*\s*)export /, '$1');
      declared.set(name, [...(before ?? []), plain]);
    } else throw new Error(`${path} has a statement of another kind: ${code}`);
  }
  return { declared, imports, exports };
}

/** Each with the comments before it. tsc begins statements, and only these, at the margin. */
function statements(text) {
  const found = [];
  let inComment = false;
  let onlyComment = true;
  for (const line of text.split('\n')) {
    const begins = !inComment && /^(?:\/\*\*|[a-z])/.test(line);
    if (begins && !onlyComment) {
      found.push('');
      onlyComment = true;
    }
    if (found.length === 0) found.push('');
    found.push(`${found.pop()}${line}\n`);
    if (/^\/\*\*/.test(line)) inComment = true;
    if (inComment) {
      if (line.includes('*/')) inComment = false;
    } else if (line.trim() !== '') onlyComment = false;
  }
  // A comment within a union stands at the margin, too.
  const whole = [];
  for (const each of found) {
    const code = each.replace(/^(?:\s*\/\*\*[\s\S]*?\*\/)*\s*/, '');
    if (/^[|&]/.test(code) && whole.length > 0) whole.push(whole.pop() + each);
    else whole.push(each);
  }
  return whole;
}

/** `export` belongs before the declaration, and the comment before both. */
function commentFirst(text) {
  const match = /^export ((?:\s*\/\*\*[\s\S]*?\*\/)+\s*)([\s\S]*)$/.exec(text);
  const [comment, code] = match === null ? ['', text] : [match[1], `export ${match[2]}`];
  return `${comment}${code}`.trim();
}
