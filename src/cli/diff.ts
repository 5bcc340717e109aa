/** `diff` and `update`: what differs between the files and what runs, and make it the same. */
import type { PlanRequest } from '../api/changes.ts';
import type { DiffView, ServiceView, UpdateView } from '../api/contract.ts';
import { ask, type Call, printJson, printLines, refuse, widthOf } from './call.ts';
import type { Daemon } from './daemon.ts';
import type { Exit } from './exit-codes.ts';
import { withProgress } from './progress.ts';
import { isRefusal, type Refusal, unknownServices, wrongUsage } from './refusal.ts';
import { renderDiff } from './render-diff.ts';
import { lastWords } from './verbs.ts';

/** Exit 1 when files have errors, else 2 when something would be done or the guard holds a removal, else 0. */
export async function diff(call: Call): Promise<Exit> {
  const [from, to] = call.words;
  if (from !== undefined) {
    if (call.options.out !== undefined) {
      return refuse(call, wrongUsage('--out saves what update would do; leave the snapshots out'));
    }
    const { compare } = await import('./compare.ts');
    return compare(call, from, to);
  }
  const view = await ask(call, (daemon) => daemon.diff());
  if (isRefusal(view)) return refuse(call, view);
  if (call.options.out !== undefined) {
    const { savePlan } = await import('./plan-file.ts');
    const unsaved = savePlan(call.options.out, view);
    if (unsaved !== undefined) return refuse(call, unsaved);
  }
  print(call, view);
  if (view.errors.length > 0) return 'error';
  return view.prune !== null || view.changes.some(({ action }) => action !== 'keep') ? 'changes' : 'fine';
}

const DEFAULT_TIMEOUT = 60_000;

export async function update(call: Call): Promise<Exit> {
  const { words, options } = call;
  if (words.includes('all') && words.length > 1) {
    return refuse(call, wrongUsage('all stands alone: it means every service'));
  }
  const plan = await planNamed(words);
  if (isRefusal(plan)) return refuse(call, plan);
  const services = words[0] === 'all' || plan !== undefined ? [] : words;
  const daemon = await call.daemon();
  if (isRefusal(daemon)) return refuse(call, daemon);
  const unknown = await checkNames(daemon, services);
  if (unknown !== undefined) return refuse(call, unknown);
  const wait = options.wait === false ? 0 : (options.timeout ?? DEFAULT_TIMEOUT);
  const asked = daemon.update({
    ...{ services, prune: options.prune === true, wait },
    // An older daemon knows no such word: it is not told what is the default anyway.
    ...(options.onFailure === undefined ? {} : { on_failure: options.onFailure }),
    ...(plan === undefined ? {} : { plan }),
  });
  const isOpen = (service: ServiceView): boolean =>
    (services.length === 0 || services.includes(service.name)) && isMoving(service);
  const view = await withProgress(call, daemon, { doing: 'updating', limit: wait, isOpen }, asked);
  if (isRefusal(view)) return refuse(call, view);
  print(call, view);
  if (!call.options.json) printLines(call, lastWords([...view.changes, ...(view.underway ?? [])]));
  return exitOf(view, services, wait > 0);
}

/** A word that ends in .json is a plan; it stands alone. */
async function planNamed(words: readonly string[]): Promise<PlanRequest | Refusal | undefined> {
  const file = words.find((word) => /\.json$/i.test(word));
  if (file === undefined) return undefined;
  if (words.length > 1) return wrongUsage(`${file} is a plan, which says itself what is updated`);
  const { readPlan } = await import('./plan-file.ts');
  return readPlan(file);
}

/** A service that is only in a new file is known by the change that would start it. */
async function checkNames(daemon: Daemon, names: readonly string[]): Promise<Refusal | undefined> {
  if (names.length === 0) return undefined;
  const [status, pending] = await Promise.all([daemon.status(), daemon.diff()]);
  if (isRefusal(status)) return status;
  if (isRefusal(pending)) return pending;
  const known = [
    ...status.services.map(({ name }) => name),
    ...pending.changes.map(({ service }) => service),
  ];
  const unknown = names.filter((name) => !known.includes(name));
  return unknown.length === 0 ? undefined : unknownServices(unknown, known);
}

function isMoving(service: ServiceView): boolean {
  return service.state === 'starting' || service.state === 'stopping' || service.drift === 'pending';
}

function print(call: Call, view: DiffView | UpdateView): void {
  if (call.options.json) printJson(call, view);
  else printLines(call, renderDiff(view, { width: widthOf(call), paint: call.paint }));
}

/** The guard first, then what failed, then what is wrong with files or has not come about in time. */
export function exitOf(view: UpdateView, services: readonly string[], waited: boolean): Exit {
  const { prune, changes, errors, failed = [], underway = [] } = view;
  if (errors.some(({ code }) => code === 'plan-stale')) return 'stalePlan';
  const guarded = prune?.services.some((name) => services.length === 0 || services.includes(name)) ?? false;
  if (guarded) return 'guarded';
  const made = changes.filter(({ action }) => action !== 'keep');
  const results = new Set([...made, ...underway].map(({ result }) => result));
  // Whoever names a service wants it to run, also when there is nothing to be changed about it.
  const isDown = failed.some(({ service }) => services.includes(service));
  if (isDown || results.has('failed') || results.has('refused')) return 'partly';
  const isLate = waited && results.has('pending');
  return errors.length > 0 || isLate ? 'error' : 'fine';
}
