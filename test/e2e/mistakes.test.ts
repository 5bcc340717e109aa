/** A broken file never harms what runs, and whoever made the mistake is told where it is. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { isRoot } from '../linux/ground.ts';
import { GROUND, GROUNDS } from './grounds.ts';
import { openHost } from './host.ts';
import { isGone } from './processes.ts';
import { SLEEP } from './services.ts';

/** What is wrong, the text of the file, and where the complaint points to: line and, where it is certain, column. */
const MISTAKES: readonly (readonly [string, string, string])[] = [
  ['unknown-key', 'process:\n  command: sleep 1\n  stop_grase: 3s\n', '3:3'],
  ['unknown-signal', 'process:\n  command: sleep 1\n  stop_signal: SIGTREM\n', '3:16'],
  ['no-cpu', 'process: { command: sleep 1 }\nresources:\n  max_cpu: 0\n', '3:12'],
  ['unknown-user', 'process:\n  command: sleep 1\n  user: no-such-user\n', '3:9'],
  ['empty-argv', 'process:\n  command: []\n', '2:12'],
  ['empty-command', 'process:\n  command: ""\n', '2:12'],
  ['no-program', 'process:\n  command: [""]\n', '2:13'],
  ['own-stdout', 'process:\n  command: sleep 1\nlogs:\n  stdout: /dev/stdout\n', '4:11'],
  ['no-base64', 'process:\n  command: sleep 1\n  env:\n    KEY: { base64: "%%%" }\n', '4:'],
  ['no-unit', 'process:\n  command: sleep 1\n  stop_grace: 30\n', '3:15'],
  ['duplicate-key', 'process:\n  command: sleep 1\nprocess:\n  command: sleep 2\n', '3:1'],
  ['no-yaml', 'process:\n  command: [sleep, 1\nname: web\n', '3:'],
  ['unknown-variable', 'process:\n  command: sleep ${vars.nothing}\n', '2:12'],
  ['outside', 'name: x/../../system.slice\nprocess: { command: sleep 1 }\n', '1:7'],
  ['reserved', 'name: all\nprocess: { command: sleep 1 }\n', '1:7'],
  ['no-path', 'process:\n  command: sleep 1\n  working_directory: 7\n', '3:22'],
  ['nothing', '', ''],
];

test('each mistake is refused with file, line and column; all that runs goes on, also over a new daemon', async () => {
  const host = openHost({ ground: GROUND });
  const names = MISTAKES.map(([name]) => name);
  for (const name of [...names, 'other']) host.service(name, SLEEP);
  await host.start(['--watch-enabled', 'false']);
  const all = [...names, 'other'];
  const started = await host.allRun(all);
  const pids = new Map(all.map((name, index) => [name, started[index] ?? 0]));
  for (const [name, text] of MISTAKES) host.write(`${name}.yaml`, text);
  host.service('other', { description: 'edited', process: { command: SLEEP } });

  const told = (text: string): readonly string[] =>
    MISTAKES.filter(([name, , place]) =>
      text.includes(`config.d/${name}.yaml${place === '' ? '' : ':'}${place}`),
    ).map(([name]) => name);
  const diff = await host.pmctl('diff');
  expect({ code: diff.code, told: told(diff.stdout) }).toEqual({ code: 1, told: names });
  const update = await host.pmctl('update');
  expect({ code: update.code, told: told(update.stdout) }).toEqual({ code: 1, told: names });
  const check = await host.pmctl('-c', host.masterFile, 'check');
  expect({ code: check.code, told: told(check.stdout) }).toEqual({ code: 1, told: names });
  // Whoever a file is checked for may live on another host: an unknown user is a warning there.
  expect((await host.pmctl('-c', host.masterFile, 'check', 'config.d/unknown-user.yaml')).code).toBe(0);

  const seen = async (): Promise<readonly (readonly [string, string, string, number | null])[]> =>
    (await host.status()).services.map(({ name, state, drift, pid }) => [name, state, drift, pid]);
  const expected = [...pids].map(([name, pid]) => [
    name,
    'running',
    name === 'other' ? 'none' : 'invalid',
    pid,
  ]);
  expect(await seen()).toEqual(expected.toSorted());
  expect(await host.view('other')).toMatchObject({ description: 'edited' });
  await host.stop();
  await host.start();
  expect(await seen()).toEqual(expected.toSorted());
  for (const name of names) host.service(name, SLEEP);
  expect((await host.pmctl('update')).code).toBe(0);
  expect((await seen()).map(([name, , drift, pid]) => [name, drift, pid])).toEqual(
    expected.map(([name, , , pid]) => [name, 'none', pid]).toSorted(),
  );
});

