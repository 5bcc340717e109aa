/** What becomes of the description of a new service? */
import { describe, expect, it } from 'vitest';
import { ProcessmasterError } from '../../src/library/processmaster-error.ts';
import { newService, type ServiceRequest } from '../../src/library/service-request.ts';

const commandOf = (request: Omit<ServiceRequest, 'name'>) =>
  newService({ name: 'web', ...request }, '/srv').command;

describe('newService', () => {
  it.each([
    ['server.js', ['node', '/srv/server.js']],
    ['dist/server.mts', ['node', '/srv/dist/server.mts']],
    ['app.py', ['python3', '/srv/app.py']],
    ['/opt/run.sh', ['sh', '/opt/run.sh']],
    ['bin/tool', ['/srv/bin/tool']],
  ])('runs the script %s with what it is written for', (script, command) => {
    expect(commandOf({ script })).toEqual(command);
  });

  it('appends arguments, also to a text for the shell, which sees them as $0 and $1', () => {
    expect(commandOf({ script: 'a.js', args: ['--x'] })).toEqual(['node', '/srv/a.js', '--x']);
    expect(commandOf({ command: ['a', 'b'], args: ['c'] })).toEqual(['a', 'b', 'c']);
    expect(commandOf({ command: 'echo $0', args: ['c'] })).toEqual(['/bin/sh', '-c', 'echo $0', 'c']);
  });

  it('finds the script in the directory that the service runs in', () => {
    const service = newService({ name: 'web', script: 'a.js', directory: 'app' }, '/srv');
    expect(service).toEqual({ name: 'web', command: ['node', '/srv/app/a.js'], directory: '/srv/app' });
  });

  it.each([
    { name: 'web' },
    { name: 'web', script: 'a.js', command: 'true' },
    { name: 'a b', command: 'true' },
    { name: undefined as never, command: 'true' },
  ])('refuses %j', (request) => {
    let thrown: unknown;
    try {
      newService(request, '/srv');
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ProcessmasterError);
    expect(thrown).toMatchObject({ code: 'invalid' });
  });
});
