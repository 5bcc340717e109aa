/**
 * What does a seed make happen? Services live, are edited, removed, stopped, killed, and the daemon is replaced, while
 * calls to the kernel fail by plan. Then the faults stop, and all has to be as the files say.
 */
import fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import type { ServiceView, StatusView } from '../../src/api/contract.ts';
import type { Problem } from '../../src/model/problem.ts';
import type { Containment } from '../../src/world/world.ts';
import { ask } from '../e2e/ask.ts';
import { cgroupGround, type Ground, processGroupGround, temporaryDirectory } from '../linux/ground.ts';
import { Chance } from '../twins/random.ts';
import { type Area, breakCalls, openFiles, setWeather, unharmed, type Weather } from './faulty-calls.ts';
import {
  INSTANCES,
  livingOf,
  type Name,
  ranOnce,
  type Services,
  talked,
  troubleOfLines,
  writeServices,
  zombies,
} from './services.ts';
import { makeHost, type RunningDaemon, type Said, type SmallHost, startDaemon } from './small-host.ts';
import { drawWeather } from './weather.ts';

/** After the last fault, all has to be well within this time. Milliseconds. */
const BOUND = 20_000;

/** The API has to say something within this time, whatever fails. Milliseconds. */
const ANSWER = 15_000;

/** @returns what is wrong, and what had happened; undefined: every promise was kept */
export async function runHistory(
  seed: number,
  kind: 'cgroup' | 'process_group',
): Promise<string | undefined> {
  const history = new History(seed, kind);
  try {
    await history.run();
    return undefined;
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return `${text}\n\n${history.story.join('\n')}\n\nlog:\n${history.log}`;
  } finally {
    await history.clear();
  }
}

class History {
  readonly story: string[] = [];
  readonly #id: string;
  readonly #chance: Chance;
  readonly #ground: Ground;
  readonly #host: SmallHost;
  readonly #services: Services;
  readonly #mend: () => void;
  readonly #said: (readonly Said[])[] = [];
  readonly #stopped = new Map<Name, boolean | 'unknown'>();
  #weather: (Weather & { readonly name: string }) | undefined;
  #daemon: RunningDaemon | undefined;
  #killed = 0;

