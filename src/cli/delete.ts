/** `delete`: services go with their files. */
import type { CommandView, ServiceView, Unsigned } from '../api/contract.ts';
import type { DeleteRequest } from '../api/definition.ts';
import { printJson, printLines, type Run, refuse } from './call.ts';
import { withProgress } from './progress.ts';
import { isRefusal, wrongUsage } from './refusal.ts';
import { named } from './selection.ts';
import { exitOf, renderResults } from './verbs.ts';

const DEFAULT_TIMEOUT = 60_000;

/** Takes names only: everything at once is more often a slip than a wish. */
export const remove: Run = async (call) => {
  const { words, options } = call;
  if (words.includes('all')) return refuse(call, wrongUsage('delete takes the names of services, not all'));
  const daemon = await call.daemon();
  if (isRefusal(daemon)) return refuse(call, daemon);
  const status = await daemon.status();
  if (isRefusal(status)) return refuse(call, status);
  const known = named(status.services, words);
  if (isRefusal(known)) return refuse(call, known);
  const waits = options.wait !== false;
  const wait = waits ? (options.timeout ?? DEFAULT_TIMEOUT) : 0;
  const services = known.map(({ name }) => name);
  const request: Unsigned<DeleteRequest> = { services, wait };
  const isOpen = ({ name }: ServiceView): boolean => services.includes(name);
  const asked = daemon.delete(request);
  const answer = waits
    ? await withProgress(call, daemon, { doing: 'deleting', limit: wait, isOpen }, asked)
    : await asked;
  if (isRefusal(answer)) return refuse(call, answer);
  const { results }: CommandView = answer;
  if (options.json) printJson(call, answer);
  else printLines(call, renderResults(call, 'deleted', results));
  return exitOf(results, waits);
};
