// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are templates as they stand in a service file
import { describe, expect, it } from 'vitest';
import { runStopCommand, type StopCommandInput } from '../../src/executor/stop-command.ts';
import type { Outcome } from '../../src/model/observed.ts';
import { credentials, exited, problem, runKey, spec } from '../builders.ts';
import { fakeTools } from './fake-tools.ts';

const KEY = runKey({ slot: 2 });
const SPEC = spec({
  process: { stop_command: ['flush', '${instance}'], env: { T: { secret: '/run/t', digest: 'd' } } },
  logs: { stop_command_stdout: '/srv/web/stop.log' },
});

const nobody = (): void => {};

function input(changes: Partial<StopCommandInput> = {}): StopCommandInput {
  return {
    key: KEY,
    spec: SPEC,
    secrets: new Map([['T', 'hush']]),
    credentials: credentials(),
    port: null,
    ...changes,
  };
}

describe('the stop command', () => {
  it('runs as the user of the run, with its place filled in', () => {
    const tools = fakeTools();
    expect(runStopCommand(input(), tools, nobody)).toBeUndefined();
    expect(tools.launches).toMatchObject([
      { argv: ['flush', '2'], credentials: credentials(), workingDirectory: '/srv/web', stderr: null },
    ]);
  });

  it('tells once how it ended', () => {
    const tools = fakeTools();
    const outcomes: Outcome[] = [];
    runStopCommand(input(), tools, (outcome) => outcomes.push(outcome));
    expect(outcomes).toEqual([]);
    tools.end(exited(3));
    expect(outcomes).toEqual([exited(3)]);
  });

  it('gets the environment of the definition while that is known', () => {
    const tools = fakeTools({ environment: { T: 'of the run' } });
    runStopCommand(input(), tools, nobody);
    expect(tools.launches[0]?.environment).toMatchObject({ T: 'hush', PROCESSMASTER_RUN_ID: KEY.id });
  });

  it('gets the environment of the run itself when the definition is gone', () => {
    const tools = fakeTools({ environment: { T: 'of the run' } });
    runStopCommand(input({ secrets: undefined }), tools, nobody);
    expect(tools.launches[0]?.environment).toEqual({ T: 'of the run' });
  });

  it('gets what is left of the definition when the run cannot be asked either', () => {
    const tools = fakeTools();
    runStopCommand(input({ secrets: undefined }), tools, nobody);
    expect(tools.launches[0]?.environment).toMatchObject({ T: '', PROCESSMASTER_SERVICE: 'web' });
  });
});

describe('its logs', () => {
  it('are closed when it was started, refused, or failed to start', () => {
    for (const answers of [{}, { inside: problem() }]) {
      const tools = fakeTools(answers);
      expect(runStopCommand(input(), tools, nobody)).toEqual(answers.inside);
      expect(tools.opened).toEqual(['/srv/web/stop.log']);
      expect(tools.open.size).toBe(0);
    }
  });

  it('must not keep a service from stopping', () => {
    const tools = fakeTools({ logs: { '/srv/web/stop.log': problem({ code: 'log-unwritable' }) } });
    expect(runStopCommand(input(), tools, nobody)).toBeUndefined();
    expect(tools.launches).toMatchObject([{ stdout: null, stderr: null }]);
  });
});

it('a definition without a stop command is a problem, and nothing is launched', () => {
  const tools = fakeTools();
  expect(runStopCommand(input({ spec: spec() }), tools, nobody)).toMatchObject({ code: 'start-failed' });
  expect(tools.launches).toEqual([]);
});
