import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { canFreeze, cgroupFreezer } from '../../src/world/cgroup-freeze.ts';

let directory: string;
const at = (name: string) => join(directory, name);

/** Files that answer as those of a cgroup which stands still at once. */
beforeEach(() => {
  directory = fs.mkdtempSync(join(os.tmpdir(), 'pmtest-'));
  fs.mkdirSync(at('group'));
  fs.writeFileSync(at('group/cgroup.freeze'), '0');
  fs.writeFileSync(at('group/cgroup.events'), 'populated 1\nfrozen 1\n');
  fs.writeFileSync(at('log'), '');
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

it('needs nothing to thaw that it could not get then', () => {
  const [log, journal] = [fs.openSync(at('log'), 'r'), fs.openSync(at('journal'), 'a')];
  try {
    const frozen = cgroupFreezer([at('group')]).freeze(
      { log, journal, journalPath: at('journal') },
      () => undefined,
    );
    expect(fs.readFileSync(at('group/cgroup.freeze'), 'utf8')).toBe('1');
    // As with no descriptor left, the file cannot be opened now.
    fs.renameSync(at('group/cgroup.freeze'), at('group/away'));
    if ('code' in frozen) throw new Error(frozen.message);
    frozen.thaw();
    expect(fs.readFileSync(at('group/away'), 'utf8')).toBe('0');
  } finally {
    for (const fd of [log, journal]) fs.closeSync(fd);
  }
});

it('names nobody whom somebody else has frozen: a later daemon thaws whoever is named', () => {
  const freezer = cgroupFreezer([at('group')]);
  expect(freezer.cgroups).toEqual([at('group')]);
  fs.writeFileSync(at('group/cgroup.freeze'), '1');
  expect(freezer.cgroups).toEqual([]);
});

it('knows a kernel that has no freezer, and does not miss it where no group is', () => {
  expect(canFreeze(cgroupFreezer([at('group'), at('nowhere')]))).toBe(true);
  fs.rmSync(at('group/cgroup.freeze'));
  expect(canFreeze(cgroupFreezer([at('group')]))).toBe(false);
});
