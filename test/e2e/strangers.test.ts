/** What can somebody of this host do to the daemon of root who is neither root nor in the group of the socket? */
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isRoot } from '../linux/ground.ts';
import { GROUND, NOBODY } from './grounds.ts';
import { type Host, openHost } from './host.ts';
import { SLEEP } from './services.ts';

/** Tries each deed, and answers what came of it: `done`, or the code of the refusal. */
const TRY = `
const fs = require('node:fs');
const net = require('node:net');
const { daemon, service, directory } = JSON.parse(process.argv[1]);
const at = (name) => directory + '/' + name;
const deeds = {
  'list the state': () => fs.readdirSync(at('state')),
  'read what is remembered': () => fs.readFileSync(at('state/memory.json')),
  'read an applied text': () => fs.readdirSync(at('state/snapshots/blobs')),
  'read the events': () => fs.readdirSync(at('state/events')),
  'read a log': () => fs.readFileSync(at('state/logs/web/stdout.log')),
  'read the log of the daemon': () => fs.readFileSync(at('daemon.log')),
  'write the log of the daemon': () => fs.appendFileSync(at('daemon.log'), 'forged'),
  'read the lifecycle lines': () => fs.readFileSync(at('lifecycle.log')),
  'write the lifecycle lines': () => fs.appendFileSync(at('lifecycle.log'), 'forged'),
  'remove the socket': () => fs.unlinkSync(at('pm.sock')),
  'read the environment of the daemon': () => fs.readFileSync('/proc/' + daemon + '/environ'),
  'read the environment of a service': () => fs.readFileSync('/proc/' + service + '/environ'),
  'signal the daemon': () => process.kill(daemon, 'SIGTERM'),
  'signal a service': () => process.kill(service, 'SIGTERM'),
};
const answers = {};
for (const [deed, act] of Object.entries(deeds)) {
  try {
    act();
    answers[deed] = 'done';
  } catch (error) {
    answers[deed] = error.code;
  }
}
const socket = net.connect(at('pm.sock'));
const tell = (answer) => {
  answers['command the daemon'] = answer;
  console.log(JSON.stringify(answers));
  process.exit();
};
socket.on('connect', () => tell('done'));
socket.on('error', (error) => tell(error.code));
`;

/** @param uid of nobody in particular */
async function tries(host: Host, uid: number, service: number): Promise<Readonly<Record<string, string>>> {
  const [program = ''] = NOBODY.command;
  const input = JSON.stringify({ daemon: host.pid, service, directory: host.directory });
  const as = [program, `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
  const tried = host.run([...as, process.execPath, '-e', TRY, input]);
  await tried.over;
  return JSON.parse(tried.stdout);
}

const PERMITTED = ['EACCES', 'EPERM'];

describe.skipIf(!isRoot)('with a umask that opens everything', () => {
  test('a stranger, and the user of another service, get nothing and change nothing', async () => {
    // Whatever mode is not said is open to everybody.
    const prefix = ['/bin/sh', '-c', 'umask 0; exec "$@"', 'sh'];
    const log = { file: '', format: 'json' };
    const host = openHost({ ground: GROUND, settings: { log }, prefix });
    log.file = join(host.directory, 'daemon.log');
    host.settings['lifecycle_log'] = join(host.directory, 'lifecycle.log');
    // Everybody may come as far as the doors.
    for (const path of [host.directory, host.work]) fs.chmodSync(path, 0o755);
    fs.chmodSync(host.state, 0o700);
    host.service('web', { process: { command: SLEEP, env: { PASSWORD: 'hunter2-plain' } } });
    host.service('other', { process: { command: SLEEP, user: 'nobody', working_directory: '/' } });
    await host.start();
    const [web = 0] = await host.allRun(['web', 'other']);
    for (const uid of [54_321, NOBODY.uid]) {
      const told = await tries(host, uid, web);
      expect({ uid, done: Object.entries(told).filter(([, code]) => !PERMITTED.includes(code)) }).toEqual({
        uid,
        done: [],
      });
      expect(Object.keys(told)).toHaveLength(15);
    }
    expect(await host.pidOf('web')).toBe(web);
    const open = fs
      .readdirSync(host.state, { recursive: true, encoding: 'utf8' })
      .filter((name) => (fs.lstatSync(join(host.state, name)).mode & 0o007) !== 0);
    expect(open).toEqual([]);
  });
});
