/** How does one event read for a person? */
import type { NumberedEvent } from '../model/action.ts';
import { safeText } from '../model/terminal-safe.ts';
import { count, printDuration } from '../model/units.ts';
import type { Colour, Paint } from './paint.ts';
import { localTime } from './quantities.ts';

type Fields = NumberedEvent['fields'];

interface Wording {
  readonly says: (fields: Fields) => string;
  /** Fields that are part of the sentence; the others follow it. */
  readonly uses: readonly string[];
  readonly colour?: Colour;
}

const PLACE = ['instance', 'generation', 'pid'];

/** For events that are not among them, their name and fields. */
const WORDINGS: Readonly<Record<string, Wording>> = {
  manager_started: { says: ({ version }) => `daemon ${version} started`, uses: ['version'] },
  manager_shutdown_requested: {
    says: ({ signal, reason }) =>
      signal === 'internal' ? `daemon is to end: ${reason}` : `daemon is to end: SIG${signal}`,
    uses: ['signal', 'reason'],
  },
  manager_stopping: { says: ({ reason }) => `daemon is ending: ${reason}`, uses: ['reason'] },
  manager_stopped: {
    says: ({ exit_code }) => `daemon has ended with ${exit_code}`,
    uses: ['exit_code', 'reason'],
  },
  manager_reload_requested: { says: ({ signal }) => `update asked for: ${signal}`, uses: ['signal'] },
  manager_reload_started: {
    says: ({ trigger, changes }) => `update by ${trigger}: ${numbered(changes, 'change')}`,
    uses: ['trigger', 'changes'],
  },
  manager_reload_completed: {
    says: ({ changes }) => `update done: ${numbered(changes, 'change')}`,
    uses: ['changes', 'failed', 'errors'],
  },
  manager_reload_failed: {
    says: (fields) => `update done in part: ${undone(fields)}`,
    uses: ['changes', 'failed', 'errors', 'failed_services'],
    colour: 'red',
  },
  manager_frozen: {
    says: ({ snapshot, reason }) => `went back to ${snapshot}, and the files are not followed: ${reason}`,
    uses: ['snapshot', 'reason'],
    colour: 'yellow',
  },
  manager_resumed: { says: () => 'the files are followed again', uses: [], colour: 'green' },
  manager_changes_held: {
    says: ({ services }) => `changed files of ${numbered(services, 'service')} are not followed at present`,
    uses: ['services'],
  },
  prune_held: {
    says: ({ count, reason }) => `${numbered(count, 'removed service')} left running: ${reason}`,
    uses: ['count', 'reason'],
    colour: 'yellow',
  },
  prune_released: { says: () => 'no removal is held back any more', uses: [], colour: 'green' },
  worker_started: {
    says: (fields) => `started${place(fields)}: ${fields['reason']}`,
    uses: [...PLACE, 'reason'],
    colour: 'green',
  },
  worker_exited: {
    says: (fields) => `${ended(fields)}${respawn(fields)}`,
    uses: [...PLACE, 'exit_reason', 'status', 'restart_action'],
    colour: 'red',
  },
  worker_stop_requested: {
    says: (fields) => `is told to stop${place(fields)}: ${fields['signal']}, ${fields['reason']}`,
    uses: [...PLACE, 'signal', 'reason'],
  },
  worker_stopped: {
    says: (fields) => `stopped${place(fields)}: ${fields['exit_reason']}, ${fields['reason']}`,
    uses: [...PLACE, 'exit_reason', 'status', 'reason'],
  },
  problem_found: { says: problem, uses: ['file', 'message', 'severity', 'code', 'more'], colour: 'red' },
  problem_gone: {
    says: (fields) => `no longer: ${problem(fields)}`,
    uses: ['file', 'message', 'severity', 'code', 'more'],
    colour: 'green',
  },
  define_requested: { says: ({ file }) => `is defined in ${file}`, uses: ['file'], colour: 'bold' },
  delete_requested: { says: ({ detail }) => `delete asked for: ${detail}`, uses: ['detail'], colour: 'bold' },
  notified: { says: ({ event, sink }) => `${sink} was told: ${event}`, uses: ['event', 'sink'] },
  notification_failed: {
    says: ({ event, sink, problem: why }) => `${sink} could not be told: ${event}: ${why}`,
    uses: ['event', 'sink', 'problem'],
    colour: 'red',
  },
  events_lost: {
    says: ({ count }) => `${numbered(count, 'event')} could not be written`,
    uses: ['count'],
    colour: 'red',
  },
};

