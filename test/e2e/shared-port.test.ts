/** Can a service whose port is fixed get a second instance, and be restarted then? */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePorts } from './free-ports.ts';
import { GROUND } from './grounds.ts';
import { openHost } from './host.ts';

/** Node 20 has no option for SO_REUSEPORT. It shares the port only when it is told to. */
const SERVER = `import os, signal, socket
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
if os.environ.get('PROCESSMASTER_ENABLE_REUSEPORT') == '1':
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
listener.bind(('127.0.0.1', int(os.environ['PORT'])))
listener.listen(16)
os.write(3, b'\\n')
signal.pause()
`;

const canShare = spawnSync('python3', ['-c', 'import socket; socket.SO_REUSEPORT']).status === 0;

test.skipIf(!canShare)(
  'a second instance shares the port of the first, by command or by file, and both are replaced',
  async () => {
    const host = openHost({ ground: GROUND });
    const [port = 0] = await freePorts(1);
    const server = join(host.work, 'server.py');
    fs.writeFileSync(server, SERVER);
    const service = (instances: number) =>
      host.service('web', {
        process: { command: ['python3', server] },
        ...{ port, instances },
        probes: { startup: { fd: 3 } },
      });
    service(1);
    await host.start(['--watch-enabled', 'false']);
    await host.pmctl('update');
    const [first] = await host.runs('web', 1);
    expect(await host.pmctl('scale', 'web', '2')).toMatchObject({ code: 0 });
    const scaled = await host.runs('web', 2);
    expect(scaled).toContain(first);
    expect(await host.pmctl('restart', 'web')).toMatchObject({ code: 0 });
    const restarted = await host.runs('web', 2);
    expect(restarted.filter((pid) => scaled.includes(pid))).toEqual([]);
    // The same by the file, from the one that is left.
    expect(await host.pmctl('scale', 'web', '1')).toMatchObject({ code: 0 });
    service(2);
    expect(await host.pmctl('update')).toMatchObject({ code: 0 });
    const written = await host.runs('web', 2);
    expect(await host.pmctl('restart', 'web')).toMatchObject({ code: 0 });
    const rolled = await host.runs('web', 2);
    expect(rolled.filter((pid) => written.includes(pid))).toEqual([]);
  },
);
