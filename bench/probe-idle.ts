/** What do probes cost while all is well? */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { digits, type Figure } from './figures.ts';
import { Ground, pause } from './ground.ts';
import { consumptionOf } from './kernel.ts';
import { now } from './program.ts';

const SERVICES = 100;

/** Percent of one core. */
const GOAL = 1;

/** What a start leaves behind is given up after a while, and each probe has had its first turn. Milliseconds. */
const CALM = 12_000;

export async function probeIdle(quick: boolean): Promise<readonly Figure[]> {
  // The bench answers itself: what a server costs is not the daemon's.
  let asked = 0;
  const server = http.createServer((_, response) => {
    asked += 1;
    response.end('ok');
  });
  server.on('connection', (socket) => socket.on('error', () => {}));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const every = (how: string) => `{ ${how}, interval: 10s }`;
  const kinds = [
    {
      kind: 'http and tcp',
      goal: GOAL,
      readiness: `http: "http://127.0.0.1:${port}/"`,
      liveness: `tcp: ${port}`,
    },
    {
      kind: 'http and exec',
      goal: undefined,
      readiness: `http: "http://127.0.0.1:${port}/"`,
      liveness: 'exec: "true"',
    },
  ];
  const figures: Figure[] = [];
  try {
    for (const { kind, goal, readiness, liveness } of kinds) {
      const probes = `probes:
  startup: ${every(`tcp: ${port}`)}
  readiness: ${every(readiness)}
  liveness: ${every(liveness)}
`;
      figures.push(
        ...(await measure({ kind, goal, probes, window: quick ? 20_000 : 90_000, asked: () => asked })),
      );
    }
    return figures;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

interface Measured {
  readonly kind: string;
  readonly goal: number | undefined;
  readonly probes: string;
  /** Milliseconds. */
  readonly window: number;
  readonly asked: () => number;
}

async function measure({ kind, goal, probes, window, asked }: Measured): Promise<readonly Figure[]> {
  const ground = new Ground();
  try {
    ground.services(SERVICES, probes);
    await ground.up(SERVICES);
    await ground.answers();
    await pause(CALM);
    const from = now();
    const before = { ...consumptionOf(ground.pid), asked: asked() };
    await pause(window);
    const after = { ...consumptionOf(ground.pid), asked: asked() };
    const elapsed = now() - from;
    const percent = (100 * (after.cpu - before.cpu)) / elapsed;
    const requests = (1000 * (after.asked - before.asked)) / elapsed;
    return [
      {
        what: `CPU over ${Math.round(elapsed / 1000)} s, ${SERVICES} services with probes by ${kind}`,
        measured: `${digits(percent)} % of a core`,
        ...(goal === undefined ? {} : { goal: `< ${goal} %`, met: percent < goal }),
      },
      { what: 'requests by http meanwhile', measured: `${digits(requests)} /s` },
    ];
  } finally {
    ground.close();
  }
}