test('an editor backup that defines the same service: all others load, it keeps running, both files are named', async () => {
  const host = openHost({ ground: GROUND });
  host.write('web.yaml', `name: web\nprocess: { command: ${SLEEP} }\n`);
  await host.start();
  const pid = await host.pidOf('web');
  fs.copyFileSync(join(host.config, 'web.yaml'), join(host.config, 'web-old.yaml'));
  host.service('other', SLEEP);
  await host.runs('other');
  const update = await host.pmctl('update', '--json');
  expect(update.code).toBe(1);
  const said = JSON.stringify(update.json.errors);
  expect(said).toContain('web.yaml');
  expect(said).toContain('web-old.yaml');
  expect(await host.view('web')).toMatchObject({ state: 'running', pid });
  // So does a daemon that starts like this; and the service that nothing ran of is not started from either file.
  await host.stop();
  await host.start();
  expect(await host.view('web')).toMatchObject({ state: 'running', pid });
  await host.runs('other');
  host.remove('web-old.yaml');
  await host.sees('web', 'mended', ({ drift }) => drift === 'none');
  expect(await host.pidOf('web')).toBe(pid);
});

describe('a file that is none', () => {
  const odd: readonly [string, (path: string) => void, string][] = [
    ['a mebibyte of noise', (path) => fs.writeFileSync(path, noise(1024 * 1024)), 'odd.yaml'],
    [
      'more than a mebibyte',
      (path) => fs.writeFileSync(path, `# ${'x'.repeat(1024 * 1024)}\n`),
      'larger than 1 MiB',
    ],
    ['a fifo', (path) => execFileSync('mkfifo', [path]), 'no regular file'],
    ['a directory', (path) => fs.mkdirSync(path), 'is a directory'],
    ['a dangling symbolic link', (path) => fs.symlinkSync('/nowhere', path), 'odd.yaml'],
    ['a link to an endless device', (path) => fs.symlinkSync('/dev/zero', path), 'no regular file'],
    ['a nest of aliases that would fill the memory', (path) => fs.writeFileSync(path, laughs()), 'odd.yaml'],
  ];
  test.each(odd)('%s is named, and harms no other', async (_what, make, says) => {
    const host = openHost({ ground: GROUND });
    host.service('web', SLEEP);
    make(join(host.config, 'odd.yaml'));
    await host.start();
    await host.runs('web');
    const update = await host.pmctl('update');
    expect(update.code).toBe(1);
    expect(update.stdout).toContain(says);
    expect(update.stdout).toContain('odd.yaml');
    expect(update.stdout.length).toBeLessThan(4000);
    fs.rmSync(join(host.config, 'odd.yaml'), { recursive: true });
    expect((await host.pmctl('update')).code).toBe(0);
  });
});

test.runIf(GROUNDS.some(({ user }) => user === 'nobody'))(
  'a file that the daemon may not read is named, and what runs of it goes on; readable again, it is followed',
  async () => {
    const ground = GROUNDS.find(({ user }) => user === 'nobody') ?? GROUND;
    const host = openHost({ ground });
    const file = host.service('web', SLEEP);
    host.service('other', SLEEP);
    await host.start();
    const pid = await host.pidOf('web');
    fs.writeFileSync(file, stringify({ description: 'new', process: { command: SLEEP } }));
    fs.chmodSync(file, 0);
    await host.sees('web', 'known as broken', ({ drift }) => drift === 'invalid');
    const update = await host.pmctl('update');
    expect(update).toMatchObject({ code: 1, stdout: expect.stringContaining('web.yaml') });
    expect(await host.view('web')).toMatchObject({ state: 'running', pid });
    fs.chmodSync(file, 0o644);
    await host.sees('web', 'described', ({ description }) => description === 'new');
    expect(await host.pidOf('web')).toBe(pid);
    // The whole directory as well.
    fs.chmodSync(host.config, 0);
    const refused = await host.pmctl('update');
    expect(refused.code).not.toBe(0);
    expect(await host.view('web')).toMatchObject({ state: 'running', pid });
    fs.chmodSync(host.config, 0o755);
    expect((await host.pmctl('update')).code).toBe(0);
    expect(await host.pidOf('web')).toBe(pid);
  },
);

