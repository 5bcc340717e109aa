/** Which events tell that something is wrong with the configuration, or no longer is? */
import type { Event } from '../model/action.ts';
import type { ServiceName } from '../model/names.ts';
import { type Problem, where } from '../model/problem.ts';

/** More at once are counted only. */
const MOST = 50;

/** `problem_found` and `problem_gone`, one for each problem. */
export function problemEvents(
  before: readonly Problem[],
  now: readonly Problem[],
): readonly Omit<Event, 'at'>[] {
  const [old, current] = [before, now].map((problems) => new Map(problems.map((one) => [keyOf(one), one])));
  return [...several('problem_found', only(current, old)), ...several('problem_gone', only(old, current))];
}

function only(
  those: ReadonlyMap<string, Problem> | undefined,
  not: ReadonlyMap<string, Problem> | undefined,
): readonly Problem[] {
  return [...(those ?? [])].flatMap(([key, problem]) => (not?.has(key) === true ? [] : [problem]));
}

function several(name: string, problems: readonly Problem[]): readonly Omit<Event, 'at'>[] {
  const told = problems.slice(0, MOST).map((problem) => problemEvent(name, problem));
  const more = problems.length - told.length;
  return more === 0 ? told : [...told, { name, fields: { more } }];
}

function problemEvent(name: string, problem: Problem): Omit<Event, 'at'> {
  const { service, severity, code, message } = problem;
  const place = where(problem);
  return {
    name,
    // The configuration calls it so.
    ...(service === undefined ? {} : { service: service as ServiceName }),
    fields: { severity, code, ...(place === '' ? {} : { file: place }), message },
  };
}

/** Wherever it stands now: a line that was added above makes no other problem of it. */
function keyOf({ code, service, file, path, message, severity }: Problem): string {
  return JSON.stringify([code, service, file, path, message, severity]);
}
