/** `wait`: when has a service come to the state that a script needs? */

import { safeText } from '../model/terminal-safe.ts';
import { printDuration } from '../model/units.ts';
import { type Call, type Goal, printJson, printLines, refuse } from './call.ts';
import type { Exit } from './exit-codes.ts';
import { withProgress } from './progress.ts';
import { isRefusal } from './refusal.ts';
import { named } from './selection.ts';

const DEFAULT_TIMEOUT = 60_000;

/** Exit 1 when the time is over, saying what the state is then. */
export async function wait(call: Call): Promise<Exit> {
  const [name = ''] = call.words;
  const timeout = call.options.timeout ?? DEFAULT_TIMEOUT;
  const goal: Goal = typeof call.options.for === 'string' ? call.options.for : 'ready';
  const daemon = await call.daemon();
  if (isRefusal(daemon)) return refuse(call, daemon);
  const status = await daemon.status();
  if (isRefusal(status)) return refuse(call, status);
  const known = named(status.services, [name]);
  if (isRefusal(known)) return refuse(call, known);
  const awaited = {
    doing: `waiting until ${goal}:`,
    limit: timeout,
    isOpen: (service: { readonly name: string }) => service.name === name,
  };
  const view = await withProgress(call, daemon, awaited, daemon.wait({ service: name, for: goal, timeout }));
  if (isRefusal(view)) return refuse(call, view);
  const { service, met } = view;
  const state = `${service.state}, ${service.ready}/${service.desired} ready`;
  if (call.options.json) printJson(call, view);
  else if (met) printLines(call, [`${safeText(name)} is ${goal} (${state})`]);
  if (met) return 'fine';
  const reason = service.reason === '' ? '' : `: ${service.reason}`;
  const time = printDuration(timeout);
  // What runs may well be ready: it is awaited that it goes.
  const isOlder = goal === 'ready' && service.drift === 'pending' && service.ready >= service.desired;
  const sentence = isOlder
    ? `${name} has not been replaced after ${time}; what runs is older, ${state}${reason}`
    : `${name} is not ${goal} after ${time}; it is ${state}${reason}`;
  call.terminal.complain(`pmctl: ${safeText(sentence)}\n`);
  return 'error';
}
