import { describe, expect, test } from 'vitest';
import { askedOf } from '../../src/model/probe.ts';
import { define, problemsOf, specOf, web } from './ground.ts';

function probe(line: string, ...more: readonly string[]) {
  return specOf(web(`probes: { readiness: { ${line} } }`, ...more)).probes.readiness;
}

/** The one problem, without the name of the file. */
function refusal(kind: string, line: string, ...more: readonly string[]): string {
  const problems = problemsOf(web(`probes: { ${kind}: { ${line} } }`, ...more));
  if (problems.length !== 1) throw new Error(`expected one problem, not ${JSON.stringify(problems)}`);
  return (problems[0] ?? '').replace('config.d/web.yaml:', '');
}

const STATUS = [{ from: 200, to: 399 }];

test('one way to ask is enough, everything else has a default', () => {
  expect(probe('tcp: 80')).toEqual({
    how: { tcp: { host: '127.0.0.1', port: 80 } },
    interval: 10_000,
    timeout: 5000,
    failure_threshold: 3,
    success_threshold: 1,
    initial_delay: 0,
  });
  expect(specOf(web()).probes).toEqual({ startup: null, readiness: null, liveness: null });
});

test('limits are read in their units, and in milliseconds', () => {
  const line = 'tcp: 80, interval: 2s, timeout_ms: 500, failure_threshold: 5, success_threshold: 2';
  expect(probe(`${line}, initial_delay: 1m`)).toMatchObject({
    interval: 2000,
    timeout: 500,
    failure_threshold: 5,
    success_threshold: 2,
    initial_delay: 60_000,
  });
});

describe('http', () => {
  test.each([
    ['http: "http://db:81/x"', { url: 'http://db:81/x' }],
    ['http: /health', { url: 'http://127.0.0.1:8080/health' }],
    ['http: { url: /health }', { url: 'http://127.0.0.1:8080/health' }],
    ['http: { path: /health, port: 9090 }', { url: 'http://127.0.0.1:9090/health' }],
    [
      'http: "https://127.0.0.1:${port}/${name}/${instance}"',
      { url: 'https://127.0.0.1:8080/web/${instance}' },
    ],
    ['http: { url: /, method: head }', { method: 'HEAD' }],
    [
      'http: { url: /, headers: { Host: shop, X-Count: 1.10 } }',
      { headers: { Host: 'shop', 'X-Count': '1.10' } },
    ],
    ['http: { url: /, status: 204 }', { status: [204] }],
    ['http: { url: /, status: [204, 300-399] }', { status: [204, { from: 300, to: 399 }] }],
  ])('%s', (line, expected) => {
    const defaults = { url: 'http://127.0.0.1:8080/', method: 'GET', headers: {}, status: STATUS };
    expect(probe(line, 'port: 8080')?.how).toEqual({ http: { ...defaults, ...expected } });
  });

  test.each([
    [
      'http: localhost/x',
      '3:30  probes.readiness.http: "localhost/x" is no URL of http or https, nor a path; write it like http://127.0.0.1:8080/health or /health',
    ],
    ['http: "ftp://h/"', expect.stringContaining('is no URL of http or https')],
    [
      'http: /x',
      '3:30  probes.readiness.http: there is no port to ask at; give the service a port:, or name one here',
    ],
    [
      'http: "http://h:${port}/"',
      '3:30  probes.readiness.http: ${port} is not known; give the service a port:',
    ],
    [
      'http: { path: x, port: 1 }',
      expect.stringContaining('probes.readiness.http.path: "x" does not begin with /'),
    ],
    [
      'http: { path: /x, port: 65536 }',
      expect.stringContaining('http.port: "65536" is no port from 1 to 65535'),
    ],
    ['http: { path: /x, url: "http://h/" }', expect.stringContaining('keep one of them')],
    ['http: { method: GET }', expect.stringContaining('says neither url: nor path:; for example path: /')],
    ['http: { url: "http://h/", method: "G T" }', expect.stringContaining('"G T" must be letters')],
    ['http: { url: "http://h/", headers: { "a b": x } }', expect.stringContaining('a token of RFC 9110')],
    [
      'http: { url: "http://h/", headers: { A: "x\\ny" } }',
      expect.stringContaining('http.headers.A: holds a character'),
    ],
    ['http: { url: "http://h/", status: 99 }', expect.stringContaining('status: "99" is no status')],
    [
      'http: { url: "http://h/", status: [200, 399-300] }',
      expect.stringContaining('status[1]: "399-300" is no status'),
    ],
    ['http: { url: "http://h/", stats: 200 }', expect.stringContaining('did you mean status?')],
  ])('%s is refused', (line, expected) => {
    expect(refusal('readiness', line)).toEqual(expected);
  });
});

describe('tcp', () => {
  test.each([
    ['tcp: 5432', { host: '127.0.0.1', port: 5432 }],
    ['tcp: "db:5432"', { host: 'db', port: 5432 }],
    ['tcp: "[::1]:5432"', { host: '::1', port: 5432 }],
    ['tcp: "${port}"', { host: '127.0.0.1', port: 8080 }],
    ['tcp: { host: db }', { host: 'db', port: 8080 }],
    ['tcp: { host: db, port: 1 }', { host: 'db', port: 1 }],
  ])('%s', (line, tcp) => {
    expect(probe(line, 'port: 8080')?.how).toEqual({ tcp });
  });

  test.each([
    ['tcp: 0', '3:29  probes.readiness.tcp: "0" is neither a port from 1 to 65535 nor host:port'],
    ['tcp: "db:http"', expect.stringContaining('"db:http" is neither a port')],
    ['tcp: "::1:80"', expect.stringContaining('"::1:80" is neither a port')],
    ['tcp: { host: db, port: "x:1" }', expect.stringContaining('names a host, which host: does too')],
    [
      'tcp: {}',
      expect.stringContaining('probes.readiness.tcp: there is no port to connect to; give the service'),
    ],
    ['tcp: "${port}"', expect.stringContaining('${port} is not known; give the service a port:')],
  ])('%s is refused', (line, expected) => {
    expect(refusal('readiness', line)).toEqual(expected);
  });
});

