/** What does a client send that wants to know what it can get away with? */
import fc from 'fast-check';
import { ROUTES } from '../../src/api/routes.ts';
import { anyText, damaged } from './noise.ts';

const paths = Object.values(ROUTES).filter((route) => !/events|metrics|openapi/.test(route));
const segment = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('web', 'start', 'stop', 'reload', 'latest', 'all') },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '..',
      '.',
      '%2e%2e',
      '%2f',
      '%5c',
      '%00',
      'a%2fb',
      '%',
      '%zz',
      '%c0%af',
      '%ff',
      '__proto__',
      'constructor',
      'x'.repeat(3000),
      '*',
      ':id',
      '',
      ' ',
      '%20',
      '?',
      '#',
      '%0d%0ax: y',
    ),
  },
  { weight: 1, arbitrary: anyText.map((text) => encodeURIComponent(text.replace(/\p{Cs}/gu, ''))) },
);
const query = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  fc
    .array(
      fc.tuple(
        fc.constantFrom(
          'lines',
          'wait',
          'services',
          'since',
          'until',
          'grep',
          'stream',
          'instance',
          'limit',
          'from',
          'to',
          '__proto__',
          'lines[]',
          'constructor[prototype]',
        ),
        fc.oneof(
          fc.constantFrom(
            '1',
            '-1',
            '999999999999',
            '1e9',
            '2h',
            '(a+)+$',
            '[',
            'stdout',
            '2026-01-01',
            '%00',
            '%zz',
            '',
          ),
          anyText.map((text) => encodeURIComponent(text.replace(/\p{Cs}/gu, ''))),
        ),
      ),
      { minLength: 1, maxLength: 4 },
    )
    .map((all) => `?${all.map(([name, value]) => `${name}=${value}`).join('&')}`),
);
export const urls = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.constantFrom(...paths), segment, segment, query)
      .map(([route, one, other, search]) => {
        const [method = 'GET', path = '/'] = route.split(' ');
        let nth = 0;
        return { method, path: path.replace(/:\w+/g, () => (nth++ === 0 ? one : other)) + search };
      }),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'),
        fc.array(segment, { maxLength: 5 }),
        query,
      )
      .map(([method, all, search]) => ({ method, path: `/api/${all.join('/')}${search}` })),
  },
);
const header = fc.tuple(
  fc.constantFrom(
    'content-type',
    'host',
    'origin',
    'authorization',
    'x-processmaster-protocol',
    'x-processmaster-actor',
    'accept',
    'content-length',
    'cookie',
    'x-http-method-override',
    'last-event-id',
    'transfer-encoding',
    'expect',
    '__proto__',
    'constructor',
  ),
  fc.oneof(
    fc.constantFrom(
      'application/json',
      'text/plain',
      'null',
      'evil.example',
      '127.0.0.1',
      '1',
      '2',
      'Bearer',
      'Bearer admin',
      'Basic x',
      'a'.repeat(5000),
      'DELETE',
      '-1',
      'application/json; charset=utf-7',
    ),
    fc.string({ unit: 'binary-ascii', maxLength: 20 }).map((text) => text.replace(/[^\x20-\x7e]/g, '')),
  ),
);
export const headers = fc.oneof(
  { weight: 2, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.array(header, { minLength: 1, maxLength: 3 }) },
);

const leaf = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    -1,
    1.5,
    1e300,
    2 ** 53,
    '',
    'web',
    'all',
    '../x',
    'stop',
    'ready',
    [],
    {},
    ['web'],
    [null],
    '\0',
  ),
  anyText,
);
const names = fc.constantFrom(
  'verb',
  'services',
  'by',
  'reason',
  'for',
  'instances',
  'wait',
  'prune',
  'plan',
  'name',
  'command',
  'directory',
  'env',
  'port',
  'user',
  'schedule',
  'dev',
  'service',
  'timeout',
  'stopServices',
  'id',
  'dryRun',
  'on_failure',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
);
/** Written by hand, as no object can have some of these keys. */
const made = fc.array(fc.tuple(names, leaf), { maxLength: 6 }).map((all) => {
  return `{${all.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
});
/** What each call takes. */
const RIGHT: readonly (readonly [route: string, body: object])[] = [
  ['POST /api/command', { verb: 'stop', services: ['web'], wait: 0 }],
  ['POST /api/command', { verb: 'scale', services: ['web'], instances: 2, wait: 0 }],
  ['POST /api/update', { services: [], prune: true, wait: 0 }],
  [
    'POST /api/update',
    { plan: { desired: 'x', changes: [{ service: 'web', action: 'roll', instances: 1 }] } },
  ],
  ['POST /api/define', { name: 'x', command: ['a'], directory: '/', env: { A: 'b' }, wait: 0 }],
  ['POST /api/delete', { services: ['web'], wait: 0 }],
  ['POST /api/sync', { dryRun: false, prune: true, wait: 0 }],
  ['POST /api/rollback', { id: 'latest', prune: true, wait: 0 }],
  ['POST /api/resume', { prune: false }],
  ['POST /api/wait', { service: 'web', for: 'ready', timeout: 0 }],
  ['POST /api/shutdown', { stopServices: true }],
];
const right = fc.constantFrom(...RIGHT).map(([route, body]) => [route, JSON.stringify(body)] as const);
export const rightBodies = right.map(([, body]) => body);
const bodies = fc.oneof(
  { weight: 3, arbitrary: rightBodies },
  { weight: 4, arbitrary: made },
  { weight: 4, arbitrary: damaged(rightBodies, 2) },
  { weight: 1, arbitrary: anyText },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('[', '{"a":'), fc.nat(2000))
      .map(([piece, count]) => piece.repeat(count)),
  },
  { weight: 1, arbitrary: fc.jsonValue().map((value) => JSON.stringify(value)) },
);

const posts = paths.filter((route) => route.startsWith('POST') && !route.includes(':'));

/** A call with its body, a damaged one, or any. */
export const posted: fc.Arbitrary<readonly [route: string, body: string]> = fc.oneof(
  { weight: 3, arbitrary: right },
  {
    weight: 3,
    arbitrary: right.chain(([route, body]) => fc.tuple(fc.constant(route), damaged(fc.constant(body), 2))),
  },
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom(...posts), bodies) },
);
