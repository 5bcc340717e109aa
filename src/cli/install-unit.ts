/** `install-unit`: how does systemd come to keep the daemon running? */
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { loadSettings } from '../config/settings.ts';
import { sentence } from '../model/problem.ts';
import type { Settings } from '../model/settings.ts';
import { safeText } from '../model/terminal-safe.ts';
import { parseMountinfo } from '../world/cgroup-mount.ts';
import { systemFiles } from '../world/files.ts';
import { environmentOf, readProc } from '../world/procfs.ts';
import { systemUsers } from '../world/users.ts';
import { type Files, isFailure } from '../world/world.ts';
import { type Call, printJson, printLines, refuse } from './call.ts';
import type { Exit } from './exit-codes.ts';
import { isRefusal, type Refusal, refusal } from './refusal.ts';
import { systemdUnit } from './systemd-unit.ts';
import type { Terminal } from './terminal.ts';

const NAME = 'processmaster.service';

/** @param files where the unit is written; a test gives others */
export async function installUnit(call: Call, files: Files = systemFiles()): Promise<Exit> {
  const manager = call.options.user === true ? 'user' : 'system';
  const plan = planOf(call, files, manager);
  if (isRefusal(plan)) return refuse(call, plan);
  if (call.options.print === true) {
    if (call.options.json) printJson(call, { ...plan, written: false });
    else call.terminal.write(plan.unit);
    return 'fine';
  }
  const written = write(call, files, plan);
  if (isRefusal(written)) return refuse(call, written);
  const next = await nextSteps(call, manager);
  if (call.options.json) printJson(call, { ...plan, written: written === 'written', next });
  else {
    const done = written === 'written' ? `wrote ${plan.path}` : `${plan.path} says this already`;
    printLines(call, [safeText(done), 'next:', ...next.map((line) => `  ${safeText(line)}`)]);
  }
  return 'fine';
}

interface Plan {
  readonly path: string;
  readonly unit: string;
}

function planOf(call: Call, files: Files, manager: 'system' | 'user'): Plan | Refusal {
  const { terminal } = call;
  const home = terminal.environment['HOME'] || '/';
  const configs = terminal.environment['XDG_CONFIG_HOME'] || join(home, '.config');
  const config = configOf(call, files, manager === 'system' ? '/etc' : configs);
  if (isRefusal(config)) return config;
  const settings = settingsOf(config, terminal, files);
  if (isRefusal(settings)) return settings;
  const places = manager === 'system' ? '/etc/systemd/system' : join(configs, 'systemd/user');
  const [node = ''] = terminal.daemonProgram;
  const pmctl = join(dirname(terminal.daemonProgram.at(-1) ?? ''), 'pmctl.js');
  const cgroups = parseMountinfo(readProc('self/mountinfo') ?? '')?.point ?? null;
  const programs = { daemon: terminal.daemonProgram, pmctl: [node, pmctl] };
  const unit = systemdUnit({ manager, ...programs, config, settings, cgroups });
  return { path: join(places, NAME), unit };
}

/** The file that was named, else the one that lies here, else where one is expected. */
function configOf({ options, terminal }: Call, files: Files, place: string): string | Refusal {
  const here = resolve(terminal.directory, 'config.yaml');
  const usual = join(place, 'processmaster/config.yaml');
  const found =
    options.config === undefined
      ? [here, usual].find((path) => !isFailure(files.status(path)))
      : resolve(terminal.directory, options.config);
  if (found !== undefined && !isFailure(files.status(found))) return found;
  const missing = found ?? usual;
  const advice = `make it first (one line does: config_directory: ${join(dirname(missing), 'config.d')}), or name another with -c`;
  return refusal('error', 'file-unreadable', `there is no master file ${missing}; ${advice}`);
}

/** What the daemon of the unit will go by: none of the variables of this shell reach it. */
function settingsOf(config: string, terminal: Terminal, files: Files): Settings | Refusal {
  const env = Object.fromEntries(
    Object.entries(terminal.environment).filter(([name]) => !name.startsWith('PROCESSMASTER_')),
  );
  const loaded = loadSettings({
    file: config,
    cwd: dirname(config),
    env,
    flags: {},
    files,
    users: systemUsers(),
    hostname: hostname(),
  });
  if ('settings' in loaded) return loaded.settings;
  return refusal('error', 'value-invalid', loaded.problems.map(sentence).join('; '));
}

function write(call: Call, files: Files, { path, unit }: Plan): 'written' | 'the_same' | Refusal {
  const { options, terminal } = call;
  const there = files.read(path, 1024 * 1024);
  if (there === unit) return 'the_same';
  const isFree = isFailure(there) && there.failed === 'ENOENT';
  if (!isFree && options.force !== true) {
    const file = options.config === undefined ? '' : ` -c ${options.config}`;
    const same = `pmctl install-unit${options.user === true ? ' --user' : ''}${file} --print`;
    const look = `compare with ${same}, replace it with --force`;
    return refusal('error', 'unit-differs', `${path} is there already and says something else; ${look}`);
  }
  const failure = files.replace(path, unit, { mode: 0o644, durable: true });
  if (failure === undefined) return 'written';
  const isForRoot = options.user !== true && terminal.user.uid !== 0;
  const advice = isForRoot ? '; use sudo, or --user for a daemon of your own' : '';
  return refusal('error', 'unit-unwritable', `${path} cannot be written (${failure.failed})${advice}`);
}

/** What is to be done now; a daemon that was started by hand holds the locks that the new one needs. */
async function nextSteps(call: Call, manager: 'system' | 'user'): Promise<readonly string[]> {
  const systemctl = manager === 'system' ? 'systemctl' : 'systemctl --user';
  const pid = await runningDaemon(call);
  // Set by systemd for the main process of a unit (systemd.exec(5)).
  const isUnit = pid !== undefined && environmentOf(pid)?.['SYSTEMD_EXEC_PID'] === String(pid);
  if (isUnit) {
    return [`${systemctl} daemon-reload`, `${systemctl} restart processmaster    # touches no service`];
  }
  const first = pid === undefined ? [] : [`pmctl shutdown    # pid ${pid}; its services keep running`];
  const linger = `loginctl enable-linger ${call.terminal.user.name}    # runs also while you are not logged in`;
  return [
    ...first,
    `${systemctl} daemon-reload`,
    `${systemctl} enable --now processmaster`,
    ...(manager === 'user' ? [linger] : []),
  ];
}

async function runningDaemon(call: Call): Promise<number | undefined> {
  const daemon = await call.daemon(AbortSignal.timeout(1000));
  const version = isRefusal(daemon) ? daemon : await daemon.version();
  return isRefusal(version) ? undefined : version.pid;
}
