/** What goes on beside runs: probes, hooks and reload commands, and what their answers mean. */
import {
  environmentFor,
  type LogSizes,
  launchOf,
  logSizes,
  type StartTools,
  workingDirectoryOf,
} from '../executor/start.ts';
import type { Action, Event } from '../model/action.ts';
import { logPathOf } from '../model/log-path.ts';
import { type RunId, type RunKey, type ServiceName, startOfRun } from '../model/names.ts';
import type { ObservedRun } from '../model/observed.ts';
import { askedOf, NO_PROBE, type ProbeResult, type ProbeSpec, safeDetail } from '../model/probe.ts';
import type { Problem } from '../model/problem.ts';
import type { Defined } from '../model/spec.ts';
import { fillIn } from '../model/template.ts';
import { afterProbe } from '../policy/probe.ts';
import { specOf } from '../reconcile/notice-exits.ts';
import { besides, type Situation } from '../reconcile/situation.ts';
import type { BesideOutcome } from '../world/world.ts';
import { hookFailure, inWords, unasked } from './beside-trouble.ts';
import { noteFailedStart } from './failed-start.ts';
import { type Identity, identityOf } from './identity.ts';
import { LogProbes, type OpenLogProbe } from './log-probe.ts';
import { noteHooked } from './stop-notes.ts';
import type { Store } from './store.ts';

export interface BesidesTools extends StartTools {
  readonly store: Store;
  readonly mark: (service: ServiceName) => void;
  readonly report: (event: Event) => void;
  /** Absent: a log is what the host has at its path. */
  readonly openLogProbe?: OpenLogProbe;
}

type Of<Deed extends Action['do']> = Extract<Action, { do: Deed }>;

/** A reload command may take so long. Milliseconds. */
const RELOAD_TIMEOUT = 60_000;

/** What an earlier daemon left of a pre_stop hook is given so long to go before the stop goes on without it. Milliseconds. */
const PUT_OFF = 2000;

export class Besides {
  readonly #tools: BesidesTools;
  readonly #cancels = new Map<string, () => void>();
  /** Runs that have a descriptor for their newline. */
  readonly #listening = new Set<RunId>();
  /** Runs that have written their newline. */
  readonly #heard = new Set<string>();
  /** Environments of runs that have a hook for when they are gone: nobody can be asked for them then. */
  readonly #environments = new Map<string, Readonly<Record<string, string>>>();
  /** Runs of which the post_stop hook was begun, until their place has gone. */
  readonly #left = new Set<string>();
  /** Since when a pre_stop hook could not be begun. */
  readonly #putOff = new Map<RunId, number>();
  /** Where the output of pre_start hooks that run begins in the logs. */
  readonly #outputs = new Map<RunId, LogSizes>();
  readonly #logProbes: LogProbes;

  constructor(tools: BesidesTools) {
    this.#tools = tools;
    this.#logProbes = new LogProbes(tools.openLogProbe);
  }

  /** As in {@link Situation.inFlight}. */
  get inFlight(): Situation['inFlight'] {
    return this.#cancels;
  }

  /** The run wrote a newline on its descriptor. */
  heard(run: RunKey, spec: ProbeSpec): void {
    this.#heard.add(run.id);
    this.#note(run, 'startup', spec, { ok: true, detail: 'a newline was written', elapsed: 0 });
  }

  /** Listens again to a run of an earlier daemon that has not said yet that it has started. */
  listenAgain({ key, main }: ObservedRun, situation: Situation): void {
    const startup = specOf(situation, key.hash)?.probes.startup;
    const known = this.#tools.store.memory(key.service).runs[key.id]?.probes.startup;
    if (startup && 'fd' in startup.how) this.#listening.add(key.id);
    if (!startup || !('fd' in startup.how) || known === undefined || known.passed !== null) return;
    const heard = (): void => this.heard(key, startup);
    const listening =
      main.is === 'running'
        ? this.#tools.world.containment.hear(main.pid, { fd: startup.how.fd, heard })
        : undefined;
    // It has closed the descriptor: there is nothing left that it could say.
    if (listening === undefined) heard();
    else this.#cancels.set(`${key.id} ear`, listening);
  }

