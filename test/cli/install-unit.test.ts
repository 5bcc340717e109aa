import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, test } from 'vitest';
import type { Call, Options } from '../../src/cli/call.ts';
import type { Daemon } from '../../src/cli/daemon.ts';
import { installUnit } from '../../src/cli/install-unit.ts';
import { type Refusal, refusal } from '../../src/cli/refusal.ts';
import { systemdUnit, type UnitFacts } from '../../src/cli/systemd-unit.ts';
import { systemFiles } from '../../src/world/files.ts';
import type { Files } from '../../src/world/world.ts';
import { fakeDaemon } from './fake-daemon.ts';
import { fakeTerminal } from './fake-terminal.ts';

const FACTS: UnitFacts = {
  manager: 'system',
  daemon: [
    '/usr/bin/node',
    '--max-semi-space-size=2',
    '--optimize-for-size',
    '--v8-pool-size=1',
    '/opt/pm/dist/processmaster.js',
  ],
  pmctl: ['/usr/bin/node', '/opt/pm/dist/pmctl.js'],
  config: '/etc/processmaster/config.yaml',
  settings: {
    state_directory: '/var/lib/processmaster',
    sock_path: '/run/processmaster.sock',
    containment: 'auto',
    cgroup_root: null,
  },
  cgroups: '/sys/fs/cgroup',
};

