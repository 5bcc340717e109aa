/** What do the test and the agent in its machine say to each other? A line of JSON each. */

export type Request = { readonly id: number } & Order;

export type Order =
  /** Answers a {@link Ran} when the program and everybody who has its output have ended. */
  | { readonly op: 'run'; readonly argv: readonly string[]; readonly input?: string }
  /** Answers the pid; output is added to the file; in the cgroup of that directory. */
  | {
      readonly op: 'start';
      readonly argv: readonly string[];
      readonly output: string;
      readonly cgroup?: string;
    }
  | {
      readonly op: 'ask';
      readonly socket: string;
      readonly method: string;
      readonly path: string;
      readonly body?: unknown;
    }
  | { readonly op: 'read'; readonly path: string }
  | {
      readonly op: 'write';
      readonly path: string;
      readonly text: string;
      readonly how: 'in place' | 'replaced';
      readonly mode?: number;
    }
  /** Answers {@link LogLines}, of the log and its rotated files. */
  | { readonly op: 'lines'; readonly directory: string; readonly base: string }
  /** Answers the files of JSON below it that are none. */
  | { readonly op: 'torn'; readonly directory: string }
  /** What the first process of the machine executes from now on. */
  | { readonly op: 'become'; readonly argv: readonly string[] };

/** `id` 0: the agent has come up. Below 0: the program of that pid, which was started before, has ended. */
export type Response = { readonly id: number } & ({ readonly answer: unknown } | { readonly error: string });

export interface Ran {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}
