/** `start`, `stop`, `restart`, `hold`, `release`, `enable`, `disable`, `scale`: one command path for all of them. */
import type {
  CommandRequest,
  CommandResult,
  CommandView,
  ServiceView,
  Unsigned,
  Verb,
} from '../api/contract.ts';
import { safeLine, safeText } from '../model/terminal-safe.ts';
import { type Call, printJson, printLines, type Run, refuse } from './call.ts';
import type { Daemon } from './daemon.ts';
import type { Exit } from './exit-codes.ts';
import { withProgress } from './progress.ts';
import { isRefusal, type Refusal, wrongUsage } from './refusal.ts';
import { checkWords, type Selection, select } from './selection.ts';
import { table } from './table.ts';

export const start: Run = (call) => run(call, { verb: 'start', waits: true, ofAll: isWanted });
export const stop: Run = (call) => run(call, { verb: 'stop', waits: true, ofAll: isThereToStop });
export const restart: Run = (call) => run(call, { verb: 'restart', waits: true, ofAll: isNotStopped });
export const reload: Run = (call) => run(call, { verb: 'reload', waits: true, ofAll: isNotStopped });
export const trigger: Run = (call) => run(call, { verb: 'trigger', waits: true, ofAll: isScheduled });
export const release: Run = (call) => run(call, { verb: 'release', waits: false, ofAll: isHeld });
export const enable: Run = (call) => run(call, { verb: 'enable', waits: true });
export const disable: Run = (call) => run(call, { verb: 'disable', waits: true });

export const hold: Run = (call) => {
  const { message = '', for: time } = call.options;
  if (message.trim() === '')
    return Promise.resolve(refuse(call, wrongUsage('say why: hold SERVICE -m "reason"')));
  const details = { reason: message, ...(typeof time === 'number' ? { for: time } : {}) };
  return run(call, { verb: 'hold', waits: false, details });
};

export const scale: Run = (call) => {
  const [service = '', number = ''] = call.words;
  if (service === 'all') return Promise.resolve(refuse(call, wrongUsage('scale takes one service, not all')));
  if (!/^\d{1,3}$/.test(number)) {
    const message = `${JSON.stringify(number)} is no number of instances; write 0 to 999`;
    return Promise.resolve(refuse(call, wrongUsage(message)));
  }
  const words = [service];
  return run({ ...call, words }, { verb: 'scale', waits: true, details: { instances: Number(number) } });
};

interface Deed {
  readonly verb: Verb;
  /** True when the outcome takes time, and is waited for unless `--no-wait` is given. */
  readonly waits: boolean;
  readonly details?: Pick<Unsigned<CommandRequest>, 'reason' | 'for' | 'instances'>;
  /** Which services `all` and labels stand for. */
  readonly ofAll?: (service: ServiceView) => boolean;
}

const DEFAULT_TIMEOUT = 60_000;

async function run(call: Call, deed: Deed): Promise<Exit> {
  const selection: Selection = { words: call.words, labels: call.options.label ?? [] };
  const wrong = checkWords(selection);
  if (wrong !== undefined) return refuse(call, wrong);
  const daemon = await call.daemon();
  if (isRefusal(daemon)) return refuse(call, daemon);
  const view = await daemon.status();
  if (isRefusal(view)) return refuse(call, view);
  const selected = select(view.services, selection, deed.ofAll);
  if (isRefusal(selected)) return refuse(call, selected);
  const waits = deed.waits && call.options.wait !== false;
  const request: Unsigned<CommandRequest> = {
    verb: deed.verb,
    services: selected.map(({ name }) => name),
    ...deed.details,
    wait: waits ? (call.options.timeout ?? DEFAULT_TIMEOUT) : 0,
  };
  const answer = await carryOut(call, daemon, request);
  if (isRefusal(answer)) return refuse(call, answer);
  if (call.options.json) printJson(call, answer);
  else if (answer.results.length === 0) printLines(call, [`no service to ${deed.verb}`]);
  else printLines(call, renderResults(call, DONE[deed.verb], answer.results));
  return exitOf(answer.results, waits);
}

