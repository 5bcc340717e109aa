/** What becomes of an option that nobody knows, and of a value that it cannot have? */
import { describe, expect, it, test } from 'vitest';
import type { Client } from '../../src/library/client.ts';
import { connect } from '../../src/library/connect.ts';
import { COUNT, NAMES } from '../../src/library/kinds.ts';
import { onlyKnown } from '../../src/library/known-keys.ts';
import { Processmaster } from '../../src/library/processmaster.ts';
import { newService } from '../../src/library/service-request.ts';

/** As a program in JavaScript gives it. */
const slip = (key: string): never => ({ [key]: 1 }) as never;

describe('onlyKnown', () => {
  const known = { services: NAMES, lines: COUNT } as const;

  it('takes what is known, and what is as good as not written', () => {
    expect(() => onlyKnown('option', { services: [], typo: undefined }, known)).not.toThrow();
    expect(() => onlyKnown('option', {}, known)).not.toThrow();
    const bare = Object.assign(Object.create(null), { services: 'web', lines: 0 });
    expect(() => onlyKnown('option', bare, known)).not.toThrow();
  });

  it.each([
    [{ service: 'web' }, 'unknown option "service"; did you mean services?'],
    [{ other: 1 }, 'unknown option "other"; known here: services, lines'],
    [{ constructor: 1 }, 'unknown option "constructor"; known here: services, lines'],
    ['web', 'options: "web" is no object'],
    [['web'], 'options: this list is no object'],
    [null, 'options: null is no object'],
    [new Map([['lines', 1]]), 'options: this Map is no object'],
    [Promise.resolve({}), 'options: this Promise is no object'],
    [{ lines: '1' }, 'lines: write a whole number, not "1"'],
    [{ lines: -1 }, 'lines: write a whole number, not -1'],
    [{ lines: Number.NaN }, 'lines: write a whole number, not NaN'],
    [{ lines: null }, 'lines: write a whole number, not null'],
    [{ services: ['a', 1] }, 'services: write the name of a service, or a list of names, not this list'],
    [{ services: new Set(['a']) }, 'services: write the name of a service, or a list of names, not this Set'],
  ])('refuses %j', (given, message) => {
    expect(() => onlyKnown('option', given, known)).toThrow(
      expect.objectContaining({ code: 'invalid', message }),
    );
  });
});

describe('every call of a client refuses unknown options before it asks anybody', () => {
  const calls: Record<Exclude<keyof Client, 'close'>, (client: Client) => Promise<unknown>> = {
    ensureDaemon: (client) => client.ensureDaemon(slip('sgnal')),
    version: (client) => client.version(slip('sgnal')),
    start: (client) => client.start('web', slip('wiat')),
    stop: (client) => client.stop('web', slip('wiat')),
    restart: (client) => client.restart('web', slip('wiat')),
    reload: (client) => client.reload('web', slip('wiat')),
    scale: (client) => client.scale('web', 2, slip('wiat')),
    delete: (client) => client.delete('web', slip('wiat')),
    status: (client) => client.status(slip('sgnal')),
    list: (client) => client.list(slip('sgnal')),
    stats: (client) => client.stats('web', slip('sgnal')),
    logs: (client) => client.logs(slip('service')),
    events: (client) => client.events(slip('afer')).next(),
    diff: (client) => client.diff(slip('sgnal')),
    update: (client) => client.update(slip('service')),
    history: (client) => client.history(slip('limt')),
    rollback: (client) => client.rollback(slip('prun')),
    resume: (client) => client.resume(slip('prun')),
    sync: (client) => client.sync(slip('dryrunn')),
    why: (client) => client.why('web', slip('sgnal')),
    wait: (client) => client.wait('web', slip('timout')),
    killDaemon: (client) => client.killDaemon(slip('stopService')),
  };
  // Nobody listens there: what is not refused before is refused as `no_daemon`.
  test.each(Object.entries(calls))('%s', async (_, call) => {
    const client = connect({ sock: '/nonexistent/pm.sock' });
    await expect(call(client)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/^unknown option "\w+"; did you mean \w+\?$/),
    });
  });

  it('and so does the description of a service', async () => {
    const service = { name: 'web', command: 'true', instnaces: 4 };
    const message = 'unknown key "instnaces"; did you mean instances?';
    expect(() => newService(service, '/srv')).toThrow(expect.objectContaining({ code: 'invalid', message }));
    const client = connect({ sock: '/nonexistent/pm.sock' });
    await expect(client.start(service)).rejects.toMatchObject({ code: 'invalid', message });
  });
});

describe('a manager refuses them', () => {
  it('where it is made, and where a client is', () => {
    expect(() => new Processmaster(slip('service'))).toThrow(
      'unknown option "service"; did you mean services?',
    );
    expect(() => connect(slip('socks'))).toThrow('unknown option "socks"; did you mean sock?');
  });

  test.each<[string, (manager: Processmaster) => Promise<unknown>]>([
    ['update', (manager) => manager.update({}, slip('wiat'))],
    ['start', (manager) => manager.start('web', slip('wiat'))],
    ['stop', (manager) => manager.stop('web', slip('wiat'))],
    ['restart', (manager) => manager.restart('web', slip('wiat'))],
    ['reload', (manager) => manager.reload('web', slip('wiat'))],
    ['wait', (manager) => manager.wait('web', slip('timout'))],
    ['logs', (manager) => manager.logs(slip('service'))],
    ['events', async (manager) => manager.events(slip('afer')).next()],
    ['close', (manager) => manager.close(slip('leav'))],
  ])('%s', async (_, call) => {
    await expect(call(new Processmaster())).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/^unknown option "\w+"; did you mean \w+\?$/),
    });
  });
});