/** What the unit sets, without its comments. */
function settingsOf(unit: string): readonly string[] {
  return unit.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('the unit', () => {
  const set = settingsOf(systemdUnit(FACTS));

  it('keeps services alive when the daemon ends, and brings the daemon back', () => {
    for (const line of ['KillMode=process', 'Delegate=yes', 'Restart=always', 'StartLimitIntervalSec=0']) {
      expect(set).toContain(line);
    }
  });

  it('names everything by its absolute path', () => {
    const daemon =
      '/usr/bin/node --max-semi-space-size=2 --optimize-for-size --v8-pool-size=1 /opt/pm/dist/processmaster.js';
    expect(set).toContain(`ExecStart=${daemon} --config /etc/processmaster/config.yaml`);
  });

  it('takes from services nothing that they may need', () => {
    const keys = set.map((line) => line.split('=')[0] ?? '');
    const inherited =
      /^(?:Protect|Private|ReadOnly|ReadWrite|Inaccessible|Restrict|SystemCall|MemoryDeny|NoNewPriv|Capabilit|Ambient|User$|Group$|Dynamic|Limit|OOMScore|UMask|Nice|Root|IPAddress|Memory|CPU)/;
    expect(keys.filter((key) => inherited.test(key))).toEqual([]);
  });

  it('lets systemd make the directories that are in its places, and keep them', () => {
    expect(set).toContain('StateDirectory=processmaster');
    expect(set).toContain('StateDirectoryMode=0700');
    expect(set.join('\n')).not.toContain('RuntimeDirectory');
    const settings = { ...FACTS.settings, state_directory: '/srv/state', sock_path: '/run/pm/pm.sock' };
    const other = settingsOf(systemdUnit({ ...FACTS, settings }));
    expect(other).toContain('RuntimeDirectory=pm');
    expect(other).toContain('RuntimeDirectoryPreserve=yes');
    expect(other.join('\n')).not.toContain('StateDirectory');
  });

  it('can be started again while services are left: their tree is not below the unit', () => {
    expect(set).toContain('Environment=PROCESSMASTER_CGROUP_ROOT=/sys/fs/cgroup');
    const own = settingsOf(systemdUnit({ ...FACTS, manager: 'user' }));
    expect(own).toContain('Environment=PROCESSMASTER_CONTAINMENT=process_group');
    expect(own.join('\n')).not.toContain('CGROUP_ROOT');
  });

  it('leaves the place of the tree to whoever has chosen one', () => {
    for (const chosen of [
      { cgroup_root: '/sys/fs/cgroup/mine' },
      { containment: 'process_group' },
    ] as const) {
      const settings = { ...FACTS.settings, ...chosen };
      expect(settingsOf(systemdUnit({ ...FACTS, settings })).join('\n')).not.toContain('Environment=');
    }
    expect(settingsOf(systemdUnit({ ...FACTS, cgroups: null })).join('\n')).not.toContain('Environment=');
  });

  it('gives services the node of the daemon where PATH would not find it', () => {
    expect(set.join('\n')).not.toContain('Environment=PATH');
    const daemon = ['/root/.nvm/versions/node/v22/bin/node', '/opt/processmaster.js'];
    const path =
      '/root/.nvm/versions/node/v22/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    expect(settingsOf(systemdUnit({ ...FACTS, daemon }))).toContain(`Environment=PATH=${path}`);
  });

  it('of a user implies no restriction, and waits for nothing of the system', () => {
    const own = settingsOf(systemdUnit({ ...FACTS, manager: 'user' }));
    expect(own.join('\n')).not.toMatch(/LockPersonality|StateDirectory|network/);
    expect(own).toContain('WantedBy=default.target');
  });

  it('quotes paths so that systemd reads them back as they are', () => {
    const config = '/srv/100% "new" $HOME\\x/config.yaml';
    const start = settingsOf(systemdUnit({ ...FACTS, config })).find((line) => line.startsWith('ExecStart='));
    expect(start).toMatch(/ --config "\/srv\/100%% \\"new\\" \$\$HOME\\\\x\/config\.yaml"$/);
  });

  test.each(['system', 'user'] as const)(
    'for the %s manager is what systemd understands, where it is installed',
    async (manager) => {
      const place = mkdtempSync(join(tmpdir(), 'unit-'));
      onTestFinished(() => rmSync(place, { recursive: true }));
      const file = join(place, 'pm-test.service');
      const facts = { ...FACTS, manager, daemon: [process.execPath, '/x.js'], config: '/a b/c%.yaml' };
      writeFileSync(file, systemdUnit(facts));
      const said = await new Promise<string>((resolve) => {
        const env = { ...process.env, XDG_RUNTIME_DIR: place };
        execFile(
          'systemd-analyze',
          [`--${manager}`, '--man=no', 'verify', file],
          { env },
          (error, _out, stderr) =>
            resolve(error?.code === 'ENOENT' ? 'systemd is not installed' : `${error?.code ?? 0} ${stderr}`),
        );
      });
      expect(['0 ', 'systemd is not installed']).toContain(said);
    },
  );

  /** The script, with a systemctl that says this of the manager; pmctl is echo. */
  async function stopped(state: string): Promise<string> {
    const place = mkdtempSync(join(tmpdir(), 'unit-'));
    onTestFinished(() => rmSync(place, { recursive: true }));
    writeFileSync(join(place, 'systemctl'), `#!/bin/sh\necho ${state}\nexit 1\n`, { mode: 0o755 });
    const unit = systemdUnit({ ...FACTS, pmctl: ['/bin/echo'], config: "/it's.yaml" });
    const quoted = settingsOf(unit)
      .find((line) => line.startsWith('ExecStop='))
      ?.replace('ExecStop=-/bin/sh -c ', '');
    const script = (JSON.parse(quoted ?? '') as string).replaceAll('$$', () => '$').replaceAll('%%', '%');
    return new Promise((resolve, reject) => {
      const env = { PATH: `${place}:${process.env['PATH']}` };
      execFile('/bin/sh', ['-c', script], { env }, (error, out) =>
        error === null ? resolve(out) : reject(error),
      );
    });
  }

  it('stops services in order when the host goes down, and only then', async () => {
    expect(await stopped('running')).toBe('');
    expect(await stopped('degraded')).toBe('');
    expect(await stopped('stopping')).toBe("--config /it's.yaml shutdown --stop-services --timeout 4m\n");
  });
});

describe('install-unit', () => {
  const UNIT = '/etc/systemd/system/processmaster.service';
  const CONFIG = '/etc/processmaster/config.yaml';
  let texts: Map<string, string>;
  let written: string[];
  let failing: string | undefined;
  let answering: Daemon | Refusal;

  beforeEach(() => {
    texts = new Map([[CONFIG, 'config_directory: ./config.d\n']]);
    written = [];
    failing = undefined;
    answering = refusal('noDaemon', 'no_daemon', 'none');
  });

  const files = (): Files => {
    const real = systemFiles();
    return {
      ...real,
      status: (path) => (texts.has(path) ? real.status('/etc/passwd') : { failed: 'ENOENT' }),
      read: (path) => texts.get(path) ?? { failed: 'ENOENT' },
      replace: (path, text) => {
        if (failing !== undefined) return { failed: failing };
        texts.set(path, text);
        written.push(path);
        return undefined;
      },
    };
  };

  async function install(
    options: Options = {},
    uid = 0,
  ): Promise<{ exit: string; out: string; err: string }> {
    const terminal = fakeTerminal({ directory: '/nonexistent', uid, environment: { HOME: '/home/bob' } });
    const call: Call = {
      words: [],
      options,
      terminal,
      paint: (_, text) => text,
      daemon: async () => answering,
    };
    const exit = await installUnit(call, files());
    return { exit, out: terminal.out(), err: terminal.err() };
  }

  it('writes the unit and says what comes next', async () => {
    const { exit, out } = await install();
    expect(exit).toBe('fine');
    expect(out).toBe(
      `wrote ${UNIT}\nnext:\n  systemctl daemon-reload\n  systemctl enable --now processmaster\n`,
    );
    expect(texts.get(UNIT)).toContain(`--config ${CONFIG}\n`);
  });

  it('tells how a daemon that was started by hand makes room', async () => {
    const { daemonAt } = await import('../../src/cli/daemon.ts');
    const version = { pid: process.pid, protocol: 1, version: '1' };
    const { socket } = await fakeDaemon({ 'GET /api/version': version });
    answering = daemonAt({ socket, actor: 'bob', cancel: new AbortController().signal });
    const { out } = await install();
    expect(out).toContain(
      `next:\n  pmctl shutdown    # pid ${process.pid}; its services keep running\n  systemctl`,
    );
  });

  it('--print writes nothing, and prints what would be written', async () => {
    const { out } = await install({ print: true });
    expect(written).toEqual([]);
    await install();
    expect(out).toBe(texts.get(UNIT));
  });

  it('a second time changes nothing', async () => {
    await install();
    expect((await install()).out).toContain(`${UNIT} says this already`);
    expect(written).toEqual([UNIT]);
  });

  it('leaves a unit that says something else, unless it is told to replace it', async () => {
    texts.set(UNIT, '[Service]\nExecStart=/bin/true\n');
    const { exit, err } = await install();
    expect(exit).toBe('error');
    expect(err).toContain(
      'is there already and says something else; compare with pmctl install-unit --print',
    );
    texts.set('/srv/pm.yaml', '');
    expect((await install({ config: '/srv/pm.yaml' })).err).toContain(
      'compare with pmctl install-unit -c /srv/pm.yaml --print, replace it with --force',
    );
    expect(texts.get(UNIT)).toContain('/bin/true');
    expect((await install({ force: true })).exit).toBe('fine');
    expect(texts.get(UNIT)).not.toContain('/bin/true');
  });

  it('--user writes for the own manager', async () => {
    texts.set('/home/bob/.config/processmaster/config.yaml', '');
    const { out } = await install({ user: true }, 1000);
    expect(written).toEqual(['/home/bob/.config/systemd/user/processmaster.service']);
    expect(out).toContain('systemctl --user enable --now processmaster\n');
    expect(out).toContain('loginctl enable-linger bob');
  });

  it('tells who may not write there what would help', async () => {
    failing = 'EACCES';
    const { exit, err } = await install({}, 1000);
    expect(err).toBe(
      `pmctl: ${UNIT} cannot be written (EACCES); use sudo, or --user for a daemon of your own\n`,
    );
    expect(exit).toBe('error');
  });

  it('needs a master file without mistakes', async () => {
    texts.clear();
    expect((await install()).err).toContain(
      `there is no master file ${CONFIG}; make it first (one line does`,
    );
    expect((await install({ config: '/srv/c.yaml' })).err).toContain('there is no master file /srv/c.yaml');
    texts.set(CONFIG, 'config_directry: x\n');
    expect((await install()).err).toMatch(/config\.yaml:1:1 .*did you mean config_directory/);
    expect(written).toEqual([]);
  });
});
