/** `schedule`: when do scheduled services run next, and how did they go last? */
import type { ServiceView } from '../api/contract.ts';
import { type Call, printJson, printLines, refuse, widthOf } from './call.ts';
import type { Exit } from './exit-codes.ts';
import { age, localTime, shortDuration } from './quantities.ts';
import { isRefusal } from './refusal.ts';
import { selectedStatus } from './status.ts';
import { type Column, table } from './table.ts';

const COLUMNS: readonly Column[] = [
  { title: 'NAME', align: 'left' },
  { title: 'SCHEDULE', align: 'left' },
  { title: 'NEXT', align: 'left' },
  { title: 'IN', align: 'right' },
  { title: 'LAST', align: 'right', spare: 2 },
  { title: 'RESULT', align: 'left', spare: 1 },
  { title: 'SKIPPED', align: 'right', spare: 3 },
];

/** `pmctl schedule` and `pmctl schedule next` list all of them; with names, the next times of each. */
export async function schedule(call: Call): Promise<Exit> {
  const [first, ...rest] = call.words;
  const words = first === 'next' ? rest : call.words;
  const view = await selectedStatus({ ...call, words });
  if (isRefusal(view)) return refuse(call, view);
  const services = view.services.filter((service) => service.schedule !== null);
  const now = call.terminal.now();
  if (call.options.json) {
    printJson(call, { services: services.map(({ name, schedule }) => ({ name, ...schedule })) });
  } else if (services.length === 0) printLines(call, ['no scheduled service']);
  else {
    const rows = services.flatMap((service) => rowsOf(service, now, words.length > 0));
    printLines(call, table(COLUMNS, rows, { width: widthOf(call), paint: call.paint }));
  }
  return 'fine';
}

function rowsOf({ name, schedule, state }: ServiceView, now: number, all: boolean) {
  if (schedule === null) return [];
  const [next = null, ...later] = schedule.next;
  const failed = schedule.last_result !== null && schedule.last_result !== 'exit_0';
  const { missed, running } = schedule.skipped;
  const first = [
    { text: name },
    { text: schedule.cron },
    { text: next === null ? (state === 'running' ? 'runs now' : '-') : localTime(Date.parse(next)) },
    { text: next === null ? '-' : shortDuration(Date.parse(next) - now) },
    { text: age(schedule.last_run_at, now) },
    { text: schedule.last_result ?? '-', ...(failed ? { colour: 'red' as const } : {}) },
    { text: missed + running === 0 ? '-' : String(missed + running) },
  ];
  const others = later.map((time) => [
    { text: '' },
    { text: '' },
    { text: localTime(Date.parse(time)) },
    { text: shortDuration(Date.parse(time) - now) },
    { text: '' },
    { text: '' },
    { text: '' },
  ]);
  return [first, ...(all ? others : [])];
}
