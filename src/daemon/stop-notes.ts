/** What has become of a step of a stop, for the next decision to know? */
import type { StopProgress } from '../model/memory.ts';
import type { RunKey } from '../model/names.ts';
import type { Store } from './store.ts';

/** Nothing was stopped: a later decision sends the signal (again), as long as there is grace. */
export function noteUnsent(run: RunKey, store: Store): void {
  note(run, store, ({ step }) => (step === 'command' || step === 'signal' ? 'unsent' : step));
}

/** The pre_stop hook has ended: no later daemon runs it again. */
export function noteHooked(run: RunKey, store: Store): void {
  note(run, store, ({ step }) => (step === 'hook' ? 'hooked' : step));
}

function note(run: RunKey, store: Store, next: (stop: StopProgress) => StopProgress['step']): void {
  const memory = store.memory(run.service);
  const known = memory.runs[run.id];
  if (known?.stop == null) return;
  const step = next(known.stop);
  if (step === known.stop.step) return;
  const stop = { ...known.stop, step };
  store.setMemory(run.service, { ...memory, runs: { ...memory.runs, [run.id]: { ...known, stop } } });
}
