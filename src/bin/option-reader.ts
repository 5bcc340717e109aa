/** What does an option say, on the command line or else in the environment? */
import { resolve } from 'node:path';

const TRUE = ['1', 'true', 'yes', 'on'];
const FALSE = ['0', 'false', 'no', 'off'];

/** Reads options by name (`respawn-delay-ms`), and collects what is wrong with them. */
export class OptionReader {
  readonly mistakes: string[] = [];
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #prefix: string;

  /**
   * @param values as commander tells them: texts by name in camel case
   * @param prefix of the variables that stand for options
   */
  constructor(
    values: Readonly<Record<string, unknown>>,
    env: Readonly<Record<string, string | undefined>>,
    prefix: string,
  ) {
    this.#values = values;
    this.#env = env;
    this.#prefix = prefix;
  }

  refuse(sentence: string): void {
    this.mistakes.push(sentence);
  }

  /** On the command line only. */
  line(name: string): string | undefined {
    const { [camelCase(name)]: value, [camelCase(name.replace(/^no-/, ''))]: opposite } = this.#values;
    if (name.startsWith('no-') && opposite === false) return 'true';
    if (value === true) return 'true';
    return typeof value === 'string' ? value : undefined;
  }

  /** Line over environment; an empty variable counts as not set. */
  text(name: string): string | undefined {
    const said = this.line(name) ?? (this.#env[this.#variable(name)] || undefined);
    if (said === '') this.refuse(`--${name}: must not be empty`);
    return said;
  }

  /** A whole number from `least` to `most`. */
  number(name: string, otherwise: number, least: number, most: number): number {
    const text = this.text(name)?.trim();
    if (text === undefined) return otherwise;
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    this.refuse(
      `${this.#source(name)}: must be a whole number from ${least} to ${most}, not ${JSON.stringify(text)}`,
    );
    return otherwise;
  }

  yes(name: string, otherwise: boolean): boolean {
    const text = this.text(name)?.trim().toLowerCase();
    if (text === undefined) return otherwise;
    if (!TRUE.includes(text) && !FALSE.includes(text)) {
      this.refuse(`${this.#source(name)}: must be yes or no, not ${JSON.stringify(text)}`);
    }
    return TRUE.includes(text);
  }

  /** Absolute; null when it is not told. */
  path(name: string, cwd: string): string | null {
    const text = this.text(name);
    return text === undefined ? null : resolve(cwd, text);
  }

  /** `NAME=VALUE`, repeated; on the command line only. */
  variables(name: string): Readonly<Record<string, string>> {
    const texts = this.#values[camelCase(name)];
    const pairs = (Array.isArray(texts) ? texts.map(String) : []).map((text) => {
      const pair = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(text);
      if (pair === null) this.refuse(`--${name}: must be NAME=VALUE, not ${JSON.stringify(text)}`);
      return [pair?.[1] ?? '', pair?.[2] ?? ''];
    });
    return Object.fromEntries(pairs);
  }

  #source(name: string): string {
    return this.line(name) === undefined ? this.#variable(name) : `--${name}`;
  }

  #variable(name: string): string {
    return this.#prefix + name.replaceAll('-', '_').toUpperCase();
  }
}

function camelCase(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
