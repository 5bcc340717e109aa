/** What does each manager do where it matters: with what a stop must end, with its own death, with an edit, a typo? */
import fs from 'node:fs';
import { join } from 'node:path';
import { pause } from '../ground.ts';
import { isAliveBelow, processesBelow } from '../kernel.ts';
import { type Kind, type Manager, stamping } from './manager.ts';
import { started, type Value } from './times.ts';

const SERVICES = 20;

/** Longer than any of them takes for what it does by itself: runsvdir looks every five seconds. Milliseconds. */
const SETTLED = 12_000;

/** A child in its own session, a grandchild whose parent is gone, and one that ignores what a stop says. */
const FAMILY = `#!/bin/sh
setsid sleep 31415 &
(sleep 31415 &)
(trap '' TERM; sleep 31415) &
exec sleep 31415
`;
const FAMILY_SIZE = 4;

export async function conductOf(kind: Kind): Promise<readonly Value[]> {
  const manager = kind.open(SERVICES);
  try {
    await started(manager, SERVICES);
    await manager.ready();
    const edit = await editOf(manager, stamping(manager.program, manager.stamps, 'service-0000'));
    const typo = await typoOf(manager, stamping(manager.program, manager.stamps, 'typo'));
    return [
      { what: 'restarts by an edit that no process could notice', unit: '', value: edit },
      { what: 'a misspelt key is', unit: '', value: typo },
      {
        what: `of a family of ${FAMILY_SIZE}, left after its stop`,
        unit: '',
        value: await familyOf(manager),
      },
      ...(await deathOf(manager)),
    ];
  } finally {
    manager.close();
  }
}

async function editOf(manager: Manager, argv: readonly string[]): Promise<number> {
  const count = () => manager.stamps.all().filter(({ service }) => service === argv[2]).length;
  const before = count();
  await manager.define('service-0000', { argv, note: 2, typo: false });
  await pause(SETTLED);
  return count() - before;
}

async function typoOf(manager: Manager, argv: readonly string[]): Promise<string> {
  const said = await manager.define('typo', { argv, note: 1, typo: true });
  await pause(SETTLED);
  const runs = manager.stamps.all().some(({ service }) => service === 'typo');
  // The right definition again: one that was refused would stand in the way of what follows.
  await manager.define('typo', { argv, note: 1, typo: false });
  return /wait_exi|stopwaitsec|kill_timeot|finsh/.test(said) && !runs ? 'refused' : 'not noticed';
}

async function familyOf(manager: Manager): Promise<number> {
  const script = join(manager.directory, 'family');
  fs.writeFileSync(script, FAMILY, { mode: 0o755 });
  const members = () =>
    processesBelow(manager.directory).filter((pid) => {
      return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8') === 'sleep\u000031415\0';
    });
  await manager.define('family', { argv: [script], note: 1, typo: false });
  for (let round = 0; members().length < FAMILY_SIZE; round++) {
    if (round > 1000) throw new Error(`${members().length} of the family are there`);
    await pause(20);
  }
  await manager.stop('family');
  await pause(SETTLED);
  const left = members();
  for (const pid of left) process.kill(pid, 'SIGKILL');
  return left.length;
}

/** `kill -9` of the manager, and a new one. */
async function deathOf(manager: Manager): Promise<readonly Value[]> {
  const alive = () => manager.stamps.all().filter(({ pid }) => isAliveBelow(pid, manager.directory));
  const before = new Set(alive().map(({ pid }) => pid));
  const main = manager.main();
  if (main === undefined) throw new Error('there is no manager to kill');
  process.kill(main, 'SIGKILL');
  await pause(1000);
  const survivors = alive().length;
  manager.start();
  await pause(SETTLED);
  const after = alive();
  const services = new Map<string, number>();
  for (const { service } of after) services.set(service, (services.get(service) ?? 0) + 1);
  const twice = [...services.values()].filter((count) => count > 1).length;
  const fresh = after.filter(({ pid }) => !before.has(pid)).length;
  return [
    { what: `of ${before.size}, alive after a kill -9 of the manager`, unit: '', value: survivors },
    { what: 'services that run twice under the next one', unit: '', value: twice },
    { what: 'processes that the next one started', unit: '', value: fresh },
  ];
}
