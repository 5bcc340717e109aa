/** Is nothing started without its pre_start hook, told to end without its pre_stop hook, or forgotten before post_stop? */
import type { RunId } from '../../../src/model/names.ts';
import { Broken, type Checker } from '../checker.ts';

const PROMISE =
  'nothing starts before its pre_start hook has succeeded, is told to end before its pre_stop hook, or forgotten before its post_stop hook has ended';

/** A pre_start hook that went well, and when. */
interface Preparation {
  readonly digest: string;
  readonly at: number;
}

/** One for each history: it remembers which hooks went well. */
export function hooked(): Checker {
  const prepared = new Map<string, Preparation>();
  const used = new Map<string, Preparation & { readonly usedAt: number }>();
  const running = new Map<
    RunId,
    { readonly place: string; readonly digest: string; readonly daemon: number }
  >();
  const stopping = new Map<RunId, { readonly at: number; readonly daemon: number; over: boolean }>();
  const clearing = new Map<RunId, { readonly service: string; readonly daemon: number }>();
  return {
    promise: PROMISE,
    see(entry, { truth, now, clockNow }) {
      if (entry.what === 'forget') {
        for (const { service, daemon } of clearing.values()) {
          if (service !== entry.service || daemon !== entry.daemon) continue;
          throw new Broken(PROMISE, `${service} was forgotten while a post_stop hook of it ran`);
        }
      }
      if (!('run' in entry)) return;
      const { service, slot, id } = entry.run;
      const place = `${service}/${slot}`;
      const desired = truth.inForce.get(service);
      const digest = desired?.kind === 'defined' ? `${desired.digest} ${entry.run.generation}` : '';
      const bad = (how: string): Broken => new Broken(PROMISE, `${place} ${how}`);
      switch (entry.what) {
        case 'beside':
          if (entry.word === 'pre_stop') {
            const last = stopping.get(id);
            if (last?.over === true && last.daemon === entry.daemon)
              throw bad('has run its pre_stop hook twice');
            stopping.set(id, { at: now, daemon: entry.daemon, over: false });
          }
          if (entry.word === 'post_stop') clearing.set(id, { service, daemon: entry.daemon });
          if (entry.word !== 'pre_start') return;
          for (const other of running.values()) {
            if (other.place === place && other.daemon === entry.daemon)
              throw bad('is prepared twice at a time');
          }
          prepared.delete(place);
          running.set(id, { place, digest, daemon: entry.daemon });
          return;
        case 'taken_back':
          if (entry.word === 'pre_start') running.delete(id);
          return;
        case 'answer': {
          const stop = stopping.get(id);
          if (entry.word === 'post_stop') clearing.delete(id);
          if (entry.word === 'pre_stop' && stop !== undefined) stop.over = true;
          const hook = running.get(id);
          if (entry.word !== 'pre_start' || hook === undefined) return;
          running.delete(id);
          if (entry.ok) prepared.set(place, { digest: hook.digest, at: now });
          return;
        }
        case 'start':
        case 'refused': {
          const ready = prepared.get(place);
          prepared.delete(place);
          const last = used.get(place);
          if (ready !== undefined) used.set(place, { ...ready, usedAt: now });
          if (desired?.kind !== 'defined' || desired.spec.hooks.pre_start === null) return;
          // That it was used could not be written down, and its daemon died.
          const unwritten = truth.writeFailedAt >= (last?.at ?? now) && truth.diedAt >= (last?.usedAt ?? now);
          if (unwritten && last?.digest === digest) return;
          if (ready?.digest !== digest) throw bad('was started without its pre_start hook');
          return;
        }
        case 'signal':
        case 'stop_command': {
          const run = truth.runs.get(id);
          if (run === undefined || truth.ending?.hurry === true || truth.isHeld(service, clockNow)) return;
          const { specs, sure } = truth.settingsOf(run);
          const timeouts = specs.map(({ hooks }) => hooks.pre_stop?.timeout ?? null);
          // A definition without the hook was in force when the stop began, or may have been.
          const known = truth.definitions.get(`${service} ${run.key.hash}`) ?? [];
          if (!sure || known.some(({ spec }) => spec.hooks.pre_stop === null)) return;
          const stop = stopping.get(id);
          if (stop === undefined) throw bad('was told to end without its pre_stop hook');
          const least = Math.min(...timeouts.map((timeout) => timeout ?? 0));
          if (stop.over || (stop.daemon === entry.daemon && now - stop.at >= least)) return;
          throw bad('was told to end before its pre_stop hook had ended');
        }
        default:
      }
    },
  };
}
