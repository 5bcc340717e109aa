/** How is s6 given the services? https://skarnet.org/software/s6/ */
import fs from 'node:fs';
import { join } from 'node:path';
import { type Command, type Definition, type Kind, Peer, packageVersion, writeFile } from './manager.ts';

export const s6: Kind = {
  name: 's6',
  version: () => packageVersion('s6', 's6-svscan'),
  lacks: [],
  open: (count) => new S6(count),
};

class S6 extends Peer {
  constructor(count: number) {
    super();
    this.place('services');
    this.fill(count);
  }

  get argv(): readonly string[] {
    // 500 by default, with the loggers.
    return ['s6-svscan', '-c', '4000', this.#services];
  }

  commandsOf(command: Command): readonly (readonly string[])[] {
    switch (command) {
      case 'status':
        return this.names.map((name) => ['s6-svstat', join(this.#services, name)]);
      case 'update':
        return [['s6-svscanctl', '-an', this.#services]];
      case 'stop all':
        return this.names.map((name) => ['s6-svc', '-d', join(this.#services, name)]);
      default:
        return command satisfies never;
    }
  }

  stopCommand(name: string): readonly string[] {
    return ['s6-svc', '-wD', '-T', '10000', '-d', join(this.#services, name)];
  }

  applyCommand(): readonly string[] {
    return ['s6-svscanctl', '-a', this.#services];
  }

  write(name: string, { argv, note, typo }: Definition): void {
    const known = fs.existsSync(join(this.#services, name));
    const service = known ? join(this.#services, name) : this.place('new', name);
    writeFile(join(service, 'run'), `#!/bin/sh\n# ${note}\nexec ${argv.join(' ')} 2>&1\n`, 0o755);
    writeFile(join(service, 'log', 'run'), '#!/bin/sh\nexec s6-log n10 s10000000 ./main\n', 0o755);
    if (typo) writeFile(join(service, 'finsh'), '#!/bin/sh\n', 0o755);
    if (!known) fs.renameSync(service, join(this.#services, name));
  }

  get #services(): string {
    return join(this.directory, 'services');
  }
}
