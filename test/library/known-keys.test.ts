/** What becomes of an option that nobody knows? */
import { describe, expect, it, test } from 'vitest';
import type { Client } from '../../src/library/client.ts';
import { connect } from '../../src/library/connect.ts';
import { onlyKnown } from '../../src/library/known-keys.ts';
import { Processmaster } from '../../src/library/processmaster.ts';
import { newService } from '../../src/library/service-request.ts';

/** As a program in JavaScript gives it. */
const slip = (key: string): never => ({ [key]: 1 }) as never;

describe('onlyKnown', () => {
  const known = { services: true, lines: true } as const;

  it('takes what is known, and what is as good as not written', () => {
    expect(() => onlyKnown('option', { services: [], typo: undefined }, known)).not.toThrow();
    expect(() => onlyKnown('option', {}, known)).not.toThrow();
  });

  it.each([
    [{ service: 'web' }, 'unknown option "service"; did you mean services?'],
    [{ other: 1 }, 'unknown option "other"; known here: services, lines'],
    [{ constructor: 1 }, 'unknown option "constructor"; known here: services, lines'],
    ['web', 'options: "web" is no object'],
    [['web'], 'options: a list is no object'],
    [null, 'options: null is no object'],
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
