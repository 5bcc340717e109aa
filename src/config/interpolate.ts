/** What do `${name}`, `${port}`, `${env:VAR}`, `${vars.x}` in a service file stand for? */

import { nearest } from '../model/nearest.ts';
import type { Problem } from '../model/problem.ts';
import { START_VARIABLES, type StartVariable, type TemplatePart, writeTemplate } from '../model/template.ts';
import { SERVICE_DEFAULTS } from './generated/defaults.ts';
import { counterparts, type KeyNode, mapScalars, SERVICE_TREE } from './key-tree.ts';
import { isVariable, type Origin, type Path, problemAt, type RawMap } from './raw-tree.ts';

export interface Variables {
  readonly name: string;
  /** null: the service has none; `auto`: it is known only when a process starts. */
  readonly port: number | 'auto' | null;
  /** The environment of the daemon. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly vars: Readonly<Record<string, string>>;
}

/** Fields in the notation of model/template.ts: only they may name what is known at start. */
const TEMPLATES = new Set([
  'process.command',
  'process.args',
  'process.working_directory',
  'process.env.*',
  'process.stop_command',
  'process.reload_command',
  ...['startup', 'readiness', 'liveness'].flatMap((kind) =>
    ['exec', 'tcp.host', 'tcp.port', 'http.url', 'http.path', 'http.port', 'http.headers.*'].map(
      (key) => `probes.${kind}.${key}`,
    ),
  ),
  ...['pre_start', 'post_start', 'pre_stop', 'post_stop'].map((hook) => `hooks.${hook}.command`),
  'logs.stdout',
  'logs.stderr',
]);

/** A log outlives generations and ports; a file for each instance can be told before one of them starts. */
const LOG_VARIABLE: StartVariable = 'instance';

/** They name no variables. */
const DEFAULTS = counterparts(SERVICE_DEFAULTS, SERVICE_DEFAULTS);

const LITERAL = 'write $${ for the characters ${';

/** `$${`, `${…}` or a `${` that is never closed. */
const PIECE = /\$\$\{|\$\{([^}]*)(\}?)/g;

/**
 * The tree with every text filled in. Afterwards the template fields are templates for `fillIn`; all other texts stand
 * for themselves.
 */
export function interpolate(
  tree: RawMap,
  variables: Variables,
  origin: Origin,
): { readonly tree: RawMap; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const fill = (value: string | number | boolean, node: KeyNode, path: Path): unknown => {
    if (typeof value !== 'string' || !value.includes('${')) return value;
    const read = readParts(value, variables);
    if ('says' in read) {
      const said = isVariable(path) ? (read.unquoted ?? read) : read;
      problems.push(refusal(origin, path, said.says, said.hint));
      return value;
    }
    const late = read.parts.flatMap((part) => ('variable' in part ? [part.variable] : []));
    if (path[0] === 'logs' && TEMPLATES.has(node.pattern)) {
      const unfit = late.find((name) => name !== LOG_VARIABLE);
      if (unfit === undefined) return writeTemplate(read.parts);
      const hint = `only \${name}, \${instance}, \${env:…} and \${vars.…} can`;
      problems.push(refusal(origin, path, `\${${unfit}} cannot name a log file`, hint));
      return value;
    }
    if (TEMPLATES.has(node.pattern)) return writeTemplate(read.parts);
    const [variable] = late;
    if (variable === undefined) return read.parts.map((part) => ('text' in part ? part.text : '')).join('');
    const fields = [...TEMPLATES].flatMap((field) => {
      return field.startsWith('process.') ? [field.replace('process.', '').replace('.*', '')] : [];
    });
    const says = `\${${variable}} is known only when a process starts`;
    problems.push(
      refusal(origin, path, says, `it can be used in ${fields.join(', ')}, and in probes and hooks`),
    );
    return value;
  };
  return { tree: mapScalars(tree, SERVICE_TREE, fill, DEFAULTS) as RawMap, problems };
}

interface Sentence {
  readonly says: string;
  readonly hint: string;
}

interface Misfit extends Sentence {
  /** The same without the words of the text, where those may be anything: perhaps a part of a password. */
  readonly unquoted?: Sentence;
}

type Parts = { readonly parts: readonly TemplatePart[] } | Misfit;

/** A text in pieces: what is known now has become text, what is known at start has stayed a variable. */
export function readParts(text: string, variables: Variables): Parts {
  const parts: TemplatePart[] = [];
  let end = 0;
  for (const match of text.matchAll(PIECE)) {
    parts.push({ text: text.slice(end, match.index) });
    end = match.index + match[0].length;
    const [whole, name, close] = match;
    if (whole === '$${') {
      parts.push({ text: '${' });
    } else if (close === '' || name === undefined) {
      return { says: 'a ${ without its }', hint: LITERAL };
    } else {
      const value = variableValue(name.trim(), variables);
      if (typeof value === 'object' && 'says' in value) return value;
      parts.push(typeof value === 'string' ? { text: value } : value);
    }
  }
  parts.push({ text: text.slice(end) });
  return { parts };
}

function variableValue(
  name: string,
  { port, env, vars, ...known }: Variables,
): string | { readonly variable: StartVariable } | Misfit {
  const start = START_VARIABLES.find((variable) => variable === name);
  if (start !== undefined && (start !== 'port' || port === 'auto')) return { variable: start };
  if (name === 'name') return known.name;
  if (name === 'port') {
    return port === null ? { says: '${port} is not known', hint: 'give the service a port:' } : String(port);
  }
  if (name.startsWith('env:')) return fromEnvironment(name.slice('env:'.length), env);
  const key = /^vars\.(.*)$/.exec(name)?.[1];
  if (key !== undefined && Object.hasOwn(vars, key)) return vars[key] ?? '';
  return unknown(name, Object.keys(vars), env);
}

function fromEnvironment(name: string, env: Variables['env']): string | Misfit {
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  if (value !== undefined && !value.includes('\0')) return value;
  return { says: `\${env:${name}} is not set`, hint: 'it is taken from the environment of the daemon' };
}

function unknown(name: string, vars: readonly string[], env: Variables['env']): Misfit {
  const known = ['name', 'instance', 'generation', 'port', ...vars.map((key) => `vars.${key}`)];
  const cut = name.length > 60 ? `${name.slice(0, 57)}...` : name;
  const says = `no variable \${${cut}}`;
  const near = nearest(name, known);
  if (near !== undefined) return { says, hint: `did you mean \${${near}}?` };
  if (vars.includes(name)) return { says, hint: `did you mean \${vars.${name}}?` };
  if (Object.hasOwn(env, name)) {
    return {
      says,
      hint: `write \${env:${name}} for the daemon's variable, $\${${name}} to leave it to a shell`,
    };
  }
  // Nobody hides a password in `${vars.…}`.
  if (name.startsWith('vars.'))
    return { says, hint: 'vars are in the master file, which a daemon reads at its start' };
  return { says, hint: `write $\${${cut}} to leave it to a shell`, unquoted: UNKNOWN };
}

const UNKNOWN: Sentence = { says: 'no variable has the name in ${…}', hint: LITERAL };

function refusal(origin: Origin, path: Path, says: string, hint: string): Problem {
  return problemAt(origin, path, { code: 'variable-unknown', says, hint });
}
