/** Where do the animals live? A host with a service for each of them, and neighbours that are none of its business. */
import fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ServiceView } from '../../src/api/contract.ts';
import { GROUNDS, type Ground, NOBODY } from '../e2e/grounds.ts';
import { Host, type Program } from '../e2e/host.ts';
import { headlessIsPossible, writeHeadless } from './headless.ts';
import { described, endAllIn, livingByName } from './truth.ts';

/** Milliseconds between the request to end and SIGKILL. */
export const GRACE = 500;

/** What a stop may take on top of the grace on a machine that has ten times more to do than it can. Milliseconds. */
export const SLACK = 20_000;

/** Root without cgroups is like an ordinary user in all but one animal: only the long form tries it too. */
export const TRIED: readonly Ground[] = GROUNDS.filter(
  ({ containment, user }) =>
    process.env['ZOO'] === 'long' || containment === 'cgroup' || user === 'nobody' || GROUNDS.length < 3,
);

/** Keys of a service file beside those that every animal has. */
export type Changes = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const ANIMALS = fileURLToPath(new URL('animals', import.meta.url));

export class Enclosure {
  readonly host: Host;
  readonly #ground: Ground;
  readonly #bystanders: Program[] = [];

  constructor(ground: Ground, settings: Readonly<Record<string, unknown>> = {}) {
    this.#ground = ground;
    this.host = new Host({ ground, settings });
    // Some animals live as another user.
    fs.chmodSync(this.host.directory, 0o755);
    fs.cpSync(ANIMALS, join(this.host.directory, 'animals'), { recursive: true });
  }

  /** A service that is one of the animals. */
  admit(name: string, changes: Changes = {}): void {
    const command = ['sh', join(this.host.directory, 'animals', `${name}.sh`)];
    this.admitCommand(name, command, changes);
    if (name === 'headless' && headlessIsPossible) writeHeadless(join(this.placeOf(name), 'headless'));
  }

  admitCommand(name: string, command: readonly string[] | string, changes: Changes = {}): void {
    const place = this.makePlace(name);
    this.host.service(name, {
      ...changes,
      process: { command, working_directory: place, stop_grace: `${GRACE}ms`, ...changes['process'] },
      restart_policy: {
        restart_backoff: '20ms',
        tolerance: { max_restarts: 1000 },
        ...changes['restart_policy'],
      },
    });
  }

  /** The directory of an animal, which it may write to whoever it is. */
  makePlace(name: string): string {
    const place = this.placeOf(name);
    fs.mkdirSync(place, { recursive: true });
    fs.chmodSync(place, 0o777);
    if (this.#ground.user === 'nobody') fs.chownSync(place, NOBODY.uid, NOBODY.gid);
    return place;
  }

  placeOf(name: string): string {
    return join(this.host.work, name);
  }

  /** Processes that share user, names and variables with the animals, but belong to nobody here. */
  invite(): void {
    const place = join(this.host.directory, 'bystanders');
    fs.mkdirSync(place, { mode: 0o777 });
    fs.chmodSync(place, 0o777);
    const plain = join(this.host.directory, 'animals', 'plain.sh');
    const foreign = { PROCESSMASTER_SERVICE: 'plain', PROCESSMASTER_RUN_ID: '0000000000000000' };
    const inPlace = (...argv: readonly string[]) => ['sh', '-c', `cd '${place}' && exec "$@"`, 'sh', ...argv];
    this.#bystanders.push(
      this.host.run(inPlace('sleep', '1000'), foreign),
      this.host.run(inPlace('setsid', 'sh', plain), foreign),
      this.host.run(inPlace('sh', plain)),
    );
  }

  /** Those of the bystanders that have ended. */
  get harmed(): readonly string[] {
    return this.#bystanders.flatMap(({ child }) =>
      child.exitCode === null && child.signalCode === null
        ? []
        : `${child.spawnargs.at(-1)}: ${child.signalCode}`,
    );
  }

  /**
   * Waits until each animal is ready and as many processes of it live as should; answers what there is at the bound. The
   * daemon is asked only then: what it has seen of an animal that was still on its way it would know from then on.
   */
  async awake(
    residents: readonly { readonly name: string; readonly processes: number }[],
    isNew: (view: ServiceView) => boolean = () => true,
    bound = 20_000,
  ): Promise<ReadonlyMap<string, Sight>> {
    const deadline = Date.now() + bound;
    for (;;) {
      const living = livingByName(this.host.work);
      const isThere = residents.every(({ name, processes }) => {
        const ready = fs.existsSync(join(this.placeOf(name), 'ready'));
        return ready && living.get(name)?.length === processes;
      });
      const isLate = Date.now() > deadline;
      if (!isThere && !isLate) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        continue;
      }
      const { services } = await this.host.status();
      const sights = new Map(
        residents.map(({ name }) => {
          const view = services.find((service) => service.name === name);
          return [name, { living: living.get(name) ?? [], view }] as const;
        }),
      );
      const isAwake = residents.every(({ name }) => {
        const view = sights.get(name)?.view;
        return view?.state === 'running' && isNew(view);
      });
      if (isAwake || isLate) return sights;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** What lives of each of them, for people. */
  left(name: string): readonly string[] {
    return described(livingByName(this.host.work).get(name) ?? []);
  }

  /** Forgets that the animals were ready, and ends what escaped of them. */
  async clean(): Promise<void> {
    await endAllIn(this.host.work);
    this.forgetReady();
  }

  /** From now on, an animal is ready when its next main process says so. */
  forgetReady(): void {
    for (const name of fs.readdirSync(this.host.work))
      fs.rmSync(join(this.placeOf(name), 'ready'), { force: true });
  }

  async close(): Promise<void> {
    // The daemon first: it would start anew what is ended here.
    if (this.host.pid !== 0) await this.host.crash();
    await endAllIn(this.host.work);
    await this.host.close();
  }
}

/** One animal at one moment. */
export interface Sight {
  /** Its processes, as the kernel tells. */
  readonly living: readonly number[];
  /** The service, as the daemon tells. */
  readonly view: ServiceView | undefined;
}