test('a directory of ten thousand files is no burden: a saved file is followed, and commands are answered', async () => {
  const host = openHost({ ground: GROUND });
  for (let index = 0; index < 8000; index++) fs.writeFileSync(join(host.config, `note-${index}.txt`), 'x');
  for (let index = 0; index < 2000; index++) {
    fs.writeFileSync(join(host.config, `s${index}.yaml`), 'enabled: false\nprocess: { command: sleep 1 }\n');
  }
  host.service('web', SLEEP);
  const began = Date.now();
  await host.start();
  await host.runs('web');
  expect(Date.now() - began).toBeLessThan(20_000);
  const pid = await host.pidOf('web');
  host.service('web', { process: { command: SLEEP, env: { A: '1' } } });
  await host.sees(
    'web',
    'replaced',
    (service) => service.state === 'running' && service.pid !== pid && service.pid !== null,
  );
  const list = await host.pmctl('list');
  expect(list.stdout.trim().split('\n')).toHaveLength(2001);
});

test('a directory that is suddenly empty stops none of thirty services; --prune does', async () => {
  const host = openHost({ ground: GROUND });
  const names = Array.from({ length: 30 }, (_, index) => `s${index}`);
  for (const name of names) host.service(name, SLEEP);
  await host.start();
  const pids = await host.allRun(names);
  fs.renameSync(host.config, `${host.config}.away`);
  fs.mkdirSync(host.config);
  const update = await host.pmctl('update', '--json');
  expect(update.code).toBe(6);
  expect(update.json.prune.services).toHaveLength(30);
  expect(pids.filter(isGone)).toEqual([]);
  const status = await host.pmctl('status');
  expect(status.stdout).toContain('--prune');
  // Also for a daemon that starts and finds it so.
  await host.stop();
  await host.start();
  expect((await host.pmctl('update')).code).toBe(6);
  expect(pids.filter(isGone)).toEqual([]);
  // The files come back: nothing has happened.
  fs.rmdirSync(host.config);
  fs.renameSync(`${host.config}.away`, host.config);
  expect((await host.pmctl('update')).code).toBe(0);
  expect(pids.filter(isGone)).toEqual([]);
  for (const name of names) host.remove(`${name}.yaml`);
  expect((await host.pmctl('update')).code).toBe(6);
  expect((await host.pmctl('update', '--prune')).code).toBe(0);
  expect(pids.filter((pid) => !isGone(pid))).toEqual([]);
  expect((await host.status()).services).toEqual([]);
});

test('one removed service of thirty is meant; twenty of thirty wait for --prune', async () => {
  const host = openHost({ ground: GROUND });
  const names = Array.from({ length: 30 }, (_, index) => `s${index}`);
  for (const name of names) host.service(name, SLEEP);
  await host.start(['--watch-enabled', 'false']);
  await host.allRun(names);
  host.remove('s0.yaml');
  expect((await host.pmctl('update')).code).toBe(0);
  expect(await host.view('s0')).toBeUndefined();
  for (const name of names.slice(1, 21)) host.remove(`${name}.yaml`);
  const update = await host.pmctl('update', '--json');
  expect(update.code).toBe(6);
  expect(update.json.prune.services).toHaveLength(20);
  await host.allRun(names.slice(1));
  expect(await host.view('s5')).toMatchObject({ drift: 'removed', state: 'running' });
  expect((await host.pmctl('update', '--prune')).code).toBe(0);
  expect((await host.status()).services).toHaveLength(9);
});

