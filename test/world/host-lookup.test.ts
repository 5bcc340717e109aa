import dns from 'node:dns';
import fs from 'node:fs';
import { afterEach, describe, expect, it, test, vi } from 'vitest';
import { lookUp, loopback } from '../../src/world/host-lookup.ts';

const V4 = { address: '127.0.0.1', family: 4 };
const V6 = { address: '::1', family: 6 };
const HAS_V6 = '00000000000000000000000000000001 01 80 10 80       lo\n';

describe('localhost', () => {
  test.each([
    ['both', '127.0.0.1 localhost\n::1 localhost ip6-localhost\n', HAS_V6, [V6, V4]],
    ['both, in one order', '::1\tbox localhost\n127.0.0.1 box localhost # mine\n', HAS_V6, [V6, V4]],
    ['no IPv6 where this host has none', '127.0.0.1 localhost\n::1 localhost\n', '', [V4]],
    ['once', '127.0.0.1 localhost\n127.0.0.1 localhost.here localhost\n', HAS_V6, [V4]],
    ['nothing', '#127.0.0.1 localhost\n127.0.0.1 localhost.here\nlocal localhost\n\n', HAS_V6, []],
  ])('is %s', (_, hosts, interfaces, addresses) => {
    expect(loopback(hosts, interfaces)).toEqual(addresses);
  });
});

afterEach(() => void vi.restoreAllMocks());

/** What is answered while every thread is busy. */
function answered(name: string, options: dns.LookupOptions): Promise<unknown> {
  vi.spyOn(dns, 'lookup').mockImplementation((() => {}) as unknown as typeof dns.lookup);
  return Promise.race([
    new Promise((resolve) => lookUp(name, options, (_, ...answer) => resolve(answer))),
    new Promise((resolve) => setImmediate(resolve, 'nothing')),
  ]);
}

const isListed = /^127\.0\.0\.1\s.*\blocalhost\b/m.test(fs.readFileSync('/etc/hosts', 'utf8'));

it.skipIf(!isListed)('needs no thread, unlike any other name', async () => {
  expect(await answered('localhost', { all: true })).toEqual([expect.arrayContaining([V4])]);
  expect(await answered('localhost', {})).toEqual([expect.any(String), expect.any(Number)]);
  expect(await answered('example.invalid', { all: true })).toBe('nothing');
  expect(await answered('localhost', { family: 6 })).toBe('nothing');
});
