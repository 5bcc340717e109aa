/** How does a command line become a service file that runs, and how do a file and all that runs of it go? */
import type { CommandResult, CommandView } from '../api/contract.ts';
import type { DefineRequest, DefineView, DeleteRequest } from '../api/definition.ts';
import type { Event } from '../model/action.ts';
import type { Intent } from '../model/memory.ts';
import { isServiceName, type ServiceName, serviceName } from '../model/names.ts';
import type { NewService } from '../model/new-service.ts';
import { type Problem, sentence } from '../model/problem.ts';
import type { Desired } from '../model/spec.ts';
import { holdOf } from '../reconcile/wanted.ts';
import type { World } from '../world/world.ts';
import type { Cause } from './history.ts';
import type { Loop } from './loop.ts';
import { isDown, isUp, type Outcome } from './outcome.ts';
import { unstopped } from './removals.ts';
import { untilSettled } from './waiting.ts';

/** What becomes of service files; done where files are known. */
export interface ServiceFileTools {
  /** Writes the file of a new service. `the_same`: it was there and says the same; nothing was written. */
  readonly define: (
    service: NewService,
  ) =>
    | { readonly file: string; readonly was: 'new' | 'the_same' }
    | { readonly problems: readonly Problem[] };
  /** The file of this service, if it may be removed. */
  readonly removable: (desired: Desired) => { readonly path: string } | Problem;
  readonly remove: (path: string) => Problem | undefined;
}

export interface DefinitionTools {
  readonly world: {
    readonly clock: World['clock'];
    readonly containment: Pick<World['containment'], 'portHolder'>;
  };
  readonly loop: Loop;
  readonly serviceFiles: ServiceFileTools;
  /** The directory was read, and is followed now. */
  readonly followed: (cause: Cause) => void;
  /** Why files are not followed at present; undefined: they are. */
  readonly frozen?: () => string | undefined;
  /** Tells the journal. */
  readonly note: (event: Omit<Event, 'at'>) => void;
}

export class Definitions {
  readonly #tools: DefinitionTools;

  constructor(tools: DefinitionTools) {
    this.#tools = tools;
  }

  async define(request: DefineRequest): Promise<DefineView> {
    const { loop, serviceFiles, followed, note } = this.#tools;
    const { by, wait, gone, ...service } = request;
    const name = serviceName(service.name);
    if (typeof name !== 'string') {
      return refused(service, [error('name-invalid', name.refused, 'give it another one with --name')]);
    }
    const obstacle = this.#obstacle(service, name);
    if (obstacle !== undefined) return refused(service, [obstacle]);
    const before = loop.intent(name);
    // It is a new one: that another of its name was stopped before its file went says nothing about it.
    const isRemembered = before.goneAt !== undefined;
    const unwritten = isRemembered ? loop.setIntents(new Map([[name, {}]])) : undefined;
    if (unwritten !== undefined) return refused(service, [unwritten]);
    const written = serviceFiles.define(service);
    if ('problems' in written) {
      if (isRemembered) loop.setIntents(new Map([[name, before]]));
      return refused(service, written.problems);
    }
    if (written.was === 'the_same') {
      const problem = this.#again(service, name, written.file);
      if (problem !== undefined) return refused(service, [problem]);
    }
    note({ name: 'define_requested', service: name, actor: by, fields: { file: written.file } });
    // Only this file is deployed: whatever else lies changed in the directory is not part of the command.
    loop.reload(new Set([name]));
    followed({ trigger: 'command', by });
    const outcome = await this.#until(wait, () => isUp(loop.glance(name)), gone);
    return { service: name, file: written.file, ...outcome, problems: [] };
  }

