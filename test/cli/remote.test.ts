import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { pmctl } from '../../src/cli/pmctl.ts';
import { remoteAt } from '../../src/cli/remote.ts';
import { fakeTerminal } from './fake-terminal.ts';

const terminal = (environment: Readonly<Record<string, string>> = { PMCTL_TOKEN: 'secret' }) =>
  fakeTerminal({ environment });

describe('what a URL means', () => {
  test.each([
    ['https://host:4480', { hostname: 'host', port: '4480' }, '', 'host:4480'],
    ['https://host', { hostname: 'host', port: 443 }, '', 'host'],
    ['http://host/', { hostname: 'host', port: 80 }, '', 'host'],
    ['https://[2001:db8::1]:4480', { hostname: '2001:db8::1', port: '4480' }, '', '[2001:db8::1]:4480'],
    ['https://host/pm/a/', { hostname: 'host', port: 443 }, '/pm/a', 'host'],
  ])('%s', (url, options, prefix, host) => {
    const headers = { host, authorization: 'Bearer secret' };
    expect(remoteAt(url, {}, terminal())).toMatchObject({ options, prefix, headers });
  });

  test.each([
    ['host:4480', {}, {}, 'is no URL like https://host:4480'],
    ['ftp://host', {}, {}, 'is no URL like'],
    ['https://host', {}, { PMCTL_TOKEN: '' }, 'with a token: set PMCTL_TOKEN'],
    ['https://host', {}, { PMCTL_TOKEN: 'a\r\nb' }, 'characters that no token has'],
    ['https://host', { sock: '/s' }, { PMCTL_TOKEN: 'x' }, 'give one of them'],
    ['https://host', { tokenFile: 'none' }, {}, 'cannot read the token in /none: ENOENT'],
    [
      'https://host',
      { caFile: 'none' },
      { PMCTL_TOKEN: 'x' },
      'cannot read the certificate in /none: ENOENT',
    ],
  ])('%s %j %j is refused', (url, options, environment, says) => {
    expect(remoteAt(url, options, terminal(environment))).toMatchObject({
      refused: { message: expect.stringContaining(says) },
    });
  });
});

describe('who is asked', () => {
  async function server(): Promise<{
    readonly url: string;
    readonly asked: readonly (string | undefined)[];
  }> {
    const asked: (string | undefined)[] = [];
    const listening = createServer((request, response) => {
      asked.push(request.headers.authorization);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ services: [], problems: [], prune: null }));
    });
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void listening.close());
    return { url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}`, asked };
  }

  test('--url with the token of the file, before that of the environment', async () => {
    const { url, asked } = await server();
    const directory = mkdtempSync(join(tmpdir(), 'pmctl-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    writeFileSync(join(directory, 'token'), 'of-the-file\n');
    const typed = fakeTerminal({ directory, environment: { PMCTL_TOKEN: 'of-the-environment' } });
    expect(await pmctl(['--url', url, '--token-file', 'token', 'list'], typed)).toBe(0);
    expect(await pmctl(['--url', url, 'list'], typed)).toBe(0);
    expect(asked).toEqual(['Bearer of-the-file', 'Bearer of-the-environment']);
  });

  test('PMCTL_URL, but not when a socket is named', async () => {
    const { url, asked } = await server();
    const typed = terminal({ PMCTL_URL: url, PMCTL_TOKEN: 'x' });
    expect(await pmctl(['list'], typed)).toBe(0);
    expect(await pmctl(['--sock', '/nonexistent/sock', 'list'], typed)).toBe(7);
    expect(asked).toHaveLength(1);
  });

  test('nobody: it is told, and no daemon is started or looked for here instead', async () => {
    const typed = terminal({ PMCTL_URL: 'http://127.0.0.1:1', PMCTL_TOKEN: 'x' });
    expect(await pmctl(['run', '--', 'true'], typed)).toBe(1);
    expect(await pmctl(['logs'], typed)).toBe(1);
    expect(typed.err()).toContain('cannot reach http://127.0.0.1:1: nobody listens there');
  });
});
