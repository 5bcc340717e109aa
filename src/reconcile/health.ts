/** How are the runs that live, as their probes tell? */
import { NO_RUN, type RunMemory } from '../model/memory.ts';
import type { RunId } from '../model/names.ts';
import { NO_PROBE, type ProbeKind } from '../model/probe.ts';
import { adoptedProbe, type Health, healthOf, type Probes } from '../policy/probe.ts';
import type { LivingRun } from './notice-exits.ts';

export const PROBE_KINDS: readonly ProbeKind[] = ['startup', 'readiness', 'liveness'];

/** Nobody knows what it would have to be asked. */
const UNKNOWN: Health = {
  ready: false,
  live: 'alive',
  started: 'passed',
  because: 'its definition is not known',
};

export interface Examined {
  /** Of each run that is alive. */
  readonly health: ReadonlyMap<RunId, Health>;
  readonly runs: Readonly<Record<RunId, RunMemory>>;
}

/**
 * Judges the probes of each run. Runs of an earlier daemon are met here first: what it counted in a row counts no
 * more, and they are ready again only when a probe says so.
 * @param reloads how often a reload was asked for: a run that is met now is taken to have heard of it
 */
export function examine(
  living: readonly LivingRun[],
  remembered: Readonly<Record<RunId, RunMemory>>,
  now: number,
  reloads: number,
): Examined {
  const health = new Map<RunId, Health>();
  const runs: Record<RunId, RunMemory> = { ...remembered };
  for (const one of living) {
    if (one.life !== 'alive') continue;
    const { id } = one.run.key;
    const known = met(one, remembered[id], now, reloads);
    const judged = one.spec === undefined ? UNKNOWN : healthOf(probesOf(one, known));
    const readySince = judged.ready ? (known.readySince ?? now) : null;
    health.set(id, judged);
    const everReady = known.everReady || readySince !== null;
    if (known !== remembered[id] || readySince !== known.readySince || everReady !== known.everReady)
      runs[id] = { ...known, readySince, everReady };
  }
  return { health, runs };
}

/** The probes that a run is to be asked, by the definition as it is now. */
export function probesOf({ spec }: LivingRun, known: RunMemory): Probes {
  const probes: Partial<Record<ProbeKind, Probes[ProbeKind]>> = {};
  for (const kind of PROBE_KINDS) {
    const probe = spec?.probes[kind];
    if (probe) probes[kind] = { spec: probe, memory: known.probes[kind] ?? NO_PROBE };
  }
  return probes as Probes;
}

function met(
  { run, spec }: LivingRun,
  remembered: RunMemory | undefined,
  now: number,
  reloads: number,
): RunMemory {
  if (remembered?.met === true) return remembered;
  const known = remembered ?? { ...NO_RUN, reloaded: reloads, postStarted: true };
  if (!run.adopted) return { ...known, met: true };
  const probes: Record<string, RunMemory['probes'][ProbeKind]> = {};
  for (const kind of PROBE_KINDS) {
    const probe = spec?.probes[kind];
    if (probe) probes[kind] = adoptedProbe(kind, known.probes[kind], now);
  }
  const everReady = known.everReady || known.readySince !== null;
  return { ...known, met: true, probes, readySince: null, everReady };
}
