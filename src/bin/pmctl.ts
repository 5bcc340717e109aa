/** The program pmctl: argv and exit code. */
import { fileURLToPath } from 'node:url';
import { DAEMON_FLAGS } from '../cli/daemon-flags.ts';
import { internalError } from '../cli/internal-error.ts';
import { pmctl } from '../cli/pmctl.ts';
import { processTerminal } from '../cli/terminal.ts';

const argv = process.argv.slice(2);
const interrupt = new AbortController();
let endsItself = false;
let signalled: number | undefined;
let endsWithReader = false;
let hasReader = true;

/** 128 and the number of the signal, as shells count (signal(7)). */
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.on(signal, () => {
    const again = signalled !== undefined;
    signalled ??= code;
    // Whoever listens gives the terminal back as it was before this call returns.
    interrupt.abort();
    if (again || !endsItself) process.exit(signalled);
  });
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') {
    hasReader = false;
    // `pmctl logs | head`: whoever reads has seen enough. `pmctl check | true` still says by its code what was wrong.
    if (endsWithReader) readerGone();
    return;
  }
  process.stderr.write(`pmctl: cannot write the output: ${error.code ?? error.message}\n`);
  process.exit(1);
});
process.stderr.on('error', () => {
  // Nobody is left who could be told.
});

/** What has something to do before its end does so as when it is interrupted. */
function readerGone(): void {
  if (!endsItself) process.exit(0);
  signalled ??= 0;
  interrupt.abort();
}

const terminal = processTerminal({
  interrupted: interrupt.signal,
  endItself: () => {
    endsItself = true;
  },
  endWithReader: () => {
    endsWithReader = true;
    if (!hasReader) readerGone();
  },
  daemonProgram: [
    process.execPath,
    ...DAEMON_FLAGS,
    fileURLToPath(new URL('processmaster.js', import.meta.url)),
  ],
});
// Not before it has what it tells by: until then Node tells.
process.on('uncaughtException', (error) => {
  // A screen that is taken is given back before anything is said.
  interrupt.abort();
  process.exit(internalError(error, argv, terminal));
});
void pmctl(argv, terminal).then((exit) => {
  process.exitCode = signalled ?? exit;
});
