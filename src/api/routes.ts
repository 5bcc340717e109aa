/** Under which methods and paths is the contract spoken? */

/**
 * The routes, as the server registers and the client calls them. Bodies and answers are JSON of the types of contract.ts.
 * A refused request answers `{"error": {"code", "message"}}` with a 4xx status.
 */
export const ROUTES = {
  health: 'GET /health',
  metrics: 'GET /metrics',
  openApi: 'GET /api/openapi.json',
  version: 'GET /api/version',
  status: 'GET /api/status',
  stats: 'GET /api/stats',
  processes: 'GET /api/processes',
  process: 'GET /api/processes/:id',
  /** Query: lines=100. */
  processLogs: 'GET /api/processes/:id/logs',
  /** start, stop, restart or reload, as a REST call on one process. Query: wait=<ms>. */
  processVerb: 'POST /api/processes/:id/:verb',
  /** The same as update. */
  reload: 'POST /api/processes/reload',
  diff: 'GET /api/diff',
  update: 'POST /api/update',
  sync: 'POST /api/sync',
  command: 'POST /api/command',
  define: 'POST /api/define',
  delete: 'POST /api/delete',
  why: 'GET /api/why/:id',
  /** Query: services=a,b&file=stdout.log&lines=50. */
  logs: 'GET /api/logs',
  /** Query: after=<id>&since=<time>&services=a,b&last=50&follow=1; JSON lines, or server-sent events if accepted. */
  events: 'GET /api/events',
  wait: 'POST /api/wait',
  doctor: 'GET /api/doctor',
  /** Query: limit=20. */
  history: 'GET /api/history',
  snapshot: 'GET /api/history/:id',
  snapshotText: 'GET /api/history/:id/:service',
  /** Query: from=<id>&to=<id>; without `to`: what is in force now. */
  compare: 'GET /api/compare',
  rollback: 'POST /api/rollback',
  resume: 'POST /api/resume',
  shutdown: 'POST /api/shutdown',
} as const;
