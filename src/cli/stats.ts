/** `stats`: what do the services use? */
import type { ServiceStats, StatsView } from '../api/stats.ts';
import { ask, type Call, printJson, printLines, refuse, widthOf } from './call.ts';
import type { Exit } from './exit-codes.ts';
import { isRefusal, type Refusal } from './refusal.ts';
import { renderStats } from './render-stats.ts';
import { named } from './selection.ts';
import { chosen, type Order } from './stats-order.ts';

export function stats(call: Call): Promise<Exit> {
  return printStats(call, call.options.sort ?? 'name');
}

/** Once, as a table or as JSON. */
export async function printStats(call: Call, by: Order): Promise<Exit> {
  const view = await selectedStats(call);
  if (isRefusal(view)) return refuse(call, view);
  const services = chosen(view.services, { by, reversed: false, filter: '' });
  if (call.options.json) printJson(call, { services });
  else printLines(call, linesOf(call, services));
  return 'fine';
}

/** The daemon's view, cut down to the services that were named. */
export async function selectedStats(call: Call): Promise<StatsView | Refusal> {
  const view = await ask(call, (daemon) => daemon.stats());
  if (isRefusal(view)) return view;
  const services = named(view.services, call.words);
  return isRefusal(services) ? services : { services };
}

function linesOf(call: Call, services: readonly ServiceStats[]): readonly string[] {
  if (services.length === 0) return ['no services'];
  return renderStats(services, { width: widthOf(call), paint: call.paint });
}
