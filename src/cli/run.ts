/** `run`: from a command to a service file and a running service. */
import { resolve } from 'node:path';
import type { ServiceView, Unsigned } from '../api/contract.ts';
import type { DefineRequest, DefineView } from '../api/definition.ts';
import { serviceName } from '../model/names.ts';
import type { NewService } from '../model/new-service.ts';
import { sentence } from '../model/problem.ts';
import { safeText } from '../model/terminal-safe.ts';
import { type Call, printJson, printLines, type Run, refuse } from './call.ts';
import type { Daemon } from './daemon.ts';
import type { Exit } from './exit-codes.ts';
import { withProgress } from './progress.ts';
import { isRefusal, type Refusal, wrongUsage } from './refusal.ts';
import { serviceNameOf } from './service-name-of.ts';
import { renderResults } from './verbs.ts';

const DEFAULT_TIMEOUT = 60_000;

export const run: Run = async (call) => {
  const service = newService(call);
  if (isRefusal(service)) return refuse(call, service);
  const daemon = await daemonOrNew(call);
  if (isRefusal(daemon)) return refuse(call, daemon);
  if (daemon.isRemote && service.dev === true) {
    return refuse(
      call,
      wrongUsage('--dev reads the files of this host, and the daemon may be on another one'),
    );
  }
  const waits = service.dev !== true && call.options.wait !== false;
  const wait = waits ? (call.options.timeout ?? DEFAULT_TIMEOUT) : 0;
  const since = call.terminal.now();
  // Whoever interrupts wants the service to stop: first it must be known whether it is there.
  if (service.dev === true) call.terminal.endItself();
  const asked = service.dev === true ? await call.daemon(new AbortController().signal) : daemon;
  if (isRefusal(asked)) return refuse(call, asked);
  const development = service.dev === true ? await import('./develop.ts') : undefined;
  const marks = await development?.sessionStart(call, asked, service.name);
  const view = await defined(call, asked, { ...service, wait });
  if (isRefusal(view)) return refuse(call, view);
  if (view.result === 'refused') return tellRefused(call, view);
  if (development === undefined) return tell(call, view, waits);
  return development.develop(call, daemon, { view, since, directory: service.directory, marks });
};

function newService({ words, options, terminal }: Call): NewService | Refusal {
  const { name, instances, port, env, user, schedule, dev } = options;
  if (dev === true && schedule !== undefined) {
    return wrongUsage('--dev is for what runs all the time, --schedule for what does not: give one of them');
  }
  const called = name ?? serviceNameOf(words);
  if (called === undefined)
    return wrongUsage('the command says no name for the service: give one with --name');
  const checked = serviceName(called);
  if (typeof checked !== 'string') return wrongUsage(checked.refused);
  return {
    name: checked,
    command: words,
    directory: resolve(terminal.directory, options.cwd ?? '.'),
    ...(instances === undefined ? {} : { instances }),
    ...(port === undefined ? {} : { port }),
    ...(env === undefined ? {} : { env }),
    ...(typeof user === 'string' ? { user } : {}),
    ...(schedule === undefined ? {} : { schedule }),
    ...(dev === true ? { dev } : {}),
  };
}

/** Whoever types a command to be run wants it to run: without a daemon, one is started. */
async function daemonOrNew(call: Call): Promise<Daemon | Refusal> {
  const daemon = await call.daemon();
  if (isRefusal(daemon)) return daemon;
  const version = await daemon.version();
  if (!isRefusal(version)) return daemon;
  if (version.refused.exit !== 'noDaemon') return version;
  const { startDaemon } = await import('./background-daemon.ts');
  const refused = await startDaemon(call, daemon);
  return refused ?? daemon;
}

function defined(
  call: Call,
  daemon: Daemon,
  request: Unsigned<DefineRequest>,
): Promise<DefineView | Refusal> {
  const isOpen = ({ name, state, ready, desired }: ServiceView): boolean =>
    name === request.name &&
    !(state === 'completed' || state === 'scheduled' || (state === 'running' && ready >= desired));
  const answer = daemon.define(request);
  if (request.wait === 0) return answer;
  return withProgress(call, daemon, { doing: 'starting', limit: request.wait, isOpen }, answer);
}

function tellRefused(call: Call, view: DefineView): Exit {
  if (call.options.json) printJson(call, view);
  const sentences = view.problems.length === 0 ? [view.detail] : view.problems.map(sentence);
  for (const text of sentences) call.terminal.complain(`pmctl: ${safeText(text)}\n`);
  return 'error';
}

function tell(call: Call, view: DefineView, waited: boolean): Exit {
  const { service, file, result, detail } = view;
  if (call.options.json) printJson(call, view);
  else {
    const lines = renderResults(call, 'started', [{ service, result, detail }]);
    printLines(call, [...lines, `${service} is defined in ${safeText(file ?? '')}`]);
  }
  if (result === 'done' || (result === 'pending' && !waited)) return 'fine';
  const look = `pmctl why ${service}, pmctl logs ${service}`;
  call.terminal.complain(
    `pmctl: its file stays; look with ${look}; remove it with pmctl delete ${service}\n`,
  );
  return 'error';
}
