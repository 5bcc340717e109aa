/**
 * What is left when the power goes? A machine with everything on a disk is cut off within a seeded row of commands, again
 * and again. `CUTS=100 SEED=7 npm run test:vm -- power-cuts` tries more.
 */
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Chance } from '../twins/random.ts';
import { Expected } from './expected.ts';
import { freshDisk, Machine } from './machine.ts';
import { Manager } from './manager.ts';
import { machineMissing } from './tools.ts';

const CUTS = Number(process.env['CUTS'] ?? 2);
const SEED = Number(process.env['SEED'] ?? 1);

/** Milliseconds of real time within which a command may be cut off: in its first steps, in its midst, after it. */
const WITHIN = [60, 400, 1500] as const;
const MOST_COMMANDS = 6;

/** As the disk is used by default, with short transactions, and without the help that ext4 gives to careless programs. */
const MOUNTS = ['commit=5', 'commit=1', 'commit=1,noauto_da_alloc', 'commit=5,noauto_da_alloc'] as const;

/** Writes numbered lines as fast as the log is rotated a few times a second. */
const WRITER = `n=0; while :; do
  for i in 0 1 2 3 4 5 6 7 8 9 a b c d e f; do
    n=$((n + 1)); echo "$PROCESSMASTER_RUN_ID:$n:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
  done; sleep 0.005
done`;

describe.skipIf(machineMissing)('a power cut', () => {
  test(`leaves the old or the new, ${CUTS} times`, { timeout: 60_000 + CUTS * 180_000 }, async () => {
    const directory = fs.mkdtempSync(join(os.tmpdir(), 'pmcuts-'));
    const disk = freshDisk(join(directory, 'disk'), 512);
    let machine: Machine | undefined;
    onTestFinished(async () => {
      await machine?.close();
      fs.rmSync(directory, { recursive: true });
    });
    const chance = new Chance(SEED, 'power');
    const expected = new Expected();
    const counted: Record<string, number> = {};
    for (let cut = 0; cut <= CUTS; cut++) {
      const mount = cut === 0 ? MOUNTS[0] : chance.pick(MOUNTS);
      const story: string[] = [`seed ${SEED}, boot ${cut}, mounted with ${mount}`];
      machine = await Machine.boot({ disks: [disk] });
      const manager = managerOf(machine);
      try {
        await machine.sh(`mount -t ext4 -o ${mount} /dev/vda /disk`);
        if (cut === 0) await prepare(manager, expected);
        else expect(await machine.torn(`${manager.directory}/state`)).toEqual([]);
        await manager.start();
        await expected.check(manager);
        if (cut === CUTS) break;
        await workAndCut(manager, expected, chance, story, counted);
      } catch (error) {
        throw new Error(`${story.join('\n')}\n${await manager.story()}`, { cause: error });
      }
      await machine.close();
    }
    if (process.env['CUTS'] !== undefined) console.log(`cut off within ${JSON.stringify(counted)}`);
  });
});

function managerOf(machine: Machine): Manager {
  return new Manager(machine, { directory: '/disk/pm', settings: { sock_path: '/run/pm.sock' } });
}

async function prepare(manager: Manager, expected: Expected): Promise<void> {
  await manager.machine.sh('mkdir -p /disk/pm/config.d /disk/pm/logs');
  for (const name of expected.names) await manager.service(name, definition(name, 1), 'replaced');
  await manager.machine.sh('sync');
}

/** `version` shows in the environment of its processes. */
function definition(name: string, version: number) {
  const logs = {
    logs: { rotation_mode: 'size', rotation_size: '64K', rotation_backups: 10_000, compress: true },
  };
  return {
    process: {
      command: name === 'writer' ? WRITER : 'exec sleep 10000',
      working_directory: name === 'writer' ? '/disk/pm/logs' : '/disk/pm',
      env: { VERSION: String(version) },
      stop_grace: '5s',
    },
    ...(name === 'writer' ? logs : { logs: { stdout: `${name}.out`, stderr: `${name}.err` } }),
  };
}

/** Gives a few commands, and cuts the power while the last of them, or what it began, goes on. */
async function workAndCut(
  manager: Manager,
  expected: Expected,
  chance: Chance,
  story: string[],
  counted: Record<string, number>,
): Promise<void> {
  const last = chance.between(1, MOST_COMMANDS);
  for (let command = 1; command <= last; command++) {
    const what = expected.draw(chance, definition);
    story.push(`${what.title}${command === last ? ', and the power goes' : ''}`);
    const carriedOut = what.carryOut(manager);
    if (command < last) {
      await carriedOut;
      what.answered();
      continue;
    }
    counted[what.title.split(' ')[0] ?? ''] = (counted[what.title.split(' ')[0] ?? ''] ?? 0) + 1;
    const answered = await Promise.race([
      carriedOut.then(() => true),
      after(chance.between(0, chance.pick(WITHIN))).then(() => false),
    ]);
    carriedOut.catch(() => 'the machine is off');
    if (answered) {
      what.answered();
      // What it began goes on: a stop, a start, a rotation.
      await after(chance.between(0, chance.pick(WITHIN)));
    }
    story.push(answered ? 'it was answered' : 'it was not answered');
    if (process.env['CUTS'] !== undefined) console.log(story.join('; '));
    await manager.machine.cut();
  }
}
