/** Which calls are there, what may be asked with each, and what does it answer? The table behind the description. */
import {
  doctor,
  event,
  health,
  logFieldsOfView,
  logs,
  status,
  version,
  waited,
  why,
} from './answer-schemas.ts';
import {
  command,
  define,
  diff,
  history,
  processAnswer,
  snapshot,
  snapshotText,
  sync,
  update,
  updateFields,
} from './change-schemas.ts';
import type { ShutdownView } from './contract.ts';
import type { ProcessList, ProcessLogs, ReloadAnswer } from './process-answers.ts';
import { BODIES } from './request-schemas.ts';
import { flag, type JsonSchema, list, object, type SchemaOf, text, time } from './schema-of.ts';
import { service, stats } from './service-schemas.ts';

export interface Operation {
  readonly summary: string;
  /** Besides what the route names. */
  readonly query?: Readonly<Record<string, JsonSchema>>;
  readonly body?: JsonSchema;
  /** By content type. */
  readonly answers: Readonly<Record<string, { readonly json: JsonSchema }>>;
  /** When it takes more than the role of the call. */
  readonly takesMore?: string;
}

const JSON_TYPE = 'application/json';

const names = { type: 'string', description: 'Names, with commas between them; all without it.' };
const count = { type: 'integer', minimum: 0 };
const moment = {
  type: 'string',
  description: 'A time, like 2026-01-01T08:00:00Z, or how long ago, like 2h.',
};
const wait = { ...count, description: 'Milliseconds to wait for the outcome; 0 answers at once.' };

/** By method and route. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  'GET /health': asks('Is everything as it should be?', health),
  'GET /metrics': {
    summary: 'All figures, for Prometheus',
    answers: { 'text/plain': text('Text format 0.0.4.') },
  },
  'GET /api/openapi.json': asks('This document', { json: { type: 'object' } }),
  'GET /api/version': asks('Which daemon is it?', version),
  'GET /api/status': asks('What runs, and how is it?', status),
  'GET /api/stats': asks('What does each service use?', stats),
  'GET /api/diff': asks('What would an update do?', diff),
  'GET /api/doctor': asks('What does the host give?', doctor),
  'GET /api/why/:id': asks('Why is a service in its state?', why),
  'GET /api/logs': {
    ...asks('The last lines of the logs', logs),
    query: {
      services: names,
      file: { type: 'string', description: 'Only files with this base name.' },
      lines: count,
      since: moment,
      until: moment,
      grep: { type: 'string', description: 'A regular expression of JavaScript.' },
      stream: { enum: ['stdout', 'stderr', 'hint'] },
      instance: count,
    },
  },
  'GET /api/events': {
    summary: 'What happened, oldest first; as a stream of server-sent events where the client accepts one',
    query: {
      after: { ...count, description: 'Only events with a higher id.' },
      since: moment,
      last: { ...count, description: 'Only the last so many.' },
      services: names,
      follow: { const: '1', description: 'Goes on as more happens.' },
    },
    answers: { 'application/x-ndjson': event, 'text/event-stream': text() },
  },
  'GET /api/processes': asks('All services', object<ProcessList>({ processes: list(service) })),
  'GET /api/processes/:id': asks('One service', service),
  'GET /api/processes/:id/logs': {
    ...asks('The last lines of its logs', object<ProcessLogs>({ processId: text(), ...logFieldsOfView })),
    query: { lines: count },
  },
  'POST /api/processes/reload': asks(
    'Makes what runs what the files say',
    object<ReloadAnswer>({ success: flag(), message: text(), timestamp: time(), ...updateFields }),
  ),
  'POST /api/processes/:id/:verb': {
    ...asks('start, stop, restart or reload', processAnswer),
    query: { wait },
  },
  'POST /api/update': {
    ...takes('Makes what runs what the files say', BODIES.update, update),
    takesMore: 'admin with prune',
  },
  'POST /api/sync': takes('Takes the newest commit of the checkout, and follows it', BODIES.sync, sync),
  'POST /api/command': {
    ...takes('One command for some services', BODIES.command, command),
    takesMore: 'admin for enable, disable and scale',
  },
  'POST /api/define': takes('Writes the file of a new service, and starts it', BODIES.define, define),
  'POST /api/delete': takes('Removes files, and what runs of them', BODIES.delete, command),
  'POST /api/wait': takes('Answers when a service has come to a state', BODIES.wait, waited),
  'POST /api/shutdown': takes(
    'Ends the daemon; services keep running unless it is said otherwise, or nobody could adopt them',
    BODIES.shutdown,
    object<ShutdownView & { readonly ok: boolean }>({
      ok: flag(),
      stopServices: flag('Whether the services are stopped first, asked for or not.'),
      isUnderWay: flag('It was ending already, as somebody had asked before: that counts.'),
    }),
  ),
  'GET /api/history': { ...asks('What was applied, newest first', history), query: { limit: count } },
  'GET /api/history/:id': asks('One applied state', snapshot),
  'GET /api/history/:id/:service': asks('The file of a service in it', snapshotText),
  'GET /api/compare': {
    ...asks('What differs between two applied states', diff),
    query: { from: { type: 'string' }, to: { type: 'string', description: 'Without it: what is in force.' } },
  },
  'POST /api/rollback': {
    ...takes('Goes back to an applied state', BODIES.rollback, update),
    takesMore: 'admin with prune',
  },
  'POST /api/resume': {
    ...takes('Follows the files again', BODIES.resume, update),
    takesMore: 'admin with prune',
  },
};

function asks<T>(summary: string, answer: SchemaOf<T>): Operation {
  return { summary, answers: { [JSON_TYPE]: { json: answer.json } } };
}

function takes<T>(summary: string, body: JsonSchema, answer: SchemaOf<T>): Operation {
  return { ...asks(summary, answer), body };
}
