import { expect, test } from 'vitest';
import { serviceNameOf } from '../../src/cli/service-name-of.ts';

test.each([
  ['node server.js', 'server'],
  ['node --inspect -r dotenv/config src/worker.mjs --port 80', 'worker'],
  ['/usr/bin/node ./api', 'api'],
  ['./bin/api', 'api'],
  ['./start.sh --now', 'start'],
  ['sleep 1000', 'sleep'],
  ['python3 -m http.server 8080', 'http.server'],
  ['python3.12 -u main.py', 'main'],
  ['java -Xmx1g -jar target/shop.jar', 'shop'],
  ['deno run --allow-net main.ts', 'main'],
  ['bash deploy/sync.sh', 'sync'],
  ['sh -c ls', 'sh'],
  ['node -e 1', 'node'],
  ['node', 'node'],
])('%s is called %s', (command, name) => {
  expect(serviceNameOf(command.split(' '))).toBe(name);
});

test.each(['all', './_', '[', '/'])('%s says no name', (program) => {
  expect(serviceNameOf([program])).toBeUndefined();
});
