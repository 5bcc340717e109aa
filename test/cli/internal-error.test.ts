import { describe, expect, test } from 'vitest';
import { internalError } from '../../src/cli/internal-error.ts';
import { fakeTerminal } from './fake-terminal.ts';

function say(thrown: unknown, { argv = ['status'], debug }: { argv?: string[]; debug?: string } = {}) {
  const terminal = fakeTerminal({ environment: { NODE_DEBUG: debug } });
  const exit = internalError(thrown, argv, terminal);
  return { exit, out: terminal.out(), err: terminal.err() };
}

describe('a mistake of pmctl itself', () => {
  test('is one sentence, without the source of the program', () => {
    expect(say(new TypeError('x.map is not a function'))).toEqual({
      exit: 1,
      out: '',
      err: 'pmctl: internal error: TypeError: x.map is not a function; NODE_DEBUG=pmctl shows where\n',
    });
  });

  test.each([
    ['a text', 'a text'],
    [undefined, 'undefined'],
    [new Error('first\nsecond'), 'Error: first'],
    [new Error(`\u001b]0;x${'y'.repeat(1000)}`), `Error: \\x1b]0;x${'y'.repeat(288)}`],
  ])('%o is told safely and briefly', (thrown, words) => {
    expect(say(thrown).err).toBe(`pmctl: internal error: ${words}; NODE_DEBUG=pmctl shows where\n`);
  });

  test('is an object for programs, wherever the option stands', () => {
    const { exit, out } = say(new Error('why'), { argv: ['status', '--json'] });
    const message = 'internal error: Error: why; NODE_DEBUG=pmctl shows where';
    expect({ exit, told: JSON.parse(out) }).toEqual({
      exit: 1,
      told: { error: { code: 'internal_error', message } },
    });
    expect(say(new Error('why'), { argv: ['run', '--', 'x', '--json'] }).out).toBe('');
  });

  test.each(['pmctl', 'http,PMCTL'])('is told with its place with NODE_DEBUG=%s', (debug) => {
    const { err, out } = say(new Error('why'), { argv: ['--json', 'status'], debug });
    expect(err).toMatch(/^pmctl: internal error: Error: why\nError: why\n +at .*internal-error\.test\.ts/);
    expect(JSON.parse(out)).toEqual({
      error: { code: 'internal_error', message: 'internal error: Error: why' },
    });
  });

  test.each(['http', 'pmctl2', ''])('but not with NODE_DEBUG=%s', (debug) => {
    expect(say(new Error('why'), { debug }).err.split('\n')).toHaveLength(2);
  });
});
