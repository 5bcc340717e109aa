/** Where do programs stand that use the package, as it was built, without being installed? */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { DIST } from './grounds.ts';
import { Program } from './host.ts';
import { endProcessesBelow } from './processes.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A temporary directory in which `processmaster` can be imported, and a daemon of its own can be found. */
export class PackagePlace {
  readonly directory = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'pmlib-')));
  readonly socket = join(this.directory, 'pm.sock');
  readonly environment: Readonly<Record<string, string>>;

  constructor() {
    const own = join(this.directory, 'node_modules/processmaster');
    fs.mkdirSync(own, { recursive: true });
    fs.copyFileSync(join(ROOT, 'package.json'), join(own, 'package.json'));
    fs.symlinkSync(DIST, join(own, 'dist'));
    fs.mkdirSync(join(this.directory, 'config.d'));
    this.environment = {
      PROCESSMASTER_SOCK_PATH: this.socket,
      PROCESSMASTER_CONFIG_DIRECTORY: join(this.directory, 'config.d'),
      PROCESSMASTER_STATE_DIRECTORY: join(this.directory, 'daemon-state'),
      PROCESSMASTER_CONTAINMENT: 'process_group',
      TMPDIR: this.directory,
      XDG_RUNTIME_DIR: this.directory,
    };
    onTestFinished(() => this.close());
  }

  write(name: string, text: string): string {
    const path = join(this.directory, name);
    fs.writeFileSync(path, text);
    return path;
  }

  /** Runs a script of this place. */
  run(file: string): Program {
    const child = spawn(process.execPath, [file], {
      cwd: this.directory,
      env: { ...process.env, ...this.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new Program(child);
  }

  async close(): Promise<void> {
    await endProcessesBelow(this.directory);
    fs.rmSync(this.directory, { recursive: true, force: true });
  }
}
