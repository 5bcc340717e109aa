/** How do commands beside a run live where there are no cgroups? As sessions with a marker and a record of their own. */
import type { RunKey, ServiceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import { BesideCommands, type BesidePlace } from './beside-commands.ts';
import { besideName } from './beside-name.ts';
import { notGoneYet, pathOf, unreadable, unrecorded } from './containment-trouble.ts';
import { passing } from './errno.ts';
import { RECORD_MARKER } from './lost-records.ts';
import { newSessionMark } from './procfs.ts';
import type { RunRecords } from './run-records.ts';
import { BESIDE_MARKER, ProcessTable, type Session } from './session-members.ts';
import { signalSession } from './session-signals.ts';
import type { Beside, BesideOutcome, Clock, Launch } from './world.ts';

export interface SessionBesideOptions {
  readonly clock: Clock;
  readonly wake: (service: ServiceName) => void;
  readonly records: RunRecords;
  /** Of this boot of the host. */
  readonly boot: string;
}

export class SessionBeside {
  readonly #options: SessionBesideOptions;
  readonly #commands: BesideCommands;

  constructor(options: SessionBesideOptions) {
    this.#options = options;
    this.#commands = new BesideCommands(options.clock, options.wake);
  }

  /** See `Containment.runBeside`. The record comes first, as with runs. */
  run(
    key: RunKey,
    what: string,
    launch: Launch,
    timeout: number,
    done: (outcome: BesideOutcome) => void,
  ): Beside | Problem {
    const { records, boot } = this.#options;
    const { service } = key;
    const name = besideName(what, key.id);
    try {
      this.sweep(service);
    } catch (error) {
      return { ...unreadable(pathOf(error), error), service, ...passing(error) };
    }
    if (this.#commands.has(service, name)) return notGoneYet(key, what);
    const failed = records.write({ service, name }, null);
    if (failed !== undefined) return unrecorded(key, failed);
    const markers = { [BESIDE_MARKER]: name, [RECORD_MARKER]: records.path({ service, name }) };
    const command = this.#commands.run({
      ...{ service, name, timeout, done },
      launch: { ...launch, environment: { ...launch.environment, ...markers } },
      place: this.#place(service, name),
      into: { cgroupProcs: null },
      judge: (outcome) => outcome,
      started: (started) =>
        records.write({ service, name }, { ...started, boot, mark: newSessionMark(started.pid) }),
    });
    if ('code' in command) {
      records.remove({ service, name });
      records.forget(service);
    }
    return command;
  }

  /** Ends what an earlier daemon left behind; throws when that cannot be looked up. */
  sweep(service: ServiceName): void {
    for (const name of this.#options.records.besides(service)) {
      if (this.#commands.has(service, name)) continue;
      this.#commands.sweep(service, name, this.#place(service, name));
    }
  }

  /** A command beside one of its runs lives, or is being ended. */
  isBusy(service: ServiceName): boolean {
    return this.#commands.isBusy(service);
  }

  close(): void {
    this.#commands.close();
  }

  #place(service: ServiceName, name: string): BesidePlace {
    const { records, boot } = this.#options;
    const session = (): Session => {
      const record = records.read({ service, name });
      return { run: name, leader: record?.boot === boot ? record : null };
    };
    return {
      kill: () => void signalSession(session(), 'SIGKILL'),
      clear: () => {
        try {
          if (new ProcessTable().members(session()).length > 0) return false;
        } catch {
          // Could not look: nothing is taken for gone.
          return false;
        }
        return records.remove({ service, name }) === undefined;
      },
    };
  }
}
