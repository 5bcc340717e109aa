/**
 * What does the test want to be done in the machine? One request a line over a virtio port, answered in any order:
 * programs are run, files are read and written, the daemon is asked over its socket.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { ask } from '../../e2e/ask.ts';
import type { Request, Response } from '../channel.ts';
import { logLines, tornFiles } from './log-lines.ts';

const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin', HOME: '/root', LANG: 'C.UTF-8' };

const port = portNamed('channel');
const channel = fs.openSync(port, 'r+');
const writer = fs.createWriteStream('', { fd: channel, autoClose: false });
let rest = '';
tell({ id: 0, answer: { uptime: Number(fs.readFileSync('/proc/uptime', 'utf8').split(' ')[0]) } });
fs.createReadStream('', { fd: channel, autoClose: false })
  .setEncoding('utf8')
  .on('data', (part) => {
    const lines = (rest + part).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) answer(JSON.parse(line) as Request);
  });

function portNamed(name: string): string {
  const ports = '/sys/class/virtio-ports';
  const found = fs
    .readdirSync(ports)
    .find((each) => fs.readFileSync(`${ports}/${each}/name`, 'utf8').trim() === name);
  return `/dev/${found}`;
}

function tell(response: Response): void {
  writer.write(`${JSON.stringify(response)}\n`);
}

function answer(request: Request): void {
  carryOut(request).then(
    (done) => tell({ id: request.id, answer: done ?? null }),
    (error: Error) => tell({ id: request.id, error: error.message }),
  );
}

async function carryOut(request: Request): Promise<unknown> {
  switch (request.op) {
    case 'run':
      return run(request.argv, request.input ?? '');
    case 'start':
      return start(request.argv, request.output, request.cgroup);
    case 'ask':
      return ask(request);
    case 'read':
      return fs.readFileSync(request.path, 'utf8');
    case 'write':
      return write(request.path, request.text, request.how, request.mode);
    case 'lines':
      return logLines(request.directory, request.base);
    case 'torn':
      return tornFiles(request.directory);
    case 'become':
      return fs.writeFileSync('/run/become', `${request.argv.join('\n')}\n`);
  }
}

function run(argv: readonly string[], input: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const [program = '', ...args] = argv;
    const child = spawn(program, args, { stdio: 'pipe', env: ENVIRONMENT });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (part: string) => {
        output[name] += part;
      });
    }
    child.stdin.on('error', () => undefined).end(input);
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, ...output }));
  });
}

/** Answers the pid of a program that goes on. */
function start(argv: readonly string[], output: string, cgroup: string | undefined): number {
  const fd = fs.openSync(output, 'a');
  const join = cgroup === undefined ? [] : ['sh', '-c', `echo 0 > ${cgroup}/cgroup.procs && exec "$@"`, 'sh'];
  const [program = '', ...args] = [...join, ...argv];
  const child = spawn(program, args, { detached: true, stdio: ['ignore', fd, fd], env: ENVIRONMENT });
  fs.closeSync(fd);
  child.on('exit', (code, signal) => tell({ id: -(child.pid ?? 0), answer: { code, signal } }));
  if (child.pid === undefined) throw new Error(`${program} cannot be started`);
  return child.pid;
}

/** `replaced`: the old content or the new one, whatever happens, and on disk when it is answered. */
function write(path: string, text: string, how: 'in place' | 'replaced', mode = 0o644): void {
  if (how === 'in place') {
    fs.writeFileSync(path, text, { mode });
    return;
  }
  const directory = dirname(path);
  const temporary = `${directory}/.new`;
  const fd = fs.openSync(temporary, 'w', mode);
  fs.writeSync(fd, text);
  fs.fsyncSync(fd);
  fs.closeSync(fd);
  fs.renameSync(temporary, path);
  const parent = fs.openSync(directory, 'r');
  fs.fsyncSync(parent);
  fs.closeSync(parent);
}
