import { describe, expect, test } from 'vitest';
import { isOurHost, isOurOrigin, type OwnPlace } from '../../src/api/known-hosts.ts';

const place: OwnPlace = {
  host: '127.0.0.1',
  port: 4480,
  scheme: 'https',
  allowed: ['pm.example.org', 'x.org:8443'],
};

describe('the name that a client calls this host by', () => {
  test.each([
    ['127.0.0.1:4480', true],
    ['localhost:4480', true],
    ['LOCALHOST:4480', true],
    ['localhost.:4480', true],
    ['[::1]:4480', true],
    ['127.0.0.1:4481', false],
    ['localhost', false],
    ['pm.example.org', true],
    ['pm.example.org:1', true],
    ['x.org:8443', true],
    ['x.org', false],
    ['evil.example:4480', false],
    ['pm.example.org.evil.example:4480', false],
    ['127.0.0.1.evil.example:4480', false],
    ['10.0.0.1:4480', false],
    ['user@localhost:4480', false],
    ['localhost:4480/x', false],
    ['', false],
    [undefined, false],
  ])('%s', (host, ours) => {
    expect(isOurHost(host, place)).toBe(ours);
  });

  test('without a port the usual one is meant', () => {
    expect(isOurHost('localhost', { ...place, port: 443 })).toBe(true);
    expect(isOurHost('localhost', { ...place, port: 80, scheme: 'http' })).toBe(true);
  });

  test.each(['0.0.0.0', '::'])('%s: any address will do, no name does', (host) => {
    const every = { ...place, host };
    expect(
      ['10.0.0.1:4480', '[2001:db8::1]:4480', 'localhost:4480'].map((one) => isOurHost(one, every)),
    ).toEqual([true, true, true]);
    expect(
      ['evil.example:4480', '10.0.0.1:4481', '1.2.3.evil:4480'].map((one) => isOurHost(one, every)),
    ).toEqual([false, false, false]);
  });
});

describe('where a page comes from', () => {
  test.each([
    [undefined, true],
    ['https://localhost:4480', true],
    ['http://localhost:4480', false],
    ['https://localhost:4481', false],
    ['https://pm.example.org', true],
    ['http://pm.example.org', true],
    ['https://x.org:8443', true],
    ['https://evil.example', false],
    ['https://localhost:4480.evil.example', false],
    ['null', false],
    ['file://', false],
    ['', false],
  ])('%s', (origin, ours) => {
    expect(isOurOrigin(origin, place)).toBe(ours);
  });
});
