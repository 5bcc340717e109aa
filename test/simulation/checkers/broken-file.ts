/** Does a broken file change what is wanted? */
import { Broken, type Checker } from '../checker.ts';

const PROMISE = 'a broken file leaves in force what was in force';

export const brokenFile: Checker = {
  promise: PROMISE,
  follow({ daemon, directory }, before, only) {
    if (daemon === undefined || directory.condition !== 'there') return;
    for (const [name, file] of directory.files) {
      if (!file.broken || only?.has(name) === false) continue;
      const old = before.get(name);
      const now = daemon.loop.desired.services.get(name);
      if (now === undefined) throw new Broken(PROMISE, `${name} is not wanted any more`);
      if (old?.kind !== 'defined') continue;
      const same = now.kind === 'defined' && now.digest === old.digest && now.problems.length > 0;
      if (!same) throw new Broken(PROMISE, `${name} lost its definition`);
    }
  },
};