/** An empty selection asks nothing: an empty list of names could be read as every service. */
async function carryOut(
  call: Call,
  daemon: Daemon,
  request: Unsigned<CommandRequest>,
): Promise<CommandView | Refusal> {
  if (request.services.length === 0) return { results: [] };
  if (request.wait === 0) return daemon.command(request);
  const awaited = {
    doing: DOING[request.verb],
    limit: request.wait,
    isOpen: (service: ServiceView) =>
      request.services.includes(service.name) && !isThere(service, request.verb),
  };
  return withProgress(call, daemon, awaited, daemon.command(request));
}

function isThere(service: ServiceView, verb: Verb): boolean {
  if (verb === 'stop' || verb === 'disable')
    return service.state === 'stopped' || service.state === 'completed';
  if (service.state === 'completed' || service.state === 'scheduled') return true;
  if (service.state === 'stopped' && service.enabled && service.desired === 0) return true;
  return service.state === 'running' && service.ready >= service.desired && service.drift !== 'pending';
}

/** What has completed, or waits for its time, is not started, stopped or replaced by `all`: only by its name. */
function isOngoing(service: ServiceView): boolean {
  return service.state !== 'completed' && service.state !== 'scheduled';
}

/** A disabled service is down by its file: `start all` would leave out what `stop all` had noted of it. */
function isThereToStop(service: ServiceView): boolean {
  const isDown = service.state === 'stopped' || service.state === 'stopping';
  return isOngoing(service) && (service.enabled || !isDown);
}

/** A disabled service is started by its file, not by `all`. */
function isWanted(service: ServiceView): boolean {
  return isOngoing(service) && service.enabled;
}

/** What somebody stopped stays stopped until `start`, or a restart that names it. */
function isNotStopped(service: ServiceView): boolean {
  return isWanted(service) && service.drift !== 'stopped';
}

function isScheduled(service: ServiceView): boolean {
  return service.schedule !== null;
}

function isHeld(service: ServiceView): boolean {
  return service.state === 'held' || service.drift === 'held';
}

const DOING: Readonly<Record<Verb, string>> = {
  start: 'starting',
  stop: 'stopping',
  restart: 'restarting',
  reload: 'reloading',
  trigger: 'running',
  hold: 'holding',
  release: 'releasing',
  enable: 'enabling',
  disable: 'disabling',
  scale: 'scaling',
};

const DONE: Readonly<Record<Verb, string>> = {
  start: 'started',
  stop: 'stopped',
  restart: 'restarted',
  reload: 'reloaded',
  trigger: 'ran',
  hold: 'held',
  release: 'released',
  enable: 'enabled',
  disable: 'disabled',
  scale: 'scaled',
};

/** @param done what is said of a service with which it worked: `started` */
export function renderResults(
  call: Call,
  done: string,
  results: readonly CommandResult[],
): readonly string[] {
  const rows = results.map(({ service, result, detail }) => [
    { text: service },
    {
      text: result === 'done' ? done : result === 'unknown_service' ? 'unknown' : result,
      colour:
        result === 'done'
          ? ('green' as const)
          : result === 'pending'
            ? ('yellow' as const)
            : ('red' as const),
    },
    { text: detail },
  ]);
  const columns = ['SERVICE', 'RESULT', 'DETAIL'].map((title) => ({ title, align: 'left' as const }));
  // Not cut to the terminal: the end of a sentence that says why not is worth a second line.
  const lines = table(columns, rows, { width: null, paint: call.paint, header: false });
  return [...lines, ...lastWords(results)];
}

/** What definitions wrote that failed to take over. */
export function lastWords(
  results: readonly Pick<CommandResult, 'service' | 'log' | 'kept'>[],
): readonly string[] {
  return results.flatMap(({ service, log = [], kept }) => {
    if (log.length === 0) return [];
    const name = safeText(service);
    // What goes on may have written some of them.
    return [
      `  ${name}: written since ${kept ? 'the new one' : 'it'} was started:`,
      ...log.map((line) => `  ${name} | ${safeLine(line)}`),
    ];
  });
}

export function exitOf(results: readonly CommandResult[], waited: boolean): Exit {
  const bad = results.filter(({ result }) => result !== 'done' && (waited || result !== 'pending'));
  if (bad.length === 0) return 'fine';
  if (bad.some(({ result }) => result === 'unknown_service')) return 'unknownService';
  if (bad.some(({ kept }) => kept === true)) return 'partly';
  return bad.length < results.length ? 'partly' : 'error';
}
