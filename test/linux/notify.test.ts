/** How a program says that it is ready: a newline on the descriptor that was agreed. */
import fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunKey } from '../../src/model/names.ts';
import type { Credentials } from '../../src/model/spec.ts';
import { inheritedDescriptors } from '../../src/world/inherited-descriptors.ts';
import type { Containment, Launch } from '../../src/world/world.ts';
import {
  emptied,
  GROUNDS,
  type Ground,
  isRoot,
  keyOf,
  launchOf,
  outcomeOf,
  outputOf,
  runOf,
  started,
  temporaryDirectory,
  until,
} from './ground.ts';

const NOBODY: Credentials = {
  ...{ uid: 65534, gid: 65534, groups: [], user: 'nobody', home: '/', shell: '/bin/sh' },
};

/** Ends of fifos that this process has open. */
function ears(): readonly string[] {
  return fs.readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = fs.readlinkSync(`/proc/self/fd/${fd}`);
      return target.includes('/processmaster-') ? [target] : [];
    } catch {
      // The descriptor of the listing itself is closed by now.
      return [];
    }
  });
}

/** Each of them makes the launcher another one. */
const LAUNCHERS: readonly (readonly [string, Partial<Launch>])[] = [
  ['a plain launcher', {}],
  ['one with links', { nice: 3, rlimits: { core: { soft: 0, hard: 0 } } }],
  ['one that records', { record: true }],
];

