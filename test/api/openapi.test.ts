/** Is everything that can be asked described, and in a way that programs can read? */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { openApi } from '../../src/api/openapi.ts';
import { BODIES } from '../../src/api/request-schemas.ts';
import { ROUTES } from '../../src/api/routes.ts';
import { apiServer } from '../../src/api/server.ts';
import { fakeControl } from './fake-control.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests look into the document as programs do
const document = openApi('1.2.3') as any;

/** `GET /api/why/:id`, as the server knows it. */
function described(): readonly string[] {
  return Object.entries(document.paths as Record<string, object>).flatMap(([path, operations]) =>
    Object.keys(operations).map(
      (method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
    ),
  );
}

/** Every reference in a tree. */
function references(tree: unknown): readonly string[] {
  if (typeof tree !== 'object' || tree === null) return [];
  return Object.entries(tree).flatMap(([key, value]) =>
    key === '$ref' ? [String(value)] : references(value),
  );
}

describe('the description', () => {
  test('has every call that the server answers, and no other', async () => {
    const app = apiServer(fakeControl().control, () => 0);
    await app.ready();
    const routes = described();
    for (const route of routes) {
      const [method = '', url = ''] = route.split(' ');
      expect({ route, known: app.hasRoute({ method: method as 'GET', url }) }).toEqual({
        route,
        known: true,
      });
    }
    const tree = app.printRoutes({ commonPrefix: false });
    const leaves = [...tree.matchAll(/\((GET|POST|PUT|PATCH|DELETE)/g)];
    expect(leaves).toHaveLength(routes.length);
    await app.close();
  });

  test('has every call that the client makes', () => {
    expect(Object.values(ROUTES).filter((route) => !described().includes(route))).toEqual([]);
  });

  test('leads nowhere that is not there, and names every call once', () => {
    const known = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`);
    expect([...new Set(references(document))].filter((one) => !known.includes(one))).toEqual([]);
    const ids = Object.values(
      document.paths as Record<string, Record<string, { operationId: string }>>,
    ).flatMap((operations) => Object.values(operations).map(({ operationId }) => operationId));
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('has nothing but valid JSON Schemas of 2020-12', () => {
    const ajv = new Ajv2020({ strict: false, formats: { 'date-time': true } });
    ajv.addSchema(document, 'openapi');
    for (const name of Object.keys(document.components.schemas)) {
      expect(() => ajv.compile({ $ref: `openapi#/components/schemas/${name}` })).not.toThrow();
    }
  });

  test('shows the bodies that the server holds requests against', () => {
    const body = (path: string) => document.paths[path].post.requestBody.content['application/json'].schema;
    for (const name of ['update', 'sync', 'command', 'define', 'delete', 'wait', 'shutdown'] as const) {
      expect(body(`/api/${name}`)).toEqual(BODIES[name]);
    }
  });

  test('says what the table of the documentation says about roles', () => {
    const page = readFileSync(fileURLToPath(new URL('../../docs/api.md', import.meta.url)), 'utf8');
    const rows = [...page.matchAll(/^\| (`(?:GET|POST) .+?) \| .* \| (read|operate|admin) \|$/gm)];
    const told = rows.flatMap(([, calls = '', role]) => {
      const method = calls.slice(1, calls.indexOf(' '));
      return [...calls.matchAll(/(?<=[` ])\/[^`?]*/g)].map(([path]) => [`${method} ${path}`, role]);
    });
    const isMeant = (call: string) =>
      call.replaceAll(/\{(id|service)\}/g, (_, name) =>
        name === 'id' && call.includes('history') ? 'ID' : 'NAME',
      );
    const known = described().flatMap((call) => {
      const [method = '', url = ''] = call.split(' ');
      const path = url.replaceAll(/:(\w+)/g, '{$1}');
      const role = document.paths[path][method.toLowerCase()]['x-role'];
      return path.endsWith('{verb}') ? [] : [[isMeant(`${method} ${path}`), role]];
    });
    const unlike = known.filter(([call, role]) => !told.some(([one, its]) => one === call && its === role));
    expect(unlike).toEqual([]);
  });

  test('says which role each call takes', () => {
    expect(document.paths['/api/status'].get['x-role']).toBe('read');
    expect(document.paths['/api/command'].post['x-role']).toBe('operate');
    expect(document.paths['/api/delete'].post['x-role']).toBe('admin');
  });
});
