/** What does one typical call of each command look like, and what does it do? */

export interface Example {
  readonly line: string;
  readonly does: string;
}

/** By the name of the command. */
export const EXAMPLES: Readonly<Partial<Record<string, Example>>> = {
  check: {
    line: 'pmctl check config.d/web.yaml',
    does: 'in a commit hook: is this file right among those of its directory? (elsewhere: by itself)',
  },
  diff: { line: 'pmctl diff', does: 'exit code 2 when update would do something' },
  update: {
    line: 'pmctl update web --timeout 2m',
    does: 'apply the file of web alone, and wait until it is ready',
  },
  sync: { line: 'pmctl sync --dry-run', does: 'what has been pushed, and what it would change' },
  explain: {
    line: 'pmctl explain restart_policy.max_backoff',
    does: 'or only its last part: pmctl explain max_backoff',
  },
  schema: { line: 'pmctl schema service > service.schema.json', does: 'for the completion of an editor' },
  status: { line: 'pmctl status web --watch', does: 'the instances of web, until q' },
  list: { line: 'pmctl list -l team=shop', does: 'the names, for a script' },
  start: { line: 'pmctl start web worker', does: 'also when it was stopped or has failed' },
  stop: { line: 'pmctl stop web', does: 'down until start, also over a reboot' },
  restart: { line: 'pmctl restart -l team=shop', does: 'all services with this label' },
  reload: { line: 'pmctl reload web', does: 'no request is lost where two instances can run side by side' },
  trigger: { line: 'pmctl trigger nightly', does: 'run the job now; exit 0 if it succeeds' },
  schedule: { line: 'pmctl schedule', does: 'when every job runs next' },
  hold: { line: 'pmctl hold web -m "incident 4412" --for 2h', does: 'hands off, and everybody sees why' },
  release: { line: 'pmctl release web', does: 'the loop takes care of it again' },
  enable: { line: 'pmctl enable web', does: 'edits the file, and starts it' },
  disable: { line: 'pmctl disable web', does: 'edits the file, and stops it' },
  scale: { line: 'pmctl scale web 4', does: 'four instances, until the file says something new' },
  run: {
    line: 'pmctl run --name api --port auto -- node server.js',
    does: 'from a command to a service, in one line',
  },
  delete: { line: 'pmctl delete api', does: 'the file is removed, and what runs is stopped' },
  wait: { line: 'pmctl wait web --for ready --timeout 30s', does: 'in a script: go on when it is ready' },
  logs: { line: 'pmctl logs web -f', does: 'what it writes, also after its files were rotated' },
  stats: { line: 'pmctl stats web --json', does: 'its figures, for a program' },
  top: { line: 'pmctl top --sort mem', does: 'who needs most memory; c m n r sort, / filters, q ends' },
  why: { line: 'pmctl why web', does: 'cause, last exits, last words, and what would mend it' },
  events: { line: 'pmctl events web -f', does: 'what happens to web from now on' },
  history: { line: 'pmctl history', does: 'what was applied, when, and by whom' },
  show: { line: 'pmctl show 4f2a', does: 'one of them, file by file' },
  rollback: { line: 'pmctl rollback', does: 'back to what ran well last' },
  resume: { line: 'pmctl resume', does: 'follow the directory again after a rollback' },
  doctor: { line: 'pmctl doctor', does: 'exit 1 when something is amiss' },
  shutdown: { line: 'pmctl shutdown', does: 'services keep running, and the next daemon adopts them' },
  token: { line: 'pmctl token new ci --role operate', does: 'a token for a program; it is shown this once' },
  'install-unit': {
    line: 'sudo pmctl install-unit -c /etc/processmaster/config.yaml',
    does: 'then: systemctl daemon-reload, systemctl enable --now processmaster',
  },
  completion: { line: 'eval "$(pmctl completion bash)"', does: 'in ~/.bashrc' },
  version: { line: 'pmctl version --json', does: 'both versions, for a program' },
};
