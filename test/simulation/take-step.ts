/** How is each step of a history carried out? */
import { runId } from '../../src/model/names.ts';
import type { Machine } from '../twins/machine.ts';
import { GOOD } from '../twins/program.ts';
import { consistent } from './service-file.ts';
import type { Simulation } from './simulation.ts';
import type { Step } from './steps.ts';
import { NOBODY } from './truth.ts';

export function takeStep(simulation: Simulation, step: Step): void {
  const { machine, directory, files } = simulation;
  if (step.step !== 'wait') simulation.note(`— ${JSON.stringify(step)}`);
  if (TOUCH_FILES.has(step.step)) simulation.unread = true;
  switch (step.step) {
    case 'wait':
      simulation.run(step.ms);
      return;
    case 'add':
      directory.files.set(step.text.name, { text: consistent(step.text), broken: false });
      return;
    case 'edit': {
      const file = directory.files.get(step.service);
      if (file !== undefined)
        directory.files.set(step.service, { ...file, text: consistent({ ...file.text, ...step.change }) });
      return;
    }
    case 'break':
    case 'mend': {
      const file = directory.files.get(step.service);
      if (file !== undefined) directory.files.set(step.service, { ...file, broken: step.step === 'break' });
      return;
    }
    case 'remove_file':
      directory.files.delete(step.service);
      return;
    case 'directory':
      directory.condition = step.condition;
      return;
    case 'reload':
      simulation.reload(step.only === null ? undefined : new Set(step.only));
      return;
    case 'prune':
      simulation.prune();
      return;
    case 'program':
      machine.programs.set(step.path, step.program);
      return;
    case 'murder':
      murder(machine, step);
      return;
    case 'command':
      command(simulation, step);
      return;
    case 'crash':
      simulation.nextFate = step.fate;
      simulation.injector.arm(step.calls, step.moment);
      return;
    case 'die':
      simulation.die(step.fate, step.politely);
      return;
    case 'blind':
      blind(simulation, step);
      return;
    case 'stubborn':
      simulation.stubborn = true;
      machine.agenda.add(simulation.now + step.ms, () => {
        simulation.stubborn = false;
      });
      return;
    case 'double':
      double(simulation, step);
      return;
    case 'disk_full':
      files.failing = 'ENOSPC';
      machine.agenda.add(simulation.now + step.ms, () => {
        files.failing = undefined;
      });
      return;
    case 'wakes':
      simulation.wakes = step.how;
      return;
    case 'shutdown':
      simulation.end(false);
      simulation.run(step.patience);
      simulation.end(true);
      simulation.run(500);
      simulation.die(step.fate, true);
  }
}

const TOUCH_FILES: ReadonlySet<Step['step']> = new Set([
  'add',
  'edit',
  'break',
  'mend',
  'remove_file',
  'directory',
]);

type Of<Kind extends Step['step']> = Extract<Step, { step: Kind }>;

function murder(machine: Machine, { service, which, signal }: Of<'murder'>): void {
  const processes = [...machine.processes.values()].filter(({ place }) => place?.key.service === service);
  const victim = processes[which % Math.max(1, processes.length)];
  if (victim !== undefined) machine.end(victim, { kind: 'signaled', signal, oom: false });
}

function double({ machine, truth, clockNow }: Simulation, { service }: Of<'double'>): void {
  const original = [...truth.runs.values()].findLast(
    ({ key, end }) => key.service === service && end === undefined && machine.place(key) !== undefined,
  );
  if (original === undefined) return;
  const key = { ...original.key, id: runId(clockNow, `twin${service}`) };
  machine.startMain(machine.makePlace(key), GOOD, undefined);
  truth.runs.set(key.id, {
    ...original,
    key,
    daemon: NOBODY,
    answers: {},
    unfit: false,
    emptyAt: undefined,
    stopAt: undefined,
    killedAt: undefined,
    killedFrom: undefined,
  });
}

function command(simulation: Simulation, { verb, service, ...rest }: Of<'command'>): void {
  const { directory, daemon } = simulation;
  if (daemon === undefined) return;
  if (verb !== 'enable' && verb !== 'disable') {
    simulation.command({ verb, ...rest }, service);
    return;
  }
  // The command edits the file and deploys it alone.
  const file = directory.files.get(service);
  if (file === undefined) return;
  directory.files.set(service, { ...file, text: { ...file.text, enabled: verb === 'enable' } });
  simulation.reload(new Set([service]));
}

function blind({ blind, machine, now, truth }: Simulation, { what, service, ms }: Of<'blind'>): void {
  const again = (see: () => void): void => {
    machine.agenda.add(now + ms, see);
  };
  if (what === 'tree') {
    blind.tree = true;
    again(() => {
      blind.tree = false;
    });
    return;
  }
  if (what === 'service') {
    blind.services.add(service);
    again(() => blind.services.delete(service));
    return;
  }
  for (const { key, end } of truth.runs.values()) {
    if (key.service !== service || end !== undefined) continue;
    blind.runs.add(key.id);
    again(() => blind.runs.delete(key.id));
  }
}
