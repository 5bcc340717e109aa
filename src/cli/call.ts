/** What does a command get to work with, and what are the few things that every command does? */
import type { OnFailure } from '../api/changes.ts';
import type { LogStream, WaitRequest } from '../api/contract.ts';
import { safeJson, safeText } from '../model/terminal-safe.ts';
import type { Daemon } from './daemon.ts';
import type { Exit } from './exit-codes.ts';
import type { Paint } from './paint.ts';
import { isRefusal, type Refusal } from './refusal.ts';
import type { Order } from './stats-order.ts';
import type { Terminal } from './terminal.ts';

export type Goal = WaitRequest['for'];

/** Every option that some command has; the command table says which command takes which. */
export interface Options {
  readonly json?: boolean;
  readonly config?: string;
  readonly sock?: string;
  readonly url?: string;
  readonly tokenFile?: string;
  readonly caFile?: string;
  /** token: which one it is. */
  readonly role?: string;
  readonly file?: string;
  readonly watch?: boolean;
  readonly label?: readonly string[];
  readonly wait?: boolean;
  /** Milliseconds. */
  readonly timeout?: number;
  readonly prune?: boolean;
  readonly onFailure?: OnFailure;
  readonly out?: string;
  readonly message?: string;
  /** hold: milliseconds; wait: what for. */
  readonly for?: number | Goal;
  readonly lines?: number;
  readonly follow?: boolean;
  /** As they were typed: what time they mean depends on the time it is. */
  readonly since?: string;
  readonly until?: string;
  readonly grep?: string;
  readonly stream?: LogStream;
  readonly instance?: number;
  readonly stopServices?: boolean;
  readonly name?: string;
  readonly instances?: number | 'auto';
  readonly port?: number | 'auto';
  readonly env?: Readonly<Record<string, string>>;
  /** run: who runs it; install-unit: for the user alone. */
  readonly user?: string | boolean;
  readonly sort?: Order;
  readonly print?: boolean;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly cwd?: string;
  readonly schedule?: string;
  readonly dev?: boolean;
}

export interface Call {
  /** The arguments that are not options, in order. */
  readonly words: readonly string[];
  readonly options: Options;
  readonly terminal: Terminal;
  readonly paint: Paint;
  /**
   * Finds the socket; nothing is sent yet.
   * @param cancel ends what is asked of it; an interrupt unless said otherwise
   */
  daemon(cancel?: AbortSignal): Promise<Daemon | Refusal>;
}

export type Run = (call: Call) => Promise<Exit>;

/** Finds the daemon and asks it one question. */
export async function ask<View>(
  call: Call,
  question: (daemon: Daemon) => Promise<View | Refusal>,
): Promise<View | Refusal> {
  const daemon = await call.daemon();
  return isRefusal(daemon) ? daemon : question(daemon);
}

/** The same call, whose questions end when `cancel` does. */
export function cancelled(call: Call, cancel: AbortSignal): Call {
  return { ...call, daemon: () => call.daemon(cancel) };
}

/** As much of a call as it takes to say that it could not be carried out. */
export interface Refusing {
  readonly options: Pick<Options, 'json'>;
  readonly terminal: Pick<Terminal, 'write' | 'complain'>;
}

/** Says on stderr why it did not work; with `--json` also as an object on stdout, for programs. */
export function refuse(call: Refusing, { refused }: Refusal): Exit {
  const { code, message, exit } = refused;
  if (exit === 'interrupted') return exit;
  if (call.options.json) printJson(call, { error: { code, message } });
  call.terminal.complain(`pmctl: ${safeText(message)}\n`);
  return exit;
}

export function printJson(call: { readonly terminal: Pick<Terminal, 'write'> }, value: unknown): void {
  call.terminal.write(`${safeJson(value)}\n`);
}

export function printLines(call: Pick<Call, 'terminal'>, lines: readonly string[]): void {
  if (lines.length > 0) call.terminal.write(`${lines.join('\n')}\n`);
}

/** Columns of the terminal, or null when stdout is none and nothing need be cut. */
export function widthOf(call: Pick<Call, 'terminal'>): number | null {
  return call.terminal.screen()?.columns ?? null;
}
