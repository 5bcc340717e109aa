/** Which ports in a row are free? Below those that the kernel hands out by itself, so that they stay so. */
import net from 'node:net';

/** ip(7), ip_local_port_range: by default the kernel begins at 32768. */
const LOWEST = 15_000;
const HIGHEST = 31_000;

export async function freePorts(count: number): Promise<[number, ...number[]]> {
  for (let round = 0; round < 100; round++) {
    const first = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    const rest = Array.from({ length: count - 1 }, (_, at) => first + 1 + at);
    const free = await Promise.all([first, ...rest].map(isFree));
    if (!free.includes(false)) return [first, ...rest];
  }
  throw new Error(`no ${count} ports in a row are free`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
