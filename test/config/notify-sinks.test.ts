import { describe, expect, test } from 'vitest';
import { loadSettings } from '../../src/config/settings.ts';
import { NOTIFICATIONS } from '../../src/model/notification.ts';
import { sentence } from '../../src/model/problem.ts';
import { TwinFiles } from '../twins/files.ts';
import { twinUsers } from '../twins/users.ts';

function load(text: string) {
  const files = new TwinFiles({ '/etc/pm/config.yaml': text });
  return loadSettings({ cwd: '/etc/pm', env: {}, flags: {}, files, users: twinUsers(), hostname: 'a' });
}

test('a webhook and a command, with what is left out filled in', () => {
  const loaded = load(`notify:
  - url: https://example.org/hook
    secret_file: hook.secret
    events: [failed, recovered]
    timeout_ms: 2500
  - command: [/usr/bin/mail, -s, "trouble", root]
    timeout: 1m
  - url: http://localhost:99/
`);
  expect('settings' in loaded ? loaded.settings.notify : loaded.problems.map(sentence)).toEqual([
    {
      kind: 'webhook',
      url: 'https://example.org/hook',
      secret_file: '/etc/pm/hook.secret',
      events: ['failed', 'recovered'],
      timeout: 2500,
    },
    {
      kind: 'command',
      command: ['/usr/bin/mail', '-s', 'trouble', 'root'],
      events: NOTIFICATIONS,
      timeout: 60_000,
    },
    {
      kind: 'webhook',
      url: 'http://localhost:99/',
      secret_file: null,
      events: NOTIFICATIONS,
      timeout: 10_000,
    },
  ]);
});

describe('what is refused, and where', () => {
  test.each([
    ['notify: [{ command: [""] }]', 'notify[0].command: the first word is empty: it names the program'],
    ['notify: [{}]', 'notify[0]: needs a url or a command'],
    ['notify: [{ url: "ftp://x/" }]', 'notify[0].url: is no http:// or https:// address'],
    ['notify: [{ url: nonsense }]', 'notify[0].url: is no http'],
    [
      'notify: [{ command: [a] }, { url: "http://x", command: [a] }]',
      'notify[1].command: there is a url already',
    ],
    ['notify: [{ command: [a], secret_file: x }]', 'notify[0].secret_file: only a webhook is signed'],
    ['notify: [{ command: [a], timeout: 0s }]', 'notify[0].timeout: leaves no time'],
    ['notify: [{ command: [a], timeout: 5 }]', 'notify[0].timeout: 5 has no unit'],
    ['notify: [{ command: [a], timeout: 5s, timeout_ms: 5 }]', 'notify[0].timeout_ms: the same as timeout'],
    ['notify: [{ command: [] }]', 'notify[0].command: is empty'],
    ['notify: [{ command: [a], events: [faild] }]', 'did you mean failed?'],
    ['notify: [{ command: [a], event: [failed] }]', 'did you mean events?'],
    ['notify: { url: "http://x" }', 'notify: a map is not'],
  ])('%s', (text, expected) => {
    const loaded = load(`${text}\n`);
    expect('problems' in loaded ? loaded.problems.map(sentence) : []).toEqual([
      expect.stringContaining(expected),
    ]);
  });

  test('an address, which may be a secret, is not repeated', () => {
    const loaded = load('notify: [{ url: "ftp://example.org/s3cr3t" }]\n');
    expect(JSON.stringify(loaded)).not.toContain('s3cr3t');
  });
});
