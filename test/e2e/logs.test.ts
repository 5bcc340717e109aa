/** What does somebody see of the logs of services, with and without a daemon? */
import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { GROUNDS } from './grounds.ts';
import { type Host, openHost } from './host.ts';

/** Writes lines with the time, then sleeps. */
const WRITER = `const say = (n) => console.log(new Date().toISOString() + ' ' + process.env.INSTANCE + ' line ' + n);
for (let n = 0; n < 30; n++) say(n);
console.error('wrong');
setInterval(() => {}, 1000);`;

function writer(host: Host): void {
  fs.writeFileSync(join(host.work, 'writer.mjs'), WRITER);
  const env = { INSTANCE: '${instance}' };
  host.service('web', {
    process: {
      command: [process.execPath, join(host.work, 'writer.mjs')],
      working_directory: host.work,
      env,
    },
    instances: 2,
    logs: { stdout: 'out-${instance}.log', stderr: 'err.log' },
  });
}
const ends = (text: string) =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.replace(/ [^ ]*Z /, ' '));
const everyLine = (instance: number, from: number) =>
  Array.from(
    { length: 30 - from },
    (_, index) => `web[${instance}] stdout | ${instance} line ${from + index}`,
  );

describe.each(GROUNDS)('$title', (ground) => {
  test('a log that somebody removes is told where it is asked for, until the service is started again', async () => {
    const host = openHost({ ground });
    writer(host);
    await host.start();
    await host.runs('web', 2);
    await host.says('out-1.log', (text) => text.includes('line 29'));
    expect(await host.pmctl('logs', 'web')).toMatchObject({ code: 0, stderr: '' });
    fs.rmSync(join(host.work, 'out-1.log'));
    const told = `${join(host.work, 'out-1.log')} was removed while web writes to it`;
    expect((await host.pmctl('logs', 'web')).stderr).toContain(told);
    expect((await host.pmctl('why', 'web')).stdout).toContain(told);
    expect((await host.pmctl('restart', 'web')).code).toBe(0);
    expect((await host.pmctl('logs', 'web')).stderr).toBe('');
    expect((await host.pmctl('why', 'web')).stdout).not.toContain('was removed');
  });

  test('the lines of each instance, with the daemon and without it', async () => {
    const host = openHost({ ground });
    writer(host);
    await host.start();
    const complete = async () => {
      const { stdout } = await host.pmctl('logs', 'web', '--grep', 'line 29|wrong');
      return ends(stdout).length === 4 ? true : undefined;
    };
    await host.until('both instances to write', complete);
    const last = await host.pmctl('logs', 'web', '--instance', '1', '-n', '3');
    expect(last).toMatchObject({ code: 0, stderr: '' });
    expect(ends(last.stdout)).toEqual(everyLine(1, 27));
    const all = await host.pmctl('logs', '--since', '10m', '--stream', 'stdout');
    expect(ends(all.stdout).sort()).toEqual([...everyLine(0, 0), ...everyLine(1, 0)].sort());
    const times = all.stdout.match(/\S+Z/g) ?? [];
    expect(times).toEqual([...times].sort());
    const answered = await host.ask('GET', '/api/logs?services=web&instance=0&lines=2&grep=line&since=1h');
    expect(answered.body['logs'].map(({ line }: { line: string }) => line.replace(/^\S+ /, ''))).toEqual([
      '0 line 28',
      '0 line 29',
    ]);
    expect((await host.ask('GET', '/api/logs?since=yesterday')).status).toBe(400);
    expect((await host.ask('GET', '/api/processes/web/logs?lines=1')).body['logs']).toHaveLength(3);

    fs.writeFileSync(host.masterFile, stringify(host.settings), { mode: 0o644 });
    await host.stop();
    const without = await host.pmctl('-c', host.masterFile, 'logs', 'web', '--instance', '0', '-n', '2');
    expect(without.code).toBe(0);
    expect(ends(without.stdout)).toEqual(everyLine(0, 28));
    expect(without.stderr).toBe(`pmctl: no daemon at ${host.socket}; read from the files\n`);
    const json = await host.pmctl('-c', host.masterFile, 'logs', 'err.log', '--json', '-n', '1');
    expect(json.json).toEqual({
      ...{ service: 'web', instance: null, stream: 'stderr', file: join(host.work, 'err.log') },
      ...{ time: null, line: 'wrong', cut: false },
    });
  });
});
