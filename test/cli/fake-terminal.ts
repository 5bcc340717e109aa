/** A twin of the terminal: what is written is kept, keys and Ctrl-C come from the test, time passes by sleeping. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Screen, Terminal } from '../../src/cli/terminal.ts';

export interface FakeTerminal extends Terminal {
  readonly out: () => string;
  readonly err: () => string;
  press(key: string): void;
  /** The window has this size from now on. */
  resize(screen: Screen): void;
  interrupt(): void;
}

export interface FakeTerminalOptions {
  readonly screen?: Screen;
  readonly progressColumns?: number;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly directory?: string;
  readonly uid?: number;
  /** The descriptor that stdout is. */
  readonly output?: number;
}

/** 2026-01-01T00:00:00Z: where the clock of every test begins. */
export const NOW = Date.UTC(2026, 0, 1);

export function fakeTerminal(options: FakeTerminalOptions = {}): FakeTerminal {
  let out = '';
  let err = '';
  let now = NOW;
  let screen = options.screen ?? null;
  const listeners = new Set<(key: string) => void>();
  const watchers = new Set<() => void>();
  const interruption = new AbortController();
  return {
    write: (text) => {
      out += text;
    },
    output: options.output ?? null,
    complain: (text) => {
      err += text;
    },
    screen: () => screen,
    progressColumns: () => options.progressColumns ?? null,
    onKey: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    onResize: (listener) => {
      watchers.add(listener);
      return () => void watchers.delete(listener);
    },
    now: () => now,
    sleep: async (milliseconds, cancel) => {
      await turn();
      if (!cancel?.aborted && !interruption.signal.aborted) now += milliseconds;
    },
    interrupted: interruption.signal,
    endItself: () => {},
    endWithReader: () => {},
    daemonProgram: ['/nowhere/processmaster.js'],
    environment: options.environment ?? {},
    directory: options.directory ?? '/',
    user: { name: 'bob', uid: options.uid ?? 1000 },
    out: () => out,
    err: () => err,
    press: (key) => {
      for (const listener of listeners) listener(key);
    },
    resize: (size) => {
      screen = size;
      for (const watcher of watchers) watcher();
    },
    interrupt: () => interruption.abort(),
  };
}
