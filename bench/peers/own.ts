/** How is processmaster compared? */
import { join } from 'node:path';
import { Ground } from '../ground.ts';
import { processesBelow } from '../kernel.ts';
import type { Program, Stamps } from '../program.ts';
import {
  type Command,
  type Definition,
  type Kind,
  type Manager,
  namesOf,
  stamping,
  writeFile,
} from './manager.ts';

export const processmaster: Kind = {
  name: 'processmaster',
  version: () => 'this build',
  lacks: [],
  open: (count) => new Own(count),
};

class Own implements Manager {
  readonly #ground = new Ground({ on: 'memory', settings: { watch: { enabled: false } } });

  constructor(count: number) {
    for (const name of namesOf(count)) {
      this.#write(name, { argv: stamping(this.program, this.stamps, name), note: 1, typo: false });
    }
  }

  get stamps(): Stamps {
    return this.#ground.stamps;
  }

  get program(): Program {
    return this.#ground.program;
  }

  get directory(): string {
    return this.#ground.directory;
  }

  start(): number {
    return this.#ground.start();
  }

  ready(): Promise<void> {
    return this.#ground.answers();
  }

  async run(command: Command): Promise<number> {
    const { code, stderr, from, to } = await this.#ground.pmctl(...command.split(' '));
    if (code !== 0) throw new Error(`pmctl ${command}: ${code} ${stderr}`);
    return to - from;
  }

  async define(name: string, definition: Definition): Promise<string> {
    this.#write(name, definition);
    const { stdout, stderr } = await this.#ground.pmctl('update');
    return `${stdout}${stderr}`;
  }

  async stop(name: string): Promise<void> {
    await this.#ground.pmctl('stop', name);
  }

  main(): number {
    return this.#ground.pid;
  }

  own(): readonly number[] {
    const services = new Set(this.stamps.all().map(({ pid }) => pid));
    return [
      this.main(),
      ...processesBelow(this.directory).filter((pid) => !services.has(pid) && pid !== this.main()),
    ];
  }

  close(): void {
    this.#ground.close();
  }

  #write(name: string, { argv, note, typo }: Definition): void {
    const lines = [
      'description: A service of the bench',
      'process:',
      `  command: ${JSON.stringify(argv)}`,
      `  working_directory: ${join(this.directory, 'work')}`,
      ...(typo ? ['  wait_exi: 3s'] : []),
      `restart_policy: { restart_backoff: 0s, tolerance: { max_restarts: ${900_000 + note} } }`,
    ];
    writeFile(join(this.#ground.config, `${name}.yaml`), `${lines.join('\n')}\n`);
  }
}