test('a directory that vanishes file by file is stopped short as if it vanished at once', async () => {
  const host = openHost({ ground: GROUND });
  const names = Array.from({ length: 10 }, (_, index) => `s${index}`);
  for (const name of names) host.service(name, SLEEP);
  await host.start();
  await host.allRun(names);
  // Each is read, judged and stopped before the next one goes.
  for (const name of names.slice(0, 3)) {
    host.remove(`${name}.yaml`);
    await host.isForgotten(name);
  }
  const held = async (count: number): Promise<void> => {
    await host.until(
      `${count} removals to be held back`,
      async () => ((await host.status()).prune?.services.length === count ? true : undefined),
      () => host.status(),
    );
  };
  for (const [index, name] of names.slice(3).entries()) {
    host.remove(`${name}.yaml`);
    await held(index + 1);
  }
  await host.allRun(names.slice(3));
  expect((await host.pmctl('update')).code).toBe(6);
  expect((await host.pmctl('update', '--prune')).code).toBe(0);
  expect((await host.status()).services).toEqual([]);
  // What was confirmed counts no more: the next single removal is meant again.
  for (const name of names.slice(0, 2)) host.service(name, SLEEP);
  await host.allRun(names.slice(0, 2));
  host.remove('s0.yaml');
  await host.isForgotten('s0');
});

test('a master file that has changed since the start of the daemon is told of until the next one', async () => {
  const host = openHost({ ground: GROUND });
  host.service('web', SLEEP);
  await host.start();
  const pid = await host.pidOf('web');
  fs.appendFileSync(host.masterFile, '\nvars: { site: shop.example }\n');
  const told = 'since then it has changed in vars; restart the daemon';
  expect((await host.pmctl('update')).stdout).toContain(told);
  expect((await host.pmctl('status')).stdout).toContain(told);
  await host.stop();
  await host.start();
  expect((await host.status()).problems).toEqual([]);
  expect(await host.pidOf('web')).toBe(pid);
});

test('a secret file that others may read is told of, and its content never', async () => {
  const host = openHost({ ground: GROUND });
  fs.writeFileSync(join(host.work, 'token'), 'hush-hush', { mode: 0o644 });
  host.service('web', { process: { command: SLEEP, env: { TOKEN: { file: join(host.work, 'token') } } } });
  await host.start();
  const update = await host.pmctl('update');
  expect(update.stdout).toContain('token');
  expect(`${update.stdout}${host.stdout}${host.stderr}`).not.toContain('hush-hush');
  expect(update.stdout).toContain('can be read by every user');
  fs.chmodSync(join(host.work, 'token'), 0o600);
  expect((await host.pmctl('update')).code).toBe(0);
  await host.runs('web');
});

test('a program that does not exist yet is named, tried again with back-off, and started when it appears', async () => {
  const host = openHost({ ground: GROUND });
  const program = join(host.work, 'server');
  host.service('web', {
    process: { command: [program] },
    restart_policy: { restart_backoff: '200ms', tolerance: { max_restarts: 1000 } },
  });
  await host.start();
  const view = await host.sees(
    'web',
    'in back-off',
    ({ state, last_exit }) => state === 'backoff' && last_exit !== null,
  );
  expect(view.reason).toContain(`${program} does not exist`);
  const why = await host.pmctl('why', 'web');
  expect(why.stdout).toContain(`${program} does not exist`);
  fs.writeFileSync(`${program}.new`, '#!/bin/sh\nexec sleep 1000\n', { mode: 0o755 });
  fs.renameSync(`${program}.new`, program);
  await host.runs('web');
});

test('a port that a foreign process has is named with that process, which is left alone; free again, it is taken', async () => {
  const host = openHost({ ground: GROUND });
  const foreign = createServer();
  onTestFinished(() => new Promise<void>((resolve) => void foreign.close(() => resolve())));
  const port = await new Promise<number>((resolve) => {
    foreign.listen(0, '127.0.0.1', () => resolve((foreign.address() as { port: number }).port));
  });
  host.service('web', {
    port,
    process: { command: ['sh', '-c', `echo $PORT > ${host.work}/port; exec sleep 1000`] },
    restart_policy: { restart_backoff: '200ms', tolerance: { max_restarts: 1000 } },
  });
  await host.start();
  const view = await host.sees(
    'web',
    'in back-off',
    ({ state, last_exit }) => state === 'backoff' && last_exit !== null,
  );
  expect(view.reason).toContain(`port ${port} is taken by ${process.pid} `);
  expect(foreign.listening).toBe(true);
  await new Promise<void>((resolve) => void foreign.close(() => resolve()));
  await host.runs('web');
  expect(await host.says('port')).toBe(`${port}\n`);
});

