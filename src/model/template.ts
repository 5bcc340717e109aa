/** How are `${instance}`, `${generation}` and `${port}`, known only when a process starts, written down until then? */

/** What is known at start. */
export interface StartValues {
  /** 0-based. */
  readonly instance: number;
  readonly generation: number;
  /** The port of this run; null or absent for a service without one, in whose definition no `${port}` is left. */
  readonly port?: number | null;
}

/** The variables that stay in a definition until a process starts. */
export const START_VARIABLES = ['instance', 'generation', 'port'] as const;
export type StartVariable = (typeof START_VARIABLES)[number];

/** A template in pieces: text that stands for itself, and variables. */
export type TemplatePart = { readonly text: string } | { readonly variable: StartVariable };

const PIECE = /\$(\$\{|\{(instance|generation|port|\$)\})/g;

/**
 * The text that a process gets. Fields of a definition in this notation: process.command, args, working_directory,
 * stop_command, reload_command, the plain values of env, the commands of hooks and exec probes, the texts of http and
 * tcp probes, logs.stdout and logs.stderr. `$${` is a literal `${`, `${$}` a literal `$`; everything else that is no
 * start variable stands for itself.
 */
export function fillIn(template: string, values: StartValues): string {
  if (!template.includes('$')) return template;
  return template.replace(PIECE, (piece, inner: string, name: string | undefined) => {
    if (inner === '${') return '${';
    if (name === '$') return '$';
    if (name === 'port') return values.port == null ? piece : String(values.port);
    return String(name === 'instance' ? values.instance : values.generation);
  });
}

/** The inverse of reading: pieces to a template from which {@link fillIn} makes exactly these pieces. */
export function writeTemplate(parts: readonly TemplatePart[]): string {
  let written = '';
  let literal = '';
  for (const part of parts) {
    if ('text' in part) {
      literal += part.text;
    } else {
      written += `${escapeLiteral(literal, true)}\${${part.variable}}`;
      literal = '';
    }
  }
  return written + escapeLiteral(literal, false);
}

/** True when a start variable is left in it. */
export function needsStart(template: string): boolean {
  if (!template.includes('${')) return false;
  return START_VARIABLES.some((name) => fillIn(template, MARK) !== fillIn(template, { ...MARK, [name]: -2 }));
}

const MARK: StartValues = { instance: -1, generation: -1, port: -1 };

/** Each `$` at the end would turn the `${` behind it into a literal. */
function escapeLiteral(text: string, beforeVariable: boolean): string {
  const escaped = text.replaceAll('${', () => '$${');
  return beforeVariable ? escaped.replace(/\$+$/, (run) => '${$}'.repeat(run.length)) : escaped;
}
