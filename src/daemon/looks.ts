/** At what does the daemon look again and again, whatever it is told? */
import type { Problem } from '../model/problem.ts';
import type { Clock, Containment } from '../world/world.ts';
import type { Ending } from './leaving.ts';

export interface LooksTools {
  readonly world: {
    readonly clock: Pick<Clock, 'after'>;
    readonly containment: Pick<Containment, 'keepPlace'>;
  };
  readonly loop: { resync(): void };
  readonly trouble: { look(): void };
  readonly logs: { look(): void };
  /** The door by which the daemon is reached. */
  readonly serving: { look(): Promise<void> };
  readonly reports: { complain(problem: Problem): void };
  /** Reads the files again. */
  readonly follow: () => void;
  readonly ending: () => Ending;
  /** Ends the daemon if its services can be left. */
  readonly leave: () => void;
}

/** The slow look at everything that makes up for any event that got lost. Milliseconds. */
const SLOW = 60_000;

/** So long another daemon may find a place free of which somebody has removed what says that it is taken. Milliseconds. */
const QUICK = 1000;

export class Looks {
  readonly #tools: LooksTools;
  #isSuperseded = false;

  constructor(tools: LooksTools) {
    this.#tools = tools;
  }

  /** Another daemon has the place and the services of this one, and knows more of them. */
  get isSuperseded(): boolean {
    return this.#isSuperseded;
  }

  begin(): void {
    this.#every(SLOW, () => this.#atAll());
    this.#every(QUICK, () => this.#atPlace());
  }

  #atAll(): void {
    const { loop, trouble, logs, follow } = this.#tools;
    loop.resync();
    trouble.look();
    logs.look();
    follow();
  }

  /** The place first: whoever has lost it is not to be reached any more. */
  #atPlace(): void {
    const { world, serving, reports, leave } = this.#tools;
    const taken = world.containment.keepPlace?.();
    this.#isSuperseded = taken !== undefined;
    if (taken === undefined) {
      void serving.look();
      return;
    }
    reports.complain(superseded(taken));
    leave();
  }

  #every(period: number, look: () => void): void {
    this.#tools.world.clock.after(period, () => {
      if (this.#tools.ending() === 'leaving') return;
      look();
      this.#every(period, look);
    });
  }
}

/** What would help one that is only just starting is no hint for this one. */
function superseded({ code, severity, message }: Problem): Problem {
  return {
    code,
    severity,
    message: `all services are left to the daemon that came after this one: ${message}`,
  };
}
