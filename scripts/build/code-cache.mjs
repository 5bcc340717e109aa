// Runs the programs in DIR once, as users do, and keeps the code that V8 made of them. Argument: DIR. The services of
// this run are two that sleep, in a directory of their own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [dist = ''] = process.argv.slice(2);
const keep = fileURLToPath(new URL('keep-code.cjs', import.meta.url));
/** As bin/processmaster calls it: V8 takes only code that was made with the same flags. */
const DAEMON_FLAGS = ['--max-semi-space-size=2', '--optimize-for-size', '--v8-pool-size=1'];
/** A build must not wait for ever. Milliseconds. */
const LIMIT = 20_000;

/** What somebody has set is for his own daemon: with its state directory, this one would leave its traces there. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('PROCESSMASTER_')),
);

const place = mkdtempSync(join(tmpdir(), 'pmbuild-'));
const socket = join(place, 'sock');
let daemon;
const limit = setTimeout(() => {
  daemon?.kill('SIGKILL');
  process.exit(1);
}, LIMIT);
try {
  await warmUp();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
  daemon?.kill('SIGKILL');
} finally {
  clearTimeout(limit);
  rmSync(place, { recursive: true, force: true });
}

async function warmUp() {
  mkdirSync(join(place, 'config.d'));
  for (const name of ['one', 'two']) {
    const text = `process:\n  command: [sleep, "60"]\n  working_directory: ${place}\n  env: { NAME: ${name} }\n`;
    writeFileSync(join(place, 'config.d', `${name}.yaml`), text);
  }
  writeFileSync(join(place, 'config.yaml'), `sock_path: ${socket}\nstate_directory: ${place}/state\n`);
  daemon = program('processmaster', ['-c', join(place, 'config.yaml')], DAEMON_FLAGS, {
    PROCESSMASTER_CONTAINMENT: 'process_group',
  });
  await said(daemon.stderr, 'ready:');
  await ended(program('pmctl', ['--sock', socket, 'status']));
  const ends = ended(daemon);
  await ended(
    spawn(process.execPath, [join(dist, 'pmctl.js'), '--sock', socket, 'shutdown', '--stop-services'], {
      env: environment,
    }),
  );
  await ends;
}

function program(name, args, flags = [], env = {}) {
  return spawn(process.execPath, [...flags, '--require', keep, join(dist, `${name}.js`), ...args], {
    cwd: place,
    env: { ...environment, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}

/** Resolves when the stream contains the word; rejects when it ends before. */
async function said(stream, word) {
  let text = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    text += chunk;
    if (text.includes(word)) break;
  }
  stream.resume();
  if (!text.includes(word)) throw new Error(`it ended instead:\n${text}`);
}

async function ended(child) {
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${child.spawnargs.join(' ')} ended with ${code}`);
}
