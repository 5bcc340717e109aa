/** How is pm2 given the services? https://pm2.keymetrics.io/docs/usage/application-declaration/ */
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { type Command, type Definition, type Kind, Peer, writeFile } from './manager.ts';

export const pm2: Kind = {
  name: 'pm2',
  version: versionOf,
  // Starting what is written restarts all of it.
  lacks: ['update'],
  open: (count) => new Pm2(count),
};

/** What an ecosystem file says of one service; pm2 takes any key. */
type App = Readonly<Record<string, unknown>>;

class Pm2 extends Peer {
  readonly #apps = new Map<string, App>();
  protected override readonly environment: NodeJS.ProcessEnv;

  constructor(count: number) {
    super();
    this.environment = { ...process.env, PM2_HOME: join(this.directory, 'pm2'), HOME: this.directory };
    this.fill(count);
    this.#save();
  }

  get argv(): readonly string[] {
    return ['pm2', 'start', this.#file];
  }

  commandsOf(command: Command): readonly (readonly string[])[] {
    return [['pm2', ...(command === 'status' ? ['list'] : ['stop', 'all'])]];
  }

  stopCommand(name: string): readonly string[] {
    return ['pm2', 'stop', name];
  }

  applyCommand(name: string): readonly string[] {
    return ['pm2', 'start', this.#file, '--only', name];
  }

  write(name: string, { argv, note, typo }: Definition): void {
    const [script, ...args] = argv;
    const cwd = this.place('work', name);
    const max_restarts = 1_000_000 + note;
    const app = { name, script, args, cwd, interpreter: 'none', min_uptime: 0, max_restarts, pmx: false };
    this.#apps.set(name, typo ? { ...app, kill_timeot: 3000 } : app);
    if (this.child !== undefined) this.#save();
  }

  /** What is started ends; its daemon stays. */
  override main(): number | undefined {
    try {
      return Number(fs.readFileSync(join(this.directory, 'pm2', 'pm2.pid'), 'utf8'));
    } catch {
      return undefined;
    }
  }

  get #file(): string {
    return join(this.directory, 'ecosystem.json');
  }

  #save(): void {
    writeFile(this.#file, JSON.stringify({ apps: [...this.#apps.values()] }));
  }
}

/** Asking pm2 itself would leave a daemon of it behind. */
function versionOf(): string | undefined {
  const directories = (process.env['PATH'] ?? '').split(':');
  const found = directories.map((each) => join(each, 'pm2')).find((path) => fs.existsSync(path));
  if (found === undefined) return undefined;
  const manifest = join(dirname(dirname(fs.realpathSync(found))), 'package.json');
  return (JSON.parse(fs.readFileSync(manifest, 'utf8')) as { version: string }).version;
}
