/** A mistake of pmctl itself looks like any other error, not like the source of the program. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { PROTOCOL } from '../../src/api/contract.ts';
import { temporaryDirectory } from '../linux/ground.ts';
import { DIST } from './grounds.ts';

/** An answer with all the right headers and nothing in it that a daemon would say. */
async function strangeDaemon(): Promise<string> {
  const server = createServer((_, response) => {
    response.writeHead(200, {
      'content-type': 'application/json',
      'x-processmaster-protocol': String(PROTOCOL),
    });
    response.end('{"services":"x"}');
  });
  const socket = join(temporaryDirectory(), 's');
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return socket;
}

async function pmctl(words: readonly string[], debug = '') {
  const child = spawn(process.execPath, [join(DIST, 'pmctl.js'), '--sock', await strangeDaemon(), ...words], {
    env: { ...process.env, NODE_DEBUG: debug },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const read = async (stream: NodeJS.ReadableStream): Promise<string> => {
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    return text;
  };
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [out, err, code] = await Promise.all([read(child.stdout), read(child.stderr), ended]);
  return { code, out, err };
}

const SENTENCE = /^pmctl: internal error: TypeError: [^\n]{1,200}; NODE_DEBUG=pmctl shows where\n$/;

test('it is one sentence and exit code 1', async () => {
  const { code, out, err } = await pmctl(['status']);
  expect(err).toMatch(SENTENCE);
  expect({ code, out }).toEqual({ code: 1, out: '' });
});

test('programs get it as an object', async () => {
  const { code, out, err } = await pmctl(['status', '--label', 'a=b', '--json']);
  expect(err).toMatch(SENTENCE);
  expect({ code, told: JSON.parse(out) }).toEqual({
    code: 1,
    told: { error: { code: 'internal_error', message: err.slice('pmctl: '.length).trim() } },
  });
});

test('where it came from can be seen, without the source around it', async () => {
  const { code, err } = await pmctl(['status'], 'pmctl');
  expect(code).toBe(1);
  expect(err).toMatch(/\n {4}at .*pmctl\.bundle\.js:\d+:\d+/);
  expect(err.length).toBeLessThan(4000);
});