  async delete(request: DeleteRequest): Promise<CommandView> {
    const { loop } = this.#tools;
    const known = new Set<string>(loop.names());
    const unknown = request.services.filter((name) => !known.has(name));
    if (unknown.length > 0) {
      // All or nothing: a mistyped name must not leave half of a command done.
      const answer = { result: 'unknown_service', detail: 'no such service' } as const;
      return { results: unknown.map((service) => ({ service, ...answer })) };
    }
    const names = [...new Set(request.services.filter(isServiceName))].sort();
    const removed = this.#removeFiles(names, request.by);
    for (const [service, done] of removed) {
      if (!('removed' in done)) continue;
      this.#tools.note({
        name: 'delete_requested',
        service,
        actor: request.by,
        fields: { detail: done.removed },
      });
    }
    const results = names.map(async (service): Promise<CommandResult> => {
      const done = removed.get(service);
      if (done === undefined || 'result' in done) return { service, ...(done ?? NOT_REMOVED) };
      const { result, detail } = await this.#until(request.wait, () => this.#isGone(service), request.gone);
      const told = result === 'done' ? `${done.removed}; nothing of it runs` : `${done.removed}; ${detail}`;
      return { service, result, detail: told };
    });
    return { results: await Promise.all(results) };
  }

  /** Why the daemon, which knows what runs, refuses before any file is looked at. */
  #obstacle(service: NewService, name: ServiceName): Problem | undefined {
    const { loop } = this.#tools;
    const { services, readable, problems } = loop.desired;
    const frozen = this.#tools.frozen?.();
    if (frozen !== undefined) return error('frozen', frozen, 'pmctl resume follows the files again');
    if (!readable && services.size > 0) {
      // A directory made in the place of one that is not mounted would make all of its services look removed.
      return problems[0] ?? error('directory-unreadable', 'the configuration directory cannot be read');
    }
    if (!loop.names().includes(name)) return this.#portObstacle(service, name);
    const file = services.get(name)?.file;
    if (file === undefined) {
      const message = `${name} has no file any more, but is not gone yet`;
      return error('name-duplicate', message, `pmctl delete ${name} ends what runs of it`);
    }
    // What a development command left behind may be started again by the same command.
    if (service.dev === true && file.split('/').at(-1) === `${name}.yaml`) return undefined;
    const hint = `pmctl delete ${name} removes it, --name gives this one another name`;
    return error('name-duplicate', `${name} is defined in ${file} already`, hint);
  }

  #portObstacle({ port }: NewService, name: ServiceName): Problem | undefined {
    if (typeof port !== 'number') return undefined;
    const { loop, world } = this.#tools;
    for (const desired of loop.desired.services.values()) {
      if (desired.kind !== 'defined' || desired.spec.port !== port) continue;
      return error('port-taken', `port ${port} is the port of ${desired.name} (${desired.file})`);
    }
    const holder = world.containment.portHolder(port, [name]);
    return holder === undefined ? undefined : error('port-taken', `port ${port} is taken by ${holder}`);
  }

  /** The same development command once more: what it left behind when it was interrupted is started again. */
  #again(service: NewService, name: ServiceName, file: string): Problem | undefined {
    const { loop } = this.#tools;
    const situation = loop.situation(name);
    const held = holdOf(situation);
    if (held !== undefined) return error('name-duplicate', `${held}; release it first`);
    if (service.dev !== true || (situation.desired !== undefined && situation.intent.stopped === undefined)) {
      return error('name-duplicate', `${name} is defined in ${file} already, by the same command`);
    }
    const { stopped: _, ...rest } = situation.intent;
    return loop.setIntents(new Map([[name, { ...rest, pardon: (rest.pardon ?? 0) + 1 }]]));
  }

  #removeFiles(names: readonly ServiceName[], by: string): ReadonlyMap<ServiceName, Removed> {
    const { loop, followed } = this.#tools;
    const answers = new Map(names.map((name) => [name, this.#removeFile(name, names)]));
    const removed = names.filter((name) => 'removed' in (answers.get(name) ?? NOT_REMOVED));
    if (removed.length > 0) {
      loop.reload(new Set(removed));
      followed({ trigger: 'command', by });
    }
    return answers;
  }

  /** @param going all that are deleted with it */
  #removeFile(name: ServiceName, going: readonly ServiceName[]): Removed {
    const { loop, serviceFiles } = this.#tools;
    const { desired, intent, now } = loop.situation(name);
    const held = holdOf({ intent, now });
    if (held !== undefined) return { result: 'refused', detail: `${held}; release it first` };
    const frozen = this.#tools.frozen?.();
    if (frozen !== undefined) return { result: 'refused', detail: `${frozen}; pmctl resume comes first` };
    const needed = this.#neededBy(name, going);
    if (needed !== undefined) return { result: 'refused', detail: needed };
    const file = desired === undefined ? undefined : serviceFiles.removable(desired);
    if (file !== undefined && 'code' in file) return { result: 'refused', detail: sentence(file) };
    // Approved first: a daemon that dies between the two finds a removal that nobody need confirm, or a file as before.
    const unwritten = loop.setIntents(new Map([[name, { ...intent, removalApproved: true }]]));
    if (unwritten !== undefined) return { result: 'failed', detail: sentence(unwritten) };
    const problem = file === undefined ? undefined : serviceFiles.remove(file.path);
    if (problem !== undefined) {
      loop.setIntents(new Map<ServiceName, Intent>([[name, intent]]));
      return { result: 'failed', detail: problem.message };
    }
    // Not before: with its file still there, the next daemon would start it, should this one die in between.
    if (intent.stopped !== undefined) {
      loop.setIntents(new Map([[name, { ...unstopped(intent), removalApproved: true }]]));
    }
    return { removed: desired === undefined ? 'its file was gone already' : `${desired.file} is removed` };
  }

  /** A service that depends on one that no file defines would be a mistake of the configuration. */
  #neededBy(name: ServiceName, going: readonly ServiceName[]): string | undefined {
    for (const [other, desired] of this.#tools.loop.desired.services) {
      if (going.includes(other) || desired.kind !== 'defined') continue;
      if (!Object.hasOwn(desired.spec.depends_on, name)) continue;
      return `${other} depends on it (${desired.file}); delete both, or change that file first`;
    }
    return undefined;
  }

  /** Nothing of it runs and nothing is kept of it: only then no status shows it any more. */
  #isGone(name: ServiceName): Outcome {
    const { loop } = this.#tools;
    const glance = loop.glance(name);
    if (glance.desired !== undefined) return { result: 'failed', detail: 'a file defines it again' };
    const down = isDown(glance, () => loop.situation(name).observed);
    return down.result === 'done' && loop.names().includes(name) ? { ...down, result: 'pending' } : down;
  }

  async #until(
    limit: number,
    ask: () => Outcome,
    gone: AbortSignal | undefined,
  ): Promise<Omit<Outcome, 'again'>> {
    const { loop, world } = this.#tools;
    const { result, detail } = await untilSettled(loop, world.clock, limit, ask, gone);
    return { result, detail };
  }
}

type Removed =
  | { readonly removed: string }
  | { readonly result: 'refused' | 'failed'; readonly detail: string };

const NOT_REMOVED = { result: 'failed', detail: 'it was not looked at' } as const;

function refused({ name }: NewService, problems: readonly Problem[]): DefineView {
  const [first] = problems;
  const detail = first === undefined ? 'it was refused' : first.message;
  return { service: name, file: null, result: 'refused', detail, problems };
}

function error(code: Problem['code'], message: string, hint?: string): Problem {
  return { code, severity: 'error', message, ...(hint === undefined ? {} : { hint }) };
}
