/** What is told of what goes wrong beside a run? */
import type { HookName } from '../model/action.ts';
import type { RunKey } from '../model/names.ts';
import { type ProbeKind, safeDetail } from '../model/probe.ts';
import type { Problem } from '../model/problem.ts';
import { describeOutcome } from '../policy/restart.ts';
import type { BesideOutcome } from '../world/world.ts';

export function unasked(run: RunKey, kind: ProbeKind, why: string): Problem {
  const message = `the ${kind} probe of instance ${run.slot} could not be asked: ${why}`;
  return { code: 'observe-failed', severity: 'warning', message, service: run.service };
}

export function hookFailure(
  run: RunKey,
  hook: HookName,
  ended: BesideOutcome,
  timeout: number,
): Problem | undefined {
  if (ended.kind === 'exited' && ended.code === 0) return undefined;
  const message = `its ${hook} hook ${inWords(ended, timeout)}`;
  const severity = hook === 'pre_start' ? 'error' : 'warning';
  return { code: 'hook-failed', severity, message, path: `hooks.${hook}`, service: run.service };
}

export function inWords(ended: BesideOutcome, timeout: number): string {
  return ended.kind === 'timed_out'
    ? `did not end within ${timeout / 1000} s`
    : safeDetail(describeOutcome(ended));
}
