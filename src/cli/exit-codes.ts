/** Which exit codes does pmctl have, and what does each tell a script? */

/** Every exit code with its one sentence; `docs/cli.md` lists them all and a test compares the two. */
export const EXIT_CODES = {
  fine: { code: 0, meaning: 'Fine.' },
  error: { code: 1, meaning: 'An error; also: the configuration has errors, or a wait ran out of time.' },
  changes: { code: 2, meaning: 'Changes are pending (`diff`).' },
  unknownService: {
    code: 3,
    meaning: 'A service (or log file, or instance) of that name is not known; nothing was done.',
  },
  stalePlan: {
    code: 4,
    meaning: 'The saved plan is stale: what it was made from has changed since; nothing was done.',
  },
  partly: { code: 5, meaning: 'Partly done: some of the services or changes failed.' },
  guarded: { code: 6, meaning: 'Refused by the prune guard; `pmctl update --prune` confirms the removal.' },
  noDaemon: { code: 7, meaning: 'No daemon listens at the socket.' },
  usage: { code: 64, meaning: 'Wrong usage: an unknown command or option, or a value that cannot be read.' },
  interrupted: { code: 130, meaning: 'Interrupted by Ctrl-C.' },
} as const satisfies Record<string, { readonly code: number; readonly meaning: string }>;

export type Exit = keyof typeof EXIT_CODES;