test('exec takes a list or a text for the shell', () => {
  expect(probe('exec: [check, 1.10]')?.how).toEqual({ exec: ['check', '1.10'] });
  expect(probe('exec: "test -e /x"')?.how).toEqual({ exec: ['/bin/sh', '-c', 'test -e /x'] });
});

describe('a startup probe', () => {
  test('may also wait for a line of the log or a newline on a descriptor', () => {
    const text = web('probes: { startup: { log: "^ready (in \\\\d+ ms)?$" } }');
    expect(specOf(text).probes.startup?.how).toEqual({ log: '^ready (in \\d+ ms)?$' });
    expect(specOf(web('probes: { startup: { fd: 3 } }')).probes.startup?.how).toEqual({ fd: 3 });
  });

  test.each([
    ['fd: 2', '3:26  probes.startup.fd: 2 is less than 3'],
    ['fd: 256', expect.stringContaining('256 is more than 255')],
    ['log: "(x"', '3:27  probes.startup.log: "(x" is no regular expression: Unterminated group'],
    [`log: ${'x'.repeat(501)}`, expect.stringContaining('is longer than 500 characters')],
    ['log: "(a+)+b"', expect.stringContaining('repeats a repetition, which may take forever')],
    ['log: "((?:ab*c)){2,}"', expect.stringContaining('repeats a repetition')],
  ])('%s is refused', (line, expected) => {
    expect(refusal('startup', line)).toEqual(expected);
  });

  test.each(['(ab)+', '(a+)?b', '[(*]+x+', '\\\\(a*\\\\)+', '(a+|b){1,3}'])('%s takes no time', (pattern) => {
    expect(problemsOf(web(`probes: { startup: { log: "${pattern}" } }`))).toEqual([]);
  });

  test('the others may not', () => {
    expect(refusal('liveness', 'log: x')).toMatch(/unknown key probes\.liveness\.log/);
    expect(refusal('readiness', 'fd: 3')).toMatch(/unknown key probes\.readiness\.fd/);
  });
});

test.each([
  ['liveness', 'interval: 1s', '3:21  probes.liveness: does not say how to ask; give it http, tcp or exec'],
  ['startup', 'interval: 1s', expect.stringContaining('give it http, tcp, exec, log or fd')],
  [
    'liveness',
    'tcp: 1, exec: [x]',
    '3:37  probes.liveness.exec: the probe asks by tcp already; keep one of them',
  ],
  ['liveness', 'tcp: 1, success_threshold: 2', expect.stringContaining('must be 1 for liveness')],
  ['startup', 'tcp: 1, success_threshold: 2', expect.stringContaining('must be 1 for startup')],
  [
    'readiness',
    'tcp: 1, failure_threshold: 0',
    expect.stringContaining('failure_threshold: 0 is less than 1'),
  ],
  ['readiness', 'tcp: 1, interval: 99ms', expect.stringContaining('must be at least 100ms')],
  ['readiness', 'tcp: 1, timeout: 0s', expect.stringContaining('0 leaves no time for an answer')],
  ['readiness', 'tcp: 1, interval: 5', expect.stringContaining('5 has no unit: write 5s or 5ms')],
])('%s with %s is refused', (kind, line, expected) => {
  expect(refusal(kind, line)).toEqual(expected);
});

test('several mistakes of several probes are told at once', () => {
  const text = web(
    'probes:',
    '  startup: { fd: 3, tcp: 1 }',
    '  liveness: { http: x }',
    'hooks: { pre_start: {} }',
  );
  expect(problemsOf(text)).toHaveLength(3);
});

test('with port: auto the port is filled in when a run is asked, with the instance and the generation', () => {
  const own = (line: string) => {
    const how = probe(line, 'port: auto')?.how;
    if (how === undefined) throw new Error('no probe');
    return askedOf(how, { instance: 2, generation: 7, port: 4003 });
  };
  expect(own('http: { url: "/${instance}?g=${generation}", headers: { Host: "h:${port}" } }')).toEqual({
    http: {
      url: 'http://127.0.0.1:4003/2?g=7',
      method: 'GET',
      headers: { Host: 'h:4003' },
      status: STATUS,
    },
  });
  expect(own('tcp: "${port}"')).toEqual({ tcp: { host: '127.0.0.1', port: 4003 } });
  expect(own('tcp: {}')).toEqual({ tcp: { host: '127.0.0.1', port: 4003 } });
  expect(own('exec: [check, "${port}", "$${port}"]')).toEqual({ exec: ['check', '4003', '${port}'] });
});

test('a file that asks in its own way takes over the limits of service_defaults, not their way', () => {
  const defaults = { probes: { readiness: { http: '/ready', interval: '2s' } } };
  const inherited = define(web('port: 80'), { defaults });
  const own = define(web('port: 80', 'probes: { readiness: { tcp: 81, timeout: 1s } }'), { defaults });
  expect(inherited).toMatchObject({
    spec: { probes: { readiness: { how: { http: { url: 'http://127.0.0.1:80/ready' } }, interval: 2000 } } },
  });
  expect(own).toMatchObject({
    spec: { probes: { readiness: { interval: 2000, timeout: 1000 } } },
  });
  expect('spec' in own && own.spec.probes.readiness?.how).toEqual({ tcp: { host: '127.0.0.1', port: 81 } });
});
