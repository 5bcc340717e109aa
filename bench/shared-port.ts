/** How many requests are lost when servers that share one port by SO_REUSEPORT are replaced? */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { get } from '../test/e2e/following-client.ts';
import { freePorts } from '../test/e2e/free-ports.ts';
import type { Figure } from './figures.ts';
import { Ground } from './ground.ts';
import { readOr } from './kernel.ts';
import { IN_FLIGHT, stopServices } from './web-ground.ts';

/** tcp(7): whether what waits in the queue of a closing socket moves to another one at the same port. Linux 5.14. */
const MIGRATE = '/proc/sys/net/ipv4/tcp_migrate_req';

/**
 * Node 20 has no option for SO_REUSEPORT. `at_once` closes its listener when SIGTERM comes; `drain` first takes what
 * waits in its queue. Both finish what they have taken.
 */
const SOURCE = `import os, select, signal, socket, sys, threading, time
how, ended, listener = sys.argv[1], threading.Event(), socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
listener.bind(('127.0.0.1', int(os.environ['PORT'])))
listener.listen(128)
listener.setblocking(False)
signal.signal(signal.SIGTERM, lambda *_: ended.set())
def serve(one):
    try:
        one.settimeout(10)
        if one.recv(65536):
            time.sleep(0.02)
            one.sendall(b'HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\nconnection: close\\r\\n\\r\\nok')
    finally:
        one.close()
threads = []
def take():
    try:
        one, _ = listener.accept()
    except BlockingIOError:
        return False
    one.setblocking(True)
    thread = threading.Thread(target=serve, args=(one,))
    thread.start()
    threads[:] = [each for each in threads if each.is_alive()] + [thread]
    return True
while not ended.is_set():
    if select.select([listener], [], [], 0.05)[0] and not ended.is_set():
        take()
while how == 'drain' and take():
    pass
listener.close()
for thread in threads:
    thread.join()
`;

export async function sharedPort(replacements: number): Promise<readonly Figure[]> {
  if (spawnSync('python3', ['-c', 'import socket; socket.SO_REUSEPORT']).status !== 0) {
    return [{ what: 'the same over one shared port', measured: 'not tried: no python3' }];
  }
  const migrates = readOr(MIGRATE).trim();
  const figures: Figure[] = [];
  for (const how of ['at_once', 'drain'] as const) {
    const { answered, failed } = await measure(how, replacements);
    const closes = how === 'at_once' ? 'closes its listener at once' : 'empties its queue first';
    figures.push({
      what: `one port shared by SO_REUSEPORT, ${replacements} replacements, a server that ${closes} (tcp_migrate_req ${migrates || 'unknown'})`,
      measured: `${failed} of ${answered.toLocaleString('en-US')}`,
    });
  }
  return figures;
}

async function measure(
  how: 'at_once' | 'drain',
  replacements: number,
): Promise<{ readonly answered: number; readonly failed: number }> {
  const [port] = await freePorts(1);
  const ground = new Ground({ settings: { watch: { enabled: false } } });
  try {
    const program = join(ground.directory, 'server.py');
    fs.writeFileSync(program, SOURCE);
    const version = (VERSION: string) => {
      const definition = {
        instances: 2,
        port,
        process: { command: ['python3', program, how], env: { VERSION }, stop_grace: '10s' },
        rollout: { surge: 2 },
        probes: { readiness: { tcp: port, interval: '100ms' } },
      };
      fs.writeFileSync(join(ground.config, 'web.yaml'), JSON.stringify(definition));
    };
    version('0');
    ground.start();
    await ground.answers();
    await ground.until('the shared port to answer', () =>
      get(port).then(
        () => true,
        () => false,
      ),
    );
    let over = false;
    let answered = 0;
    let failed = 0;
    const ask = async (): Promise<void> => {
      while (!over) {
        try {
          await get(port);
          answered += 1;
        } catch {
          failed += 1;
          await after(10);
        }
      }
    };
    const asking = Array.from({ length: IN_FLIGHT }, ask);
    for (let at = 1; at <= replacements; at++) {
      version(`${at}`);
      const { code, stdout, stderr } = await ground.pmctl('update');
      if (code !== 0) throw new Error(`update number ${at} ended with ${code}:\n${stdout}${stderr}`);
    }
    over = true;
    await Promise.all(asking);
    return { answered, failed };
  } finally {
    await stopServices(ground);
    ground.close();
  }
}
