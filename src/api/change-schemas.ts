/** What does an answer look like that tells of changes, as a schema? Held against the types by the compiler. */
import type { Change, FieldChange } from '../model/action.ts';
import type {
  ChangeResult,
  DiffView,
  FailureView,
  FrozenView,
  HeldRemovals,
  HeldService,
  UnderWayResult,
  UpdateView,
} from './changes.ts';
import type { ConfigError } from './config-error.ts';
import type { CommandResult, CommandView } from './contract.ts';
import type { DefineView } from './definition.ts';
import type {
  Commit,
  HistoryEntry,
  HistoryView,
  SnapshotFileView,
  SnapshotResult,
  SnapshotText,
  SnapshotView,
  Trigger,
} from './deploys.ts';
import type { ProcessAnswer } from './process-answers.ts';
import {
  component,
  type FieldsOf,
  flag,
  list,
  map,
  nullable,
  object,
  optional,
  text,
  time,
  whole,
  words,
} from './schema-of.ts';
import { problem, scaleFields, service, severity } from './service-schemas.ts';
import type { SyncView } from './sync.ts';

const yes = words<true>({ true: true });

export const held = object<HeldRemovals>({ services: list(text()), reason: text() });

export const frozen = object<FrozenView>({
  snapshot: nullable(text()),
  since: nullable(time()),
  by: nullable(text()),
  reason: text(),
  pending: list(text()),
});

export const fieldChange = object<FieldChange>({
  path: text(),
  from: optional(text()),
  to: optional(text()),
  class: words<FieldChange['class']>({ live: true, reload: true, roll: true, replace: true }),
  file: optional(text()),
  line: optional(whole()),
});

const changeFields: FieldsOf<Change> = {
  service: text<Change['service']>(),
  action: words<Change['action']>({
    start: true,
    stop: true,
    live: true,
    reload: true,
    roll: true,
    replace: true,
    define: true,
    forget: true,
    keep: true,
  }),
  because: list(fieldChange),
  reason: text(),
  instances: whole(),
  added: optional(whole()),
  removed: optional(whole()),
  rejected: optional(text('Why this definition has failed already: nothing of it is done by itself.')),
};

const outcomeFields: FieldsOf<Pick<ChangeResult, 'detail' | 'kept' | 'log'>> = {
  detail: text(),
  kept: optional(yes),
  log: optional(list(text())),
};

const changeResult = object<ChangeResult>({
  ...changeFields,
  result: words<ChangeResult['result']>({ done: true, failed: true, pending: true, refused: true }),
  ...outcomeFields,
});

const underWayResult = object<UnderWayResult>({
  service: text<UnderWayResult['service']>(),
  result: words<UnderWayResult['result']>({ done: true, failed: true, pending: true }),
  ...outcomeFields,
});

export const configError = component(
  'ConfigError',
  object<ConfigError>({
    file: nullable(text()),
    line: nullable(whole()),
    column: nullable(whole()),
    path: nullable(text()),
    message: text(),
    code: text(),
    severity,
    hint: nullable(text()),
  }),
);

const diffFields: FieldsOf<DiffView> = {
  changes: list(object<Change>(changeFields)),
  errors: list(configError),
  warnings: list(configError),
  unchanged: whole(),
  held: list(
    object<HeldService>({
      service: text(),
      reason: text(),
      until: optional(time('It ends by itself then.')),
      change: optional(object<Change>(changeFields)),
    }),
  ),
  failed: optional(
    list(object<NonNullable<DiffView['failed']>[number]>({ service: text(), reason: text() })),
  ),
  scaled: optional(
    list(object<NonNullable<DiffView['scaled']>[number]>({ service: text(), ...scaleFields })),
  ),
  prune: nullable(held),
  frozen: optional(nullable(frozen)),
  desired: optional(text('Changes with what the files say.')),
};

export const diff = component('Diff', object<DiffView>(diffFields));

export const updateFields: FieldsOf<UpdateView> = {
  ...diffFields,
  changes: list(changeResult),
  underway: optional(list(underWayResult)),
  failure: optional(
    object<FailureView>({
      did: words<FailureView['did']>({ stopped: true, rolled_back: true }),
      detail: text(),
      services: list(text()),
    }),
  ),
};

export const update = component('Update', object<UpdateView>(updateFields));

const commandFields: FieldsOf<CommandResult> = {
  service: text(),
  result: words<CommandResult['result']>({
    done: true,
    failed: true,
    pending: true,
    refused: true,
    unknown_service: true,
  }),
  detail: text(),
  kept: optional(yes),
  log: optional(list(text())),
};

export const command = component(
  'Command',
  object<CommandView>({ results: list(object<CommandResult>(commandFields)) }),
);

export const processAnswer = object<ProcessAnswer>({
  ...commandFields,
  success: yes,
  message: text(),
  process: nullable(service),
});

export const define = component(
  'Define',
  object<DefineView>({
    service: text(),
    file: nullable(text()),
    result: words<DefineView['result']>({ done: true, failed: true, pending: true, refused: true }),
    detail: text(),
    problems: list(problem),
  }),
);

const commit = object<Commit>({ oid: text(), branch: nullable(text()), dirty: flag() });

const outcome = words<SnapshotResult>({ converged: true, failed: true, pending: true });

export const entry = component(
  'HistoryEntry',
  object<HistoryEntry>({
    number: whole('Counts up.'),
    id: text('The same for the same state.'),
    at: time(),
    trigger: words<Trigger>({
      boot: true,
      watch: true,
      resync: true,
      HUP: true,
      update: true,
      command: true,
      sync: true,
      rollback: true,
      resume: true,
      failure: true,
    }),
    by: nullable(text()),
    commit: nullable(commit),
    added: list(text()),
    changed: list(text()),
    removed: list(text()),
    result: words<HistoryEntry['result']>({ converged: true, failed: true, pending: true, superseded: true }),
    results: map(outcome),
    mark: nullable(words<NonNullable<HistoryEntry['mark']>>({ current: true, frozen: true })),
  }),
);

export const history = component(
  'History',
  object<HistoryView>({ entries: list(entry), problems: list(text()) }),
);

export const snapshot = component(
  'Snapshot',
  object<SnapshotView>({
    entry,
    files: list(
      object<SnapshotFileView>({
        path: text(),
        service: text(),
        blob: text('SHA-256 of the text.'),
        hash: nullable(text()),
        env_files: map(nullable(flag())),
      }),
    ),
  }),
);

export const snapshotText = component(
  'SnapshotText',
  object<SnapshotText>({ id: text(), path: text(), service: text(), text: text() }),
);

export const sync = component(
  'Sync',
  object<SyncView>({
    result: words<SyncView['result']>({ applied: true, would_apply: true, nothing_new: true, refused: true }),
    reason: nullable(text()),
    branch: nullable(text()),
    from: nullable(text()),
    to: nullable(text()),
    commits: list(object<SyncView['commits'][number]>({ id: text(), subject: text() })),
    other_files: optional(whole()),
    errors: list(configError),
    diff: nullable(diff),
    update: nullable(update),
    failed: optional(list(object<{ service: string; detail: string }>({ service: text(), detail: text() }))),
  }),
);
