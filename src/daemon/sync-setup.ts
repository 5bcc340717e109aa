/** How do the settings and the parts of the daemon become a checkout that follows its branch? */
import type { ServiceName } from '../model/names.ts';
import type { Settings } from '../model/settings.ts';
import type { World } from '../world/world.ts';
import type { LocalControl } from './control.ts';
import { noted } from './failing.ts';
import type { Freeze } from './freeze.ts';
import type { Loop } from './loop.ts';
import type { Log, Reports } from './reports.ts';
import { Sync } from './sync.ts';
import type { Pending, SyncTools } from './sync-tools.ts';
import { underWay } from './under-way.ts';

export interface SyncParts extends Pick<SyncTools, 'checkout' | 'readAs'> {
  readonly world: World;
  readonly settings: Settings;
  readonly log: Log;
}

export function syncOf(
  { world, settings, log, checkout, readAs }: SyncParts,
  { control, loop, reports, freeze }: { control: LocalControl; loop: Loop; reports: Reports; freeze: Freeze },
  { noticed, ...rest }: Pick<SyncTools, 'unfinished' | 'changed'> & { readonly noticed: () => void },
): Sync {
  return new Sync({
    ...{ checkout, readAs, files: world.files, clock: world.clock, directory: settings.config_directory },
    ...{ interval: settings.sync.interval, onFailure: settings.sync.on_failure },
    ...rest,
    planned: (desired) => ({ ...control.planned(desired), frozen: control.deploys?.frozen ?? null }),
    pending: () => pendingOf(control, loop),
    reconcile: (request, trigger) => control.reconcile(request, trigger),
    frozen: () => freeze.hold,
    complain: (problem) => reports.complain(problem),
    troubled: (before, now) => {
      reports.lasting(before, now);
      noticed();
    },
    tell: (message) => log.info({}, message),
  });
}

function pendingOf(control: LocalControl, loop: Loop): Pending {
  const failureOf = (service: ServiceName): Pending['failed'] => {
    const outcome = noted(loop.glance(service));
    return outcome === undefined ? [] : [{ service, detail: outcome.detail }];
  };
  const diff = control.diff();
  const isUnderWay = underWay(loop, diff.changes).length > 0;
  return { diff, failed: loop.names().flatMap(failureOf), isUnderWay };
}
