/** How is supervisord given the services? https://supervisord.org/configuration.html */
import { join } from 'node:path';
import { type Command, type Definition, firstLine, type Kind, Peer, writeFile } from './manager.ts';

export const supervisord: Kind = {
  name: 'supervisord',
  version: () => firstLine('supervisord', ['--version']),
  lacks: [],
  open: (count) => new Supervisor(count),
};

class Supervisor extends Peer {
  constructor(count: number) {
    super();
    this.place('logs');
    writeFile(
      this.#file,
      `[unix_http_server]
file=${this.directory}/sock
[supervisord]
logfile=${this.directory}/log
pidfile=${this.directory}/pid
childlogdir=${this.directory}/logs
minfds=4096
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://${this.directory}/sock
[include]
files=${this.directory}/conf.d/*.conf
`,
    );
    this.fill(count);
  }

  get #file(): string {
    return join(this.directory, 'supervisord.conf');
  }

  get argv(): readonly string[] {
    return ['supervisord', '-n', '-c', this.#file];
  }

  commandsOf(command: Command): readonly (readonly string[])[] {
    return [['supervisorctl', '-c', this.#file, ...command.split(' ')]];
  }

  stopCommand(name: string): readonly string[] {
    return ['supervisorctl', '-c', this.#file, 'stop', name];
  }

  applyCommand(): readonly string[] {
    return ['supervisorctl', '-c', this.#file, 'update'];
  }

  write(name: string, { argv, note, typo }: Definition): void {
    const logs = join(this.directory, 'logs');
    writeFile(
      join(this.directory, 'conf.d', `${name}.conf`),
      `[program:${name}]
command=${argv.join(' ')}
directory=${this.place('work', name)}
autorestart=true
startsecs=0
startretries=${1_000_000 + note}
stdout_logfile=${logs}/${name}.out
stdout_logfile_maxbytes=10MB
stderr_logfile=${logs}/${name}.err
stderr_logfile_maxbytes=10MB
${typo ? 'stopwaitsec=3\n' : ''}`,
    );
  }
}
