/** The program pmctl: argv and exit code. */
import { pmctl } from '../cli/pmctl.ts';
import { processTerminal } from '../cli/terminal.ts';

const interrupt = new AbortController();

/** 128 and the number of the signal, as shells count (signal(7)). */
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.once(signal, () => {
    // Whoever listens gives the terminal back as it was before this call returns.
    interrupt.abort();
    process.exit(code);
  });
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // `pmctl logs | head`: whoever reads has seen enough.
  if (error.code === 'EPIPE') process.exit(0);
  process.stderr.write(`pmctl: cannot write the output: ${error.code ?? error.message}\n`);
  process.exit(1);
});
process.stderr.on('error', () => {
  // Nobody is left who could be told.
});

process.exitCode = await pmctl(process.argv.slice(2), processTerminal(interrupt.signal));
