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

/** Up to here V8 compiles what it finds to be used often, once for all; from here on it is idle. Milliseconds. */
const WARM = 240_000;

/** Milliseconds. */
const FULL = { warm: WARM, window: 90_000 };
const QUICK = { warm: CALM, window: 20_000 };

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
      figures.push(...(await measure({ kind, goal, probes, asked: () => asked, ...(quick ? QUICK : FULL) })));
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
  /** From when on the goal counts, since all services run. Milliseconds. */
  readonly warm: number;
  /** Milliseconds. */
  readonly window: number;
  readonly asked: () => number;
}

async function measure({ kind, goal, probes, warm, window, asked }: Measured): Promise<readonly Figure[]> {
  const ground = new Ground();
  try {
    ground.services(SERVICES, probes);
    await ground.up(SERVICES);
    await ground.answers();
    const begun = now();
    await pause(CALM);
    const figures: Figure[] = [];
    if (warm > CALM) {
      const { percent, elapsed } = await watched(ground, window, asked);
      figures.push({ what: said(elapsed, kind, CALM), measured: `${digits(percent)} % of a core` });
      await pause(warm - (now() - begun));
    }
    const { percent, requests, elapsed } = await watched(ground, window, asked);
    return [
      ...figures,
      {
        what: said(elapsed, kind, warm),
        measured: `${digits(percent)} % of a core`,
        ...(goal === undefined ? {} : { goal: `< ${goal} %`, met: percent < goal }),
      },
      { what: 'requests by http meanwhile', measured: `${digits(requests)} /s` },
    ];
  } finally {
    ground.close();
  }
}

function said(elapsed: number, kind: string, after: number): string {
  const window = `CPU over ${Math.round(elapsed / 1000)} s, from ${after / 1000} s after the start`;
  return `${window}, ${SERVICES} services with probes by ${kind}`;
}

/** What the daemon takes while nothing else happens; `elapsed` in milliseconds, `requests` a second. */
async function watched(
  ground: Ground,
  window: number,
  asked: () => number,
): Promise<{ readonly percent: number; readonly requests: number; readonly elapsed: number }> {
  const from = now();
  const before = { ...consumptionOf(ground.pid), asked: asked() };
  await pause(window);
  const after = { ...consumptionOf(ground.pid), asked: asked() };
  const elapsed = now() - from;
  const percent = (100 * (after.cpu - before.cpu)) / elapsed;
  return { percent, requests: (1000 * (after.asked - before.asked)) / elapsed, elapsed };
}