async function isRefused(answer: Promise<unknown>, message: string): Promise<void> {
  await expect(answer).rejects.toMatchObject({
    ...{ name: 'ProcessmasterError', code: 'invalid', message: expect.stringContaining(message) },
  });
}

/** Of any type: what a program in JavaScript may give. */
const any = (value: unknown): never => value as never;

describe('a value of another kind is refused before anybody is asked', () => {
  const client = connect({ sock: '/nonexistent/pm.sock' });
  const manager = new Processmaster();
  const both: readonly [string, (side: Client | Processmaster) => Promise<unknown>, string][] = [
    ['a goal', (side) => side.wait('web', { for: any('completd') }), 'for: write one of ready, stopped'],
    ['a timeout', (side) => side.wait('web', { timeout: any('1s') }), 'timeout: write a whole number of'],
    ['a signal', (side) => side.wait('web', { signal: any(1) }), 'signal: write an AbortSignal, not 1'],
    ['a service', (side) => side.wait(any(['web'])), 'service: write the name of a service, not this list'],
    ['a wait', (side) => side.restart('web', { wait: any('5s') }), 'wait: write a whole number of'],
    ['an endless wait', (side) => side.restart('web', { wait: Number.POSITIVE_INFINITY }), 'wait: write'],
    ['no options', (side) => side.restart('web', any(null)), 'options: null is no object'],
    ['services', (side) => side.stop(any([1])), 'services: write the name of a service, or a list'],
    ['why', (side) => side.why(any(['web'])), 'service: write the name of a service'],
    ['stats', (side) => side.stats(any(['a', 'b'])), 'service: write the name of a service'],
    ['since', (side) => side.logs({ since: any('10m') }), 'since: write a Date, not "10m"'],
    ['lines', (side) => side.logs({ lines: any('5') }), 'lines: write a whole number'],
    ['a stream', (side) => side.logs({ stream: any('out') }), 'stream: write one of stdout, stderr, hint'],
    ['a pattern', (side) => side.logs({ grep: any(1) }), 'grep: write a regular expression'],
    ['after', async (side) => side.events({ after: any('1') }).next(), 'after: write a whole number'],
    ['whose events', async (side) => side.events({ services: any(1) }).next(), 'services: write the name'],
  ];
  test.each(both)('by a client: %s', async (_, call, message) => {
    await isRefused(call(client), message);
  });

  // It does not run: what is not refused before is refused as `misused`.
  test.each(both)('by a manager: %s', async (_, call, message) => {
    await isRefused((async () => call(manager))(), message);
  });

  test.each<[string, () => Promise<unknown>, string]>([
    ['update', () => client.update({ onFailure: any('halt') }), 'onFailure: write one of stop, rollback'],
    ['no options of an update', () => client.update(any(null)), 'options: null is no object'],
    ['sync', () => client.sync({ dryRun: any('yes') }), 'dryRun: write true or false, not "yes"'],
    ['history', () => client.history({ limit: any('5') }), 'limit: write a whole number'],
    ['rollback', () => client.rollback({ id: any(5) }), 'id: write a text, not 5'],
    ['no options of events', async () => client.events(any(null)).next(), 'options: null is no object'],
    ['patience', () => client.events({ patience: Number.NaN }).next(), 'patience: write a number of'],
    ['killDaemon', () => client.killDaemon({ wait: any('1s') }), 'wait: write a whole number of'],
    ['a command', () => client.start({ name: 'web', command: any(5) }), 'command: write a text, or a list'],
    ['a script', () => client.start({ name: 'web', script: any(5) }), 'script: write a path, not 5'],
    ['variables', () => client.start({ name: 'web', script: 'a.js', env: any(new Map()) }), 'env: write an'],
  ])('by a client alone: %s', async (_, call, message) => {
    await isRefused(call(), message);
  });

  test.each<[object, string]>([
    [{ services: [] }, 'services: write a plain object: definitions by the names of services, not this list'],
    [{ services: null }, 'services: write a plain object: definitions by the names of services, not null'],
    [{ stateDirectory: 5 }, 'stateDirectory: write a path, not 5'],
    [{ stateDirectory: '' }, 'stateDirectory: write a path, not ""'],
    [{ directory: '' }, 'directory: write a path, not ""'],
    [{ containment: 'cgroups' }, 'containment: write one of process_group, cgroup, auto, not "cgroups"'],
    [{ environment: { PORT: 80 } }, 'environment: write an object of texts, not this Object'],
    [{ log: 'x' }, 'log: write a function, not "x"'],
    [{ settings: [] }, 'settings: this list is no object'],
    [{ settings: { state_directory: '/x' } }, 'unknown setting "state_directory"; known here: service_def'],
  ])('by a manager that is made with %j', (options, message) => {
    expect(() => new Processmaster(any(options))).toThrow(
      expect.objectContaining({ code: 'invalid', message: expect.stringContaining(message) }),
    );
  });

  it('and is none where it only comes from elsewhere', () => {
    const environment = process.env;
    const settings = { vars: { a: 1 } };
    expect(() => new Processmaster({ environment, settings, services: {} })).not.toThrow();
  });

  it('as well as a listener that would never be called', () => {
    const listener = (): void => undefined;
    for (const call of ['on', 'off'] as const) {
      expect(() => manager[call](any('evnt'), listener)).toThrow(
        expect.objectContaining({ code: 'invalid', message: expect.stringContaining('not "evnt"') }),
      );
      expect(() => manager[call]('event', any(undefined))).toThrow(
        expect.objectContaining({ code: 'invalid', message: 'listener: write a function, not undefined' }),
      );
      expect(manager[call]('event', listener)).toBe(manager);
    }
  });
});