  /** Keeps what the run was started with: for its newline, and for its hook after the end. */
  started(run: RunKey, desired: Defined, port: number | null): void {
    const { startup } = desired.spec.probes;
    if (startup !== null && 'fd' in startup.how) this.#listening.add(run.id);
    if (desired.spec.hooks.post_stop === null) return;
    this.#environments.set(run.id, environmentFor(run, desired, this.#tools, port));
  }

  /** The place of the run has gone. */
  removed(run: RunKey): void {
    this.#left.delete(run.id);
    this.#environments.delete(run.id);
  }

  /** A hook of a start that is not wanted any more is ended. */
  callOff(run: RunId): void {
    const key = besides(run, 'pre_start');
    const cancel = this.#cancels.get(key);
    this.#cancels.delete(key);
    this.#outputs.delete(run);
    cancel?.();
  }

  /** Some run has ended, and its hook for that has not. */
  get isCleaningUp(): boolean {
    return [...this.#cancels.keys()].some((key) => key.endsWith(' post_stop'));
  }

  /** The run is gone: nobody wants answers about it. */
  forget(run: RunKey): void {
    this.#heard.delete(run.id);
    this.#listening.delete(run.id);
    this.#logProbes.forget(run.id);
    this.#putOff.delete(run.id);
    for (const [key, cancel] of [...this.#cancels]) {
      if (!key.startsWith(`${run.id} `) || key.endsWith(' post_stop')) continue;
      this.#cancels.delete(key);
      cancel();
    }
  }

  probe({ run, kind, spec }: Of<'probe'>, situation: Situation): Problem | undefined {
    const { timeout } = spec;
    const how = askedOf(spec.how, this.#values(run));
    const key = besides(run.id, kind);
    const done = (result: ProbeResult) => {
      this.#cancels.delete(key);
      // The host was short of something, which says nothing about the run: the next time to ask comes anyway.
      if (!result.ok && result.passing === true) this.#tools.complain(unasked(run, kind, result.detail));
      else this.#note(run, kind, spec, result);
    };
    const { prober } = this.#tools.world;
    if ('http' in how) {
      this.#cancels.set(key, prober.http(how.http, timeout, done));
    } else if ('tcp' in how) {
      this.#cancels.set(key, prober.tcp(how.tcp, timeout, done));
    } else if ('exec' in how) {
      const problem = this.#command(run, kind, how.exec, timeout, situation, null, (ended) => {
        const elapsed = Math.max(0, this.#tools.world.clock.now() - situation.now);
        done({ ok: ended.kind === 'exited' && ended.code === 0, detail: inWords(ended, timeout), elapsed });
      });
      if (problem !== undefined) {
        const isPassing = problem.passing === true ? ({ passing: true } as const) : {};
        done({ ok: false, detail: safeDetail(problem.message), elapsed: 0, ...isPassing });
      }
    } else if ('log' in how) {
      const identity = identityOf(run, situation, this.#tools.world.users);
      const known = identity !== undefined && 'spec' in identity ? identity : undefined;
      const from = this.#tools.store.memory(run.service).runs[run.id]?.logFrom ?? 0;
      if (known === undefined) {
        done({ ok: false, detail: 'its definition is not known', elapsed: 0 });
        return undefined;
      }
      const path = logPathOf(known.spec.logs.stdout, run.slot);
      const since = startOfRun(run.id);
      const question = { path, credentials: known.credentials, since, from, pattern: how.log };
      this.#cancels.set(key, this.#logProbes.ask(run.id, question, done));
    } else if (!this.#listening.has(run.id)) {
      // The file asked for it only after the run was started: without the descriptor it can never say so.
      done({ ok: true, detail: `it was started without descriptor ${how.fd}`, elapsed: 0 });
    } else if (!this.#heard.has(run.id)) {
      done({ ok: false, detail: `no newline on descriptor ${how.fd} yet`, elapsed: 0 });
    }
    return undefined;
  }

  hook({ run, hook }: Of<'hook'>, situation: Situation): Problem | undefined {
    const identity = identityOf(run, situation, this.#tools.world.users);
    const spec = identity !== undefined && 'spec' in identity ? identity.spec.hooks[hook] : null;
    const key = besides(run.id, hook);
    if (hook === 'post_stop') {
      // Its place could not be removed and is removed again: once is enough.
      if (this.#left.has(run.id)) return undefined;
      this.#left.add(run.id);
    }
    const over = (failure: Problem | undefined) => {
      this.#cancels.delete(key);
      if (failure !== undefined && hook !== 'pre_start') this.#tools.complain(failure);
      if (hook === 'pre_start') this.#prepared(run, situation, failure);
      if (hook === 'pre_stop') noteHooked(run, this.#tools.store);
      this.#tools.mark(run.service);
    };
    const problem =
      identity !== undefined && 'code' in identity
        ? identity
        : spec === null
          ? undefined
          : this.#command(
              run,
              hook,
              this.#filled(run, spec.command),
              spec.timeout,
              situation,
              'logs',
              (ended) => {
                over(hookFailure(run, hook, ended, spec.timeout));
              },
            );
    if (hook === 'pre_stop' && problem?.passing === true && this.#mayPutOff(run)) return problem;
    if (problem !== undefined || spec === null) over(problem);
    return undefined;
  }

  #mayPutOff({ id }: RunKey): boolean {
    const now = this.#tools.world.clock.now();
    const since = this.#putOff.get(id) ?? now;
    this.#putOff.set(id, since);
    return Math.abs(now - since) < PUT_OFF;
  }

  reload({ run }: Of<'reload'>, situation: Situation): Problem | undefined {
    const identity = identityOf(run, situation, this.#tools.world.users);
    if (identity === undefined) return undefined;
    if ('code' in identity) return identity;
    const { reload_signal, reload_command } = identity.spec.process;
    if (reload_command === null) {
      if (reload_signal === null) return undefined;
      const main = situation.memory.runs[run.id]?.main ?? null;
      return this.#tools.world.containment.signalMain(run, main, reload_signal);
    }
    const argv = this.#filled(run, reload_command);
    return this.#command(run, 'reload', argv, RELOAD_TIMEOUT, situation, 'logs', (ended) => {
      this.#cancels.delete(besides(run.id, 'reload'));
      this.#tools.mark(run.service);
      if (ended.kind === 'exited' && ended.code === 0) return;
      const message = `the reload command of instance ${run.slot} ${inWords(ended, RELOAD_TIMEOUT)}`;
      this.#tools.complain({ code: 'reload-failed', severity: 'error', message, service: run.service });
    });
  }

  #command(
    run: RunKey,
    what: 'reload' | Of<'hook'>['hook'] | Of<'probe'>['kind'],
    argv: readonly string[],
    timeout: number,
    situation: Situation,
    output: 'logs' | null,
    done: (ended: BesideOutcome) => void,
  ): Problem | undefined {
    const { world } = this.#tools;
    const identity = identityOf(run, situation, world.users);
    if (identity === undefined || 'code' in identity) return identity;
    const { spec, credentials } = identity;
    const { port } = this.#values(run);
    const open = (path: string) => (output === null ? null : this.#open(path, run, identity));
    const stdout = open(logPathOf(spec.logs.stdout, run.slot));
    const stderr = open(logPathOf(spec.logs.stderr, run.slot));
    const environment = this.#environment(run, identity);
    const launch = launchOf({ spec, credentials }, argv, environment, { stdout, stderr }, run, port);
    try {
      const isNoted = what === 'pre_start' && stdout !== null && stderr !== null;
      const sizes = isNoted ? logSizes(stdout, stderr, world) : undefined;
      if (sizes !== undefined && 'code' in sizes) return { ...sizes, service: run.service };
      const begun = world.containment.runBeside(run, what, launch, timeout, done);
      if ('code' in begun) return { ...begun, service: run.service };
      if (sizes !== undefined) this.#outputs.set(run.id, sizes);
      this.#cancels.set(besides(run.id, what), begun.cancel);
      return undefined;
    } finally {
      if (stdout !== null) this.#tools.closeLog(stdout);
      if (stderr !== null) this.#tools.closeLog(stderr);
    }
  }

  #filled(run: RunKey, command: readonly string[]): readonly string[] {
    const values = this.#values(run);
    return command.map((text) => fillIn(text, values));
  }

  #environment(run: RunKey, identity: Identity): Readonly<Record<string, string>> {
    const own =
      identity.secrets === undefined
        ? (this.#environments.get(run.id) ??
          this.#tools.world.containment.environment(run, identity.credentials))
        : undefined;
    if (own !== undefined) return own;
    const known = { ...identity, secrets: identity.secrets ?? new Map() };
    return environmentFor(run, known, this.#tools, this.#values(run).port);
  }

  #open(path: string, run: RunKey, { spec, credentials }: Identity): number | null {
    const directory = workingDirectoryOf(spec, run, this.#values(run).port);
    const opened = this.#tools.openLog(path, credentials, directory);
    return 'code' in opened ? null : opened.fd;
  }

  #values(run: RunKey): { instance: number; generation: number; port: number | null } {
    const { store } = this.#tools;
    const known = store.memory(run.service).runs[run.id];
    const spec = store.applied(run.service).get(run.hash);
    const lost = known?.port == null && known?.met === true && (spec === undefined || spec.port === 'auto');
    // With its memory lost, only the run itself still tells which port it was given.
    const given = lost ? this.#portOf(run) : null;
    return { instance: run.slot, generation: run.generation, port: known?.port ?? given };
  }

  #portOf(run: RunKey): number | null {
    const port = Number(this.#tools.world.containment.environment(run)?.['PORT']);
    return Number.isInteger(port) && port > 0 ? port : null;
  }

  #note(run: RunKey, kind: Of<'probe'>['kind'], spec: ProbeSpec, result: ProbeResult): void {
    const { store, world, mark } = this.#tools;
    const memory = store.memory(run.service);
    const known = memory.runs[run.id];
    if (known === undefined) return;
    const before = known.probes[kind] ?? NO_PROBE;
    const next = afterProbe(before, spec, result, world.clock.now());
    const runs = { ...memory.runs, [run.id]: { ...known, probes: { ...known.probes, [kind]: next } } };
    // What a run says once must not be lost with the daemon that heard it.
    const how = (next.passed === null) === (before.passed === null) ? 'volatile' : 'kept';
    store.setMemory(run.service, { ...memory, runs }, how);
    // Nothing follows from one more success; the next time to ask is known already.
    if (next.failures > 0 || before.failures > 0 || before.passed === null) mark(run.service);
  }

  #prepared(run: RunKey, { desired, observed }: Situation, failure: Problem | undefined): void {
    const { store } = this.#tools;
    const memory = store.memory(run.service);
    const slot = memory.slots[run.slot];
    const output = this.#outputs.get(run.id);
    this.#outputs.delete(run.id);
    if (slot?.preStart?.run !== run.id || desired?.kind !== 'defined') return;
    if (failure !== undefined) {
      noteFailedStart(run, failure, { desired, observed }, this.#tools, output);
      return;
    }
    const passed = { ...slot, preStart: { ...slot.preStart, state: 'passed' as const } };
    store.setMemory(run.service, { ...memory, slots: { ...memory.slots, [run.slot]: passed } });
  }
}