describe.each(GROUNDS)('a program in %s', (_, makeGround, missing) => {
  describe.skipIf(missing)('on this host', () => {
    let ground: Ground;
    let containment: Containment;
    let heard: number;

    beforeEach(() => {
      ground = makeGround();
      containment = ground.containment;
      heard = 0;
    });
    afterEach(() => ground.clear());

    function start(script: string, fd: number, changes: Partial<Launch> = {}): RunKey {
      const key = keyOf('web');
      const notify = { fd, heard: () => (heard += 1) };
      const argv = [process.execPath, '-e', `const fs = require('node:fs'); ${script}`];
      started(containment.start(key, launchOf(key, argv, { notify, ...changes })));
      return key;
    }

    async function cleared(key: RunKey): Promise<void> {
      containment.kill(key);
      await outcomeOf(containment, key);
      await emptied(containment, key);
      expect(containment.remove(key)).toBeUndefined();
    }

    describe.each(LAUNCHERS)('behind %s', (_title, changes) => {
      it.each([3, 4, 5, 6, 7, 9, 12, 40])('is heard once on descriptor %i', async (fd) => {
        const key = start(
          `fs.writeSync(${fd}, 'half a line'); fs.writeSync(${fd}, '\\nmore\\n'); setInterval(() => {}, 1000)`,
          fd,
          changes,
        );
        await until('the newline', () => (heard > 0 ? true : undefined));
        expect(runOf(containment, key)?.main.is).toBe('running');
        await cleared(key);
        expect(heard).toBe(1);
      });

      it('has this descriptor and no other', async () => {
        const notify = { fd: 4, heard: () => undefined };
        const list = ['sh', '-c', 'ls /proc/$$/fd'];
        // What this process inherited itself is closed by a daemon when it starts.
        const expected = [0, 1, 2, 4, ...inheritedDescriptors()].map(String).sort();
        const seen = await outputOf(containment, list, { notify, ...changes });
        expect(seen.trim().split('\n').sort()).toEqual([...new Set(expected)]);
      });
    });

    it('is not heard without a newline', async () => {
      const directory = temporaryDirectory();
      const said = join(directory, 'said');
      const key = start(
        `fs.writeSync(3, 'ready'); fs.writeFileSync('${said}', ''); setInterval(() => {}, 1000)`,
        3,
      );
      await until('the word', () => (fs.existsSync(said) ? true : undefined));
      await cleared(key);
      expect(heard).toBe(0);
      fs.rmSync(directory, { recursive: true });
    });

    it('is not heard after its end, although a child of it speaks', async () => {
      const directory = temporaryDirectory();
      const key = keyOf('web');
      const notify = { fd: 3, heard: () => (heard += 1) };
      const child = 'while [ ! -e "$0/go" ]; do sleep 0.01; done; echo >&3';
      const argv = ['sh', '-c', `(setsid sh -c '${child}' "$0" &); exit 0`, directory];
      started(containment.start(key, launchOf(key, argv, { notify })));
      await outcomeOf(containment, key);
      await until('silence', () => (ears().length === 0 ? true : undefined), ears);
      fs.writeFileSync(join(directory, 'go'), '');
      await emptied(containment, key);
      expect(heard).toBe(0);
      fs.rmSync(directory, { recursive: true });
    });

    it.skipIf(!isRoot)('may open the descriptor by its name, as another user too', async () => {
      const key = keyOf('web');
      const notify = { fd: 5, heard: () => (heard += 1) };
      const argv = ['sh', '-c', 'echo > /dev/fd/5; exec sleep 1000'];
      started(containment.start(key, launchOf(key, argv, { notify, credentials: NOBODY })));
      await until('the newline', () => (heard > 0 ? true : undefined));
      await cleared(key);
    });

    it('is not harmed when nobody listens any more', async () => {
      const directory = temporaryDirectory();
      const key = start(
        `setInterval(() => fs.existsSync('${directory}/go') && (fs.writeSync(3, '\\n'), process.exit(8)), 10)`,
        3,
        { record: true },
      );
      containment.close();
      const later = ground.reopen();
      fs.writeFileSync(join(directory, 'go'), '');
      expect(await outcomeOf(later, key)).toEqual({ kind: 'exited', code: 8 });
      expect(heard).toBe(0);
      fs.rmSync(directory, { recursive: true });
    });

    it.each(['before', 'after'])(
      'is heard by a later daemon when it speaks %s that listens',
      async (when) => {
        const directory = temporaryDirectory();
        const [go, said] = [join(directory, 'go'), join(directory, 'said')];
        const speak = `fs.writeSync(3, '\\n'); fs.writeFileSync('${said}', ''); clearInterval(timer)`;
        const key = start(
          `const timer = setInterval(() => { if (fs.existsSync('${go}')) { ${speak} } }, 10); setInterval(() => {}, 1000)`,
          3,
        );
        const main = runOf(containment, key)?.main;
        if (main?.is !== 'running') throw new Error('it does not run');
        containment.close();
        const later = ground.reopen();
        let again = 0;
        const notify = { fd: 3, heard: () => (again += 1) };
        if (when === 'before') fs.writeFileSync(go, '');
        if (when === 'before') await until('the word', () => (fs.existsSync(said) ? true : undefined));
        expect(later.hear(main.pid, notify)).toBeTypeOf('function');
        if (when === 'after') fs.writeFileSync(go, '');
        await until('the newline', () => (again > 0 ? true : undefined));
        expect([heard, again]).toEqual([0, 1]);
        expect(later.hear(main.pid, { ...notify, fd: 0 })).toBeUndefined();
        expect(later.hear(main.pid, { ...notify, fd: 9 })).toBeUndefined();
        later.kill(key);
        await emptied(later, key);
        expect(later.hear(main.pid, notify)).toBeUndefined();
        fs.rmSync(directory, { recursive: true });
      },
    );

    it('keeps what it has said to itself since, on a pipe that has the same number', async () => {
      const directory = temporaryDirectory();
      const key = keyOf('web');
      const notify = { fd: 3, heard: () => (heard += 1) };
      const reuse = 'exec 3>&-; mkfifo "$0/private"; exec 3<>"$0/private"; echo kept >&3; : >"$0/said"';
      const read = 'while [ ! -e "$0/go" ]; do sleep 0.01; done; read line <&3; echo "$line" >"$0/line"';
      const argv = ['sh', '-c', `${reuse}; ${read}; exec sleep 1000`, directory];
      const { pid } = started(containment.start(key, launchOf(key, argv, { notify })));
      await until('its own pipe', () => (fs.existsSync(join(directory, 'said')) ? true : undefined));
      containment.close();
      const later = ground.reopen();
      expect(later.hear(pid, notify)).toBeUndefined();
      fs.writeFileSync(join(directory, 'go'), '');
      const line = join(directory, 'line');
      await until('the line', () => (fs.existsSync(line) && fs.statSync(line).size > 0 ? true : undefined));
      expect(fs.readFileSync(line, 'utf8')).toBe('kept\n');
      expect(heard).toBe(0);
      later.kill(key);
      await emptied(later, key);
      fs.rmSync(directory, { recursive: true });
    });

    it('leaves no descriptor open, whether it spoke, only ended, or never was', async () => {
      const descriptors = () => fs.readdirSync('/proc/self/fd').length;
      const cycle = async () => {
        const silent = keyOf('web');
        const notify = { fd: 3, heard: () => (heard += 1) };
        const count = heard;
        started(containment.start(silent, launchOf(silent, ['true'], { notify })));
        const spoken = keyOf('web');
        const speak = ['sh', '-c', 'echo >&3; exec sleep 1000'];
        started(containment.start(spoken, launchOf(spoken, speak, { notify })));
        const refused = keyOf('web');
        const never = containment.start(refused, launchOf(refused, ['true', 'a\0b'], { notify }));
        expect(never).toMatchObject({ code: 'start-failed' });
        await outcomeOf(containment, silent);
        await until('the newline', () => (heard > count ? true : undefined));
        await cleared(silent);
        await cleared(spoken);
      };
      await cycle();
      await new Promise((resolve) => setImmediate(resolve));
      const before = descriptors();
      for (let round = 0; round < 20; round++) await cycle();
      await until('all to be closed', () => (descriptors() <= before ? true : undefined), descriptors);
    });
  });
});