test.runIf(isRoot)(
  'user names are parsed before anything runs: uid 0 under another name is no way in',
  async () => {
    const host = openHost({ ground: GROUND });
    host.service('web', { process: { command: SLEEP, user: '0x0' } });
    await host.start();
    const update = await host.pmctl('update', '--json');
    expect(update.code).toBe(1);
    expect(update.json.errors).toMatchObject([{ path: 'process.user' }]);
    expect(host.lifecycle('worker_started')).toEqual([]);
  },
);

describe('the master file', () => {
  test.each([
    ['an unknown key', { sock_pth: '/tmp/x' }, 'sock_path'],
    ['a mode that is not octal', { sock_mode: 999 }, 'sock_mode'],
    ['a mode that is too long', { sock_mode: '77777' }, 'sock_mode'],
    ['a mode that lets everybody in', { sock_mode: '0666' }, 'sock_mode'],
    ['a name with a slash', { cgroup_name: '/pm' }, 'cgroup_name'],
    ['a containment that does not exist', { containment: 'jail' }, 'containment'],
  ])('%s is refused at the start, with the key; no daemon runs', async (_what, settings, key) => {
    const host = openHost({ ground: GROUND, settings });
    const program = host.startUnasked();
    await program.over;
    expect(program.child.exitCode).toBe(1);
    expect(program.stderr).toContain(key);
    expect(program.stderr).toContain('config.yaml:');
    expect(program.stdout).toBe('');
  });

  test.each([['660'], ['0660'], ['"0660"'], ['0o660'], ['432']])('sock_mode: %s', async (mode) => {
    const host = openHost({ ground: GROUND });
    host.settings['sock_mode'] = parse(mode);
    // Written as it is: the spelling is what is tested.
    const program = host.startUnasked([], {}, (text) =>
      text.replace(/^sock_mode:.*$/m, `sock_mode: ${mode}`),
    );
    const bits = await host.until('the socket, or the end of the daemon', () =>
      program.isOver
        ? 'refused'
        : fs.existsSync(host.socket)
          ? fs.statSync(host.socket).mode & 0o777
          : undefined,
    );
    expect([0o660, 0o432, 'refused']).toContain(bits);
    if (mode !== '432') expect(bits).toBe(0o660);
    else expect(bits === 'refused' || bits === 0o432).toBe(true);
  });
});

function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 42;
  for (let at = 0; at < length; at++) {
    state = (state * 1103515245 + 12345) % 2147483648;
    bytes[at] = state >> 16;
  }
  return bytes;
}

/** Each line ten times the one before: 10^9 values, should anybody unfold them. */
function laughs(): string {
  const lines = ['a0: &a0 [lol]'];
  for (let level = 1; level < 10; level++)
    lines.push(
      `a${level}: &a${level} [${Array(10)
        .fill(`*a${level - 1}`)
        .join(', ')}]`,
    );
  return `${lines.join('\n')}\n`;
}

test('a working directory that is not there is told of, and is not made on the way to the logs in it', async () => {
  const host = openHost({ ground: GROUND });
  const typo = join(host.work, 'typo', 'deep');
  const prepared = { command: SLEEP, working_directory: typo };
  host.service('plain', { process: prepared });
  host.service('hooked', { process: prepared, hooks: { pre_start: 'true' } });
  await host.start();
  for (const name of ['plain', 'hooked']) {
    const isTold = ({ reason }: { reason: string }) =>
      reason.includes(`the working directory ${typo} does not exist`);
    await host.sees(name, 'told', isTold);
  }
  expect(fs.existsSync(join(host.work, 'typo'))).toBe(false);
});
