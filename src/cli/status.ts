/** `status` and `list`: what is the state of the services? */
import type { StatusView } from '../api/contract.ts';
import { safeText } from '../model/terminal-safe.ts';
import { ask, type Call, printJson, printLines, refuse, widthOf } from './call.ts';
import type { Exit } from './exit-codes.ts';
import { isRefusal, type Refusal, wrongUsage } from './refusal.ts';
import { renderStatus } from './render-status.ts';
import { named, withLabels } from './selection.ts';

export async function status(call: Call): Promise<Exit> {
  if (call.options.watch) {
    if (call.options.json) return refuse(call, wrongUsage('--watch draws on a terminal; leave --json out'));
    const { watchStatus } = await import('./watch-status.ts');
    return watchStatus(call);
  }
  const view = await selectedStatus(call);
  if (isRefusal(view)) return refuse(call, view);
  if (call.options.json) printJson(call, view);
  else printLines(call, renderStatus(view, statusLook(call)));
  return 'fine';
}

export async function list(call: Call): Promise<Exit> {
  const view = await selectedStatus(call);
  if (isRefusal(view)) return refuse(call, view);
  const names = view.services.map(({ name }) => name);
  if (call.options.json) printJson(call, { services: names });
  else printLines(call, names.map(safeText));
  return 'fine';
}

/** The daemon's view, cut down to the services that were asked for. */
export async function selectedStatus(call: Call): Promise<StatusView | Refusal> {
  const view = await ask(call, (daemon) => daemon.status());
  if (isRefusal(view)) return view;
  const byName = named(view.services, call.words);
  if (isRefusal(byName)) return byName;
  const services = withLabels(byName, call.options.label ?? []);
  if (isRefusal(services)) return services;
  if (services.length === view.services.length) return view;
  const names = new Set(services.map(({ name }) => name));
  const problems = view.problems.filter(({ service }) => service === undefined || names.has(service));
  return { ...view, services, problems };
}

export function statusLook(call: Call): Parameters<typeof renderStatus>[1] {
  return {
    now: call.terminal.now(),
    width: widthOf(call),
    paint: call.paint,
    instances: call.words.length > 0,
  };
}
