/** What does the description of the API say that programs read? Loaded when the first one asks. */
import * as answers from './answer-schemas.ts';
import { leastRole } from './call-roles.ts';
import * as changes from './change-schemas.ts';
import { OPERATIONS, type Operation } from './operations.ts';
import type { Component, JsonSchema } from './schema-of.ts';
import * as services from './service-schemas.ts';

/** OpenAPI 3.1.1. @param version of the daemon */
export function openApi(version: string): JsonSchema {
  return {
    openapi: '3.1.1',
    info: {
      title: 'processmaster',
      version,
      description: 'What pmctl speaks, over the control socket and over TCP.',
    },
    security: [{ token: [] }],
    paths: paths(),
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'Over TCP alone: pmctl token new makes one.' },
      },
      schemas: {
        ...Object.fromEntries(components().map(({ name, whole }) => [name, whole])),
        Error: {
          type: 'object',
          required: ['error'],
          properties: {
            error: {
              type: 'object',
              required: ['code', 'message'],
              properties: { code: { type: 'string', description: 'Stable.' }, message: { type: 'string' } },
            },
          },
        },
      },
    },
  };
}

function components(): readonly Component<unknown>[] {
  const all: readonly unknown[] = [
    ...Object.values(services),
    ...Object.values(changes),
    ...Object.values(answers),
  ];
  return all.filter(
    (one): one is Component<unknown> =>
      typeof one === 'object' && one !== null && 'name' in one && 'whole' in one,
  );
}

function paths(): JsonSchema {
  const byPath: Record<string, Record<string, JsonSchema>> = {};
  for (const [call, operation] of Object.entries(OPERATIONS)) {
    const [method = '', route = ''] = call.split(' ');
    const path = route.replaceAll(/:(\w+)/g, '{$1}');
    byPath[path] = { ...byPath[path], [method.toLowerCase()]: operationOf(method, route, operation) };
  }
  return byPath;
}

function operationOf(method: string, route: string, operation: Operation): JsonSchema {
  const { summary, query = {}, body, takesMore } = operation;
  const role = leastRole(method, route);
  const inPath = [...route.matchAll(/:(\w+)/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: name === 'verb' ? { enum: ['start', 'stop', 'restart', 'reload'] } : { type: 'string' },
  }));
  const inQuery = Object.entries(query).map(([name, schema]) => ({ name, in: 'query', schema }));
  return {
    operationId: nameOf(method, route),
    summary,
    description: `Over TCP it takes the role ${role}${takesMore === undefined ? '' : `, ${takesMore}`}.`,
    'x-role': role,
    parameters: [...inPath, ...inQuery],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: {
      200: {
        description: 'What was asked for.',
        content: Object.fromEntries(
          Object.entries(operation.answers).map(([type, { json }]) => [type, { schema: json }]),
        ),
      },
      default: {
        description: 'Why not.',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  };
}

/** `getApiProcessesIdLogs`. */
function nameOf(method: string, route: string): string {
  const words = route.split(/[^A-Za-z]+/).filter((word) => word !== '');
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}