/** An earlier daemon named no services. */
function undone({ changes, failed, errors, failed_services }: Fields): string {
  const which = failed_services === undefined ? '' : ` (${failed_services})`;
  const parts = [
    ...(failed === 0 ? [] : [`${failed} of ${numbered(changes, 'change')} failed${which}`]),
    ...(errors === 0 ? [] : [numbered(errors, 'error')]),
  ];
  return parts.join(', ');
}

/** `2026-02-03 04:05:06  web  stop asked for (bob)`. */
export function renderEvent(event: NumberedEvent, paint: Paint = (_, text) => text): string {
  const { at, service, actor } = event;
  const { text, colour } = worded(event);
  return [
    paint('dim', localTime(at)),
    paint('cyan', safeText(service ?? '-')),
    paint(colour, safeText(text)) + (actor === undefined ? '' : paint('magenta', ` (${safeText(actor)})`)),
  ].join('  ');
}

function worded({ name, fields }: NumberedEvent): {
  readonly text: string;
  readonly colour: Colour | undefined;
} {
  const wording = Object.hasOwn(WORDINGS, name) ? WORDINGS[name] : asked(name);
  // The service stands before it.
  const { service: _, ...rest } = fields;
  const text = wording === undefined ? name : wording.says(rest);
  const others = Object.entries(rest).filter(([key]) => wording?.uses.includes(key) !== true);
  const more = others.map(([key, value]) => `${key}=${quoted(value)}`).join(' ');
  return { text: more === '' ? text : `${text}  ${more}`, colour: wording?.colour };
}

/** `stop_requested`: somebody has given the command. */
function asked(name: string): Wording | undefined {
  const verb = /^([a-z]+)_requested$/.exec(name)?.[1];
  if (verb === undefined) return undefined;
  return {
    says: ({ reason, for_ms, instances }) => {
      const time = typeof for_ms === 'number' ? ` for ${printDuration(for_ms)}` : '';
      return `${verb}${time} asked for${instances === undefined ? '' : `: ${instances}`}${reason === undefined ? '' : `: ${reason}`}`;
    },
    uses: ['reason', 'for_ms', 'instances'],
    colour: 'bold',
  };
}

function place({ instance, generation, pid }: Fields): string {
  const where = [
    ...(instance === undefined ? [] : [`instance ${instance}`]),
    ...(generation === undefined ? [] : [`generation ${generation}`]),
    ...(pid === undefined || pid === 'none' ? [] : [`pid ${pid}`]),
  ];
  return where.length === 0 ? '' : ` (${where.join(', ')})`;
}

function ended(fields: Fields): string {
  const { exit_reason } = fields;
  return exit_reason === 'not_started'
    ? `could not be started${place(fields)}`
    : `ended${place(fields)}: ${exit_reason}`;
}

function respawn({ restart_action }: Fields): string {
  return restart_action === 'respawn' ? ', is started again' : '';
}

function numbered(number: Fields[string] | undefined, noun: string): string {
  return count(number ?? '?', noun);
}

function problem({ file, message, more, severity }: Fields): string {
  if (more !== undefined) return numbered(more, 'more problem');
  return `${severity === 'warning' ? 'warning: ' : ''}${file === undefined ? '' : `${file}  `}${message}`;
}

/** As in the lifecycle lines: a value with a blank, quote, `=` or newline is JSON. */
function quoted(value: string | number): string {
  const text = String(value);
  return text === '' || /[\s"=]/.test(text) ? JSON.stringify(text) : text;
}
