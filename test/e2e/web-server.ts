/** Which web server do services run that serve while they are replaced? */
import fs from 'node:fs';
import { join } from 'node:path';

/** Milliseconds that an answer takes. */
const ANSWER_TAKES = 20;

/**
 * Answers `VERSION`, and finishes what is under way when SIGTERM comes. `BROKEN=exit`: ends at once with code 3;
 * `BROKEN=unready`: `/ready` answers 503. Either tells of it on stderr.
 */
const SOURCE = `import http from 'node:http';
const { PORT, VERSION = 'none', BROKEN } = process.env;
if (BROKEN !== undefined) console.error('version ' + VERSION + ' cannot serve');
if (BROKEN === 'exit') process.exit(3);
const server = http.createServer((request, response) => {
  if (request.url === '/ready') {
    response.statusCode = BROKEN === 'unready' ? 503 : 200;
    response.end('ready');
    return;
  }
  setTimeout(() => response.end(VERSION), ${ANSWER_TAKES});
});
server.listen(Number(PORT), '127.0.0.1');
process.once('SIGTERM', () => server.close(() => process.exit(0)));
`;

/** Writes the program and answers the command that runs it. */
export function webServer(directory: string): readonly string[] {
  const file = join(directory, 'server.mjs');
  fs.writeFileSync(file, SOURCE);
  return [process.execPath, file];
}

/**
 * The definition of a service that nobody misses while it is replaced: for a moment it is called not ready and serves
 * on, so that whoever follows the daemon has left before the listener closes.
 */
export function webService(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  rollout: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  return {
    instances: 2,
    port: 'auto',
    process: { command, env, stop_grace: '10s' },
    rollout: { timeout: '20s', ...rollout },
    probes: { readiness: { http: '/ready', interval: '100ms', timeout: '5s' } },
    hooks: { pre_stop: ['sleep', '0.3'] },
  };
}