  constructor(seed: number, kind: 'cgroup' | 'process_group') {
    this.#id = `${process.pid}-${kind}-${seed}`;
    this.#chance = new Chance(seed, 'history');
    this.#ground = kind === 'cgroup' ? cgroupGround() : processGroupGround();
    this.#host = makeHost(temporaryDirectory(), this.#ground);
    const { config, state, logs } = this.#host;
    const places: readonly (readonly [string, Area])[] = [
      [config, 'config'],
      [logs, 'logs'],
      [state, 'state'],
      [this.#ground.exits, 'state'],
      [this.#ground.place, kind === 'cgroup' ? 'cgroup' : 'state'],
      ['/proc', 'proc'],
    ];
    this.#mend = breakCalls(places);
    this.#services = writeServices(this.#host, this.#id);
  }

  get log(): string {
    return this.#said
      .flatMap((said) => [...said.map(({ level, text }) => `  ${level} ${text}`), '  --'])
      .join('\n');
  }

  async run(): Promise<void> {
    if (this.#chance.happens(0.7)) await this.#begin();
    const steps = this.#chance.between(5, 9);
    for (let step = 0; step < steps; step++) {
      this.#turn(this.#chance.happens(0.75) ? drawWeather(this.#chance) : undefined);
      if (this.#daemon === undefined) await this.#begin();
      await this.#act();
      await after(this.#chance.between(20, 250));
      await this.#answers();
    }
    this.#turn(undefined);
    if (this.#daemon === undefined) await this.#begin();
    // What depends on it would wait for it.
    if (this.#stopped.get('plain') === true) await this.#command('start', 'plain');
    await this.#converges();
    await this.#ends();
  }

  async clear(): Promise<void> {
    setWeather(undefined);
    if (this.#daemon !== undefined) {
      this.#daemon.control.shutdown({ stopServices: false, by: 'clear' });
      await Promise.race([this.#daemon.ended, after(5000)]);
    }
    this.#mend();
    for (const { pid } of livingOf(this.#id)) kill(pid);
    this.#ground.clear();
    fs.rmSync(this.#host.directory, { recursive: true, force: true });
  }

  #turn(weather: (Weather & { readonly name: string }) | undefined): void {
    this.#weather = weather;
    setWeather(weather);
    this.#note(`weather: ${weather?.name ?? 'fair'}`);
  }

  #note(text: string): void {
    this.story.push(`${new Date().toISOString().slice(17)} ${text}`);
  }

  /** A daemon may refuse to start as long as it cannot know enough; then the next try comes later. */
  async #begin(): Promise<void> {
    this.#note('a daemon starts');
    const containment = this.#reopened();
    if (containment === undefined) return;
    const isLost = () => {
      const fate = this.#weather?.fateOf({ name: 'wake', area: null, path: '', writes: false });
      return fate !== undefined && 'lost' in fate;
    };
    const answer = await startDaemon(this.#host, containment, isLost);
    if ('code' in answer) {
      this.#note(`it refuses: ${answer.message}`);
      if (this.#weather === undefined) throw new Error(`the daemon does not start: ${answer.message}`);
      return;
    }
    this.#said.push(answer.said);
    this.#daemon = answer;
    void answer.ended.then((code) => {
      if (this.#daemon !== answer) return;
      this.#daemon = undefined;
      this.#note(`the daemon has ended by itself with ${code}`);
    });
  }

  #reopened(): Containment | undefined {
    try {
      return this.#ground.reopen();
    } catch (error) {
      this.#note(`it refuses: ${error instanceof Error ? error.message : error}`);
      if (this.#weather === undefined || !(error instanceof Error) || 'code' in error) throw error;
      return undefined;
    }
  }

  async #act(): Promise<void> {
    const deed = this.#chance.weighed({
      nothing: 2,
      edit: 3,
      remove: 1,
      kill: 3,
      stop: 2,
      start: 2,
      restart: 1,
      replace: 2,
    });
    const name = this.#chance.pick([...this.#services.names] as [Name, ...Name[]]);
    this.#note(`${deed} ${name}`);
    switch (deed) {
      case 'nothing':
        return;
      case 'edit':
        if (name !== 'once') this.#services.edit(name);
        return;
      case 'remove':
        if (name !== 'guest' && name !== 'talker') return;
        this.#services.remove(name);
        // That somebody stopped it is forgotten with it, unless it comes back at once.
        if (this.#stopped.get(name) === true) this.#stopped.set(name, 'unknown');
        return;
      case 'kill':
        return this.#kill(name);
      case 'stop':
      case 'start':
      case 'restart':
        if (name !== 'once' && this.#services.isWanted(name)) await this.#command(deed, name);
        return;
      case 'replace':
        return this.#replace();
    }
  }

  #kill(name: Name): void {
    // A service with the usual policy is given up when it dies again and again: that is no fault.
    if (name === 'once' || (name === 'plain' && this.#killed++ > 1)) return;
    // The oldest, as the names of runs tell: a newer definition whose first run dies is refused, and that is no fault.
    const [victim] = livingOf(this.#id)
      .filter(({ service, beside }) => service === name && !beside)
      .sort((one, other) => (one.run < other.run ? -1 : 1));
    if (victim !== undefined) kill(victim.pid);
  }

  async #command(verb: 'stop' | 'start' | 'restart', name: Name): Promise<void> {
    const body = { verb, services: [name], wait: 100 };
    const answer = await this.#ask('POST', '/api/command', body);
    if (answer === undefined) return;
    const result = answer.results[0];
    this.#note(`  ${result?.result}: ${result?.detail}`);
    if (result?.result === 'refused' || result?.result === 'unknown_service') return;
    const refused = / cannot be written /.test(result?.detail ?? '');
    if (!refused) this.#stopped.set(name, verb === 'stop');
  }

  /** As an upgrade does it: the services stay, and another daemon adopts them. */
  async #replace(): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === undefined) return;
    this.#daemon = undefined;
    daemon.control.shutdown({ stopServices: false, by: 'test' });
    await this.#within(10_000, 'the daemon to end', daemon.ended);
    this.#checkThrown(daemon);
    await this.#begin();
  }

  async #answers(): Promise<void> {
    if (this.#daemon === undefined) return;
    await this.#ask('GET', '/api/status');
    if (this.#daemon !== undefined) this.#checkThrown(this.#daemon);
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look into the answers of the program as its users do
  async #ask(method: string, path: string, body?: unknown): Promise<any> {
    if (this.#daemon === undefined) return undefined;
    const { socket } = this.#host;
    const asked = ask({ socket, method, path, ...(body === undefined ? {} : { body }) });
    const answer = await this.#within(ANSWER, `an answer to ${method} ${path}`, asked);
    if (answer.status !== 200)
      throw new Error(`${method} ${path} answers ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  async #within<Answer>(limit: number, what: string, answer: Promise<Answer>): Promise<Answer> {
    const late = new AbortController();
    const bound = after(limit, undefined, { signal: late.signal }).then(() => {
      throw new Error(`waited ${limit} ms for ${what}`);
    });
    bound.catch(() => undefined);
    try {
      return await Promise.race([answer, bound]);
    } finally {
      late.abort();
    }
  }

  #checkThrown({ thrown }: RunningDaemon): void {
    if (thrown[0] !== undefined) throw thrown[0];
  }

  async #converges(): Promise<void> {
    const since = Date.now();
    for (;;) {
      const status: StatusView = await this.#ask('GET', '/api/status');
      if (this.#daemon !== undefined) this.#checkThrown(this.#daemon);
      const wrong = [...this.#wrongIn(status), ...this.#wrongInKernel()];
      if (wrong.length === 0) break;
      if (Date.now() - since > BOUND)
        throw new Error(`${BOUND} ms after the last fault: ${wrong.join('; ')}`);
      await after(25);
    }
    this.#note(`whole again after ${Date.now() - since} ms`);
    if (!this.#isStopped('talker') && this.#services.isWanted('talker')) await this.#talks();
    const ran = ranOnce(this.#host);
    if (ran.join() !== '1') throw new Error(`the one-shot of version 1 ran as ${JSON.stringify(ran)}`);
  }

  #wrongIn({ services, problems }: StatusView): readonly string[] {
    const wrong = problems.map((problem: Problem) => `the status has a problem: ${problem.message}`);
    for (const name of this.#services.names) {
      const view = services.find((service) => service.name === name);
      const why = this.#wrongWith(name, view);
      if (why !== undefined) wrong.push(`${name}: ${why}, ${view?.state} ${view?.drift} ${view?.reason}`);
    }
    return wrong;
  }

  #wrongWith(name: Name, view: ServiceView | undefined): string | undefined {
    if (!this.#services.isWanted(name)) return view === undefined ? undefined : 'is not gone';
    if (view === undefined) return 'is not there';
    if (name === 'once') return view.state === 'completed' ? undefined : 'has not completed';
    if (this.#isStopped(name)) return view.state === 'stopped' ? undefined : 'is not stopped';
    if (this.#stopped.get(name) === 'unknown') this.#stopped.set(name, view.state === 'stopped');
    const isUp = view.state === 'running' && view.ready === INSTANCES[name] && view.drift === 'none';
    return isUp ? undefined : 'is not running';
  }

  #wrongInKernel(): readonly string[] {
    const living = livingOf(this.#id).filter(({ beside }) => !beside);
    return this.#services.names.flatMap((name) => {
      const own = living.filter(({ service }) => service === name);
      const runs = new Set(own.map(({ run }) => run)).size;
      const old = own.filter(({ version }) => version !== this.#services.version(name)).length;
      const down = this.#isStopped(name) || !this.#services.isWanted(name);
      const wanted = down ? 0 : INSTANCES[name];
      if (runs === wanted && old === 0) return [];
      return `${name} has ${runs} runs, ${old} processes of an older version: ${JSON.stringify(own)}`;
    });
  }

  #isStopped(name: Name): boolean {
    return this.#stopped.get(name) === true;
  }

  async #talks(): Promise<void> {
    const before = talked(this.#host);
    const since = Date.now();
    while (talked(this.#host) === before) {
      if (Date.now() - since > 5000) throw new Error('the talker says nothing any more');
      await after(10);
    }
  }

  async #ends(): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === undefined) throw new Error('there is no daemon');
    this.#daemon = undefined;
    daemon.control.shutdown({ stopServices: true, by: 'test' });
    const code = await this.#within(10_000, 'the end of everything', daemon.ended);
    this.#checkThrown(daemon);
    if (code !== 0) throw new Error(`the daemon ended with ${code}`);
    const left = livingOf(this.#id);
    if (left.length > 0) throw new Error(`processes are left: ${JSON.stringify(left)}`);
    await this.#reaped();
    if (openFiles().length > 0) throw new Error(`descriptors are left open: ${openFiles().join()}`);
    const places = placesIn(this.#ground);
    if (places.length > 0) throw new Error(`places of runs are left: ${places.join()}`);
    const lines = this.#ground.kind === 'cgroup' ? troubleOfLines(this.#host) : undefined;
    if (lines !== undefined) throw new Error(lines);
    const odd = oddities(this.#said);
    if (odd !== undefined) throw new Error(odd);
    const stray = unharmed(() => fs.readdirSync(join(this.#host.state))).filter((name) =>
      name.endsWith('.tmp'),
    );
    if (stray.length > 0) throw new Error(`temporary files are left: ${stray.join()}`);
  }

  /** A daemon may see the end of what an earlier one has started before this process, its parent, has heard of it. */
  async #reaped(): Promise<void> {
    const since = Date.now();
    while (zombies().length > 0) {
      if (Date.now() - since > 5000) throw new Error(`zombies are left: ${zombies().join()}`);
      await after(5);
    }
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** Of runs: cgroups, or records of sessions. */
function placesIn({ place, kind }: Ground): readonly string[] {
  return unharmed(() => {
    const entries = fs.readdirSync(place, { withFileTypes: true, recursive: kind === 'process_group' });
    const isPlace = (entry: fs.Dirent) =>
      kind === 'cgroup' ? entry.isDirectory() : entry.name.endsWith('.json');
    return entries.filter(isPlace).map(({ name }) => name);
  });
}

/** The same sentence may be said once in a daemon's life of seconds; a fault that comes and goes, a few times. */
const MOST_TIMES = 3;

function oddities(all: readonly (readonly Said[])[]): string | undefined {
  for (const said of all) {
    const times = new Map<string, number>();
    for (const { level, text } of said) {
      if (/\n\s+at |undefined|\[object|EUNKNOWN|planned by the test/.test(text))
        return `said to people: ${text}`;
      const same = `${level} ${text.replaceAll(/[0-9a-z]{8,}-[0-9a-z]{6}|\d+/g, '#')}`;
      times.set(same, (times.get(same) ?? 0) + 1);
    }
    for (const [text, count] of times) {
      if (count > MOST_TIMES && !text.startsWith('info')) return `said ${count} times: ${text}`;
    }
  }
  return undefined;
}
