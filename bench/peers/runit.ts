/** How is runit given the services? runsvdir(8), runsv(8), svlogd(8) */
import fs from 'node:fs';
import { join } from 'node:path';
import { type Command, type Definition, type Kind, Peer, packageVersion, writeFile } from './manager.ts';

export const runit: Kind = {
  name: 'runit',
  version: () => packageVersion('runit', 'runsvdir'),
  lacks: ['update'],
  open: (count) => new Runit(count),
};

class Runit extends Peer {
  constructor(count: number) {
    super();
    this.place('services');
    this.fill(count);
    // runsvdir waits for a second with a directory that has changed within the current one, for more to come.
    const earlier = Date.now() / 1000 - 10;
    fs.utimesSync(join(this.directory, 'services'), earlier, earlier);
  }

  get argv(): readonly string[] {
    return ['runsvdir', join(this.directory, 'services')];
  }

  commandsOf(command: Command): readonly (readonly string[])[] {
    const services = this.names.map((name) => this.#of(name));
    return [['sv', ...(command === 'status' ? ['status'] : ['-w', '30', 'stop']), ...services]];
  }

  stopCommand(name: string): readonly string[] {
    return ['sv', '-w', '30', 'stop', this.#of(name)];
  }

  applyCommand(): undefined {
    return undefined;
  }

  write(name: string, { argv, note, typo }: Definition): void {
    // Made beside and moved: runsvdir looks whenever it likes.
    const known = fs.existsSync(this.#of(name));
    const service = known ? this.#of(name) : this.place('new', name);
    const log = join(service, 'log', 'main');
    fs.mkdirSync(log, { recursive: true });
    writeFile(join(service, 'run'), `#!/bin/sh\n# ${note}\nexec ${argv.join(' ')} 2>&1\n`, 0o755);
    writeFile(join(service, 'log', 'run'), '#!/bin/sh\nexec svlogd ./main\n', 0o755);
    writeFile(join(log, 'config'), 's10000000\n');
    if (typo) writeFile(join(service, 'finsh'), '#!/bin/sh\n', 0o755);
    if (!known) fs.renameSync(service, this.#of(name));
  }

  #of(name: string): string {
    return join(this.directory, 'services', name);
  }
}
