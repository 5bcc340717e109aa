import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { pmctl } from '../../src/cli/pmctl.ts';
import { fakeDaemon, run, statusView } from './fake-daemon.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { serviceView } from './sample-views.ts';

async function typed(...argv: string[]): Promise<{ exit: number; out: string; err: string }> {
  const terminal = fakeTerminal({ directory: '/nonexistent' });
  const exit = await pmctl(argv, terminal);
  return { exit, out: terminal.out(), err: terminal.err() };
}

describe('wrong usage ends with 64 and says on stderr what to write', () => {
  test.each([
    { argv: ['restrat'], says: /unknown command 'restrat'\n\(Did you mean restart\?\)/ },
    { argv: ['help', 'frobnicate'], says: /unknown command 'frobnicate'/ },
    { argv: ['frobnicate'], says: /unknown command 'frobnicate'; pmctl help tells all commands\n$/ },
    { argv: ['top', '--sort', 'size'], says: /Write cpu, mem, name or restarts/ },
    { argv: ['status', '--wach'], says: /unknown option '--wach'\n\(Did you mean --watch\?\)/ },
    { argv: ['stop'], says: /name a service, or all/ },
    { argv: ['stop', 'web', '-l', 'team=shop'], says: /not both/ },
    { argv: ['stop', 'all', 'web'], says: /all stands alone/ },
    { argv: ['stop', 'web', '--timeout', '30'], says: /30 has no unit|"30" has no unit/ },
    { argv: ['stop', '-l', 'team'], says: /key=value/ },
    { argv: ['hold', 'web'], says: /--message/ },
    { argv: ['hold', 'web', '-m', ' '], says: /say why/ },
    { argv: ['hold', 'web', '-m', 'x', '--for', 'soon'], says: /no duration/ },
    { argv: ['scale', 'web'], says: /missing required argument 'instances'/ },
    { argv: ['scale', 'web', 'two'], says: /"two" is no number of instances; write 0 to 999/ },
    { argv: ['scale', 'web', '1000'], says: /"1000" is no number of instances; write 0 to 999/ },
    { argv: ['scale', 'all', '2'], says: /one service/ },
    { argv: ['wait', 'web', '--for', 'ever'], says: /ready, stopped or completed/ },
    { argv: ['logs', '-n', '-5'], says: /-n/ },
    {
      argv: ['why'],
      says: /missing required argument 'service'\nusage: pmctl why \[options\] <service> {3}\(more: pmctl help why\)\n$/,
    },
    { argv: ['list', 'web'], says: /too many arguments/ },
    { argv: ['status', '--watch'], says: /needs a terminal/ },
    { argv: ['schema', 'nosuch'], says: /service or config/ },
    { argv: [], says: /Usage: pmctl/ },
  ])('$argv', async ({ argv, says }) => {
    const { exit, out, err } = await typed(...argv);
    expect(err).toMatch(says);
    expect(err).not.toMatch(/^error:/m);
    expect(out).toBe('');
    expect(exit).toBe(64);
  });
});

describe('with --json wrong usage is also an object on stdout, wherever --json stands', () => {
  test.each([
    { argv: ['--json', 'status', '--foo'], message: "unknown option '--foo'" },
    { argv: ['status', '--foo', '--json'], message: "unknown option '--foo'" },
    { argv: ['--foo', '--json', 'status'], message: "unknown option '--foo'" },
    { argv: ['--json', 'nosuchcmd'], message: "unknown command 'nosuchcmd'; pmctl help tells all commands" },
    { argv: ['--json', 'restrat'], message: "unknown command 'restrat' (Did you mean restart?)" },
    { argv: ['--json', 'run'], message: "missing required argument 'command'" },
    {
      argv: ['--json', 'run', 'sleep'],
      message: 'write the command after --: pmctl run [options] -- CMD...',
    },
    {
      argv: ['--json', 'hold', 'web'],
      message: "required option '-m, --message <reason>' not specified",
    },
    { argv: ['--json', 'scale', 'web', 'many'], message: '"many" is no number of instances; write 0 to 999' },
    { argv: ['--json'], message: 'no command was given; pmctl help tells all commands' },
  ])('$argv', async ({ argv, message }) => {
    const { exit, out, err } = await typed(...argv);
    expect(JSON.parse(out)).toEqual({ error: { code: 'usage', message } });
    expect(err).not.toBe('');
    expect(exit).toBe(64);
  });

  test('but not where --json is a word of the command that run is to start', async () => {
    const { exit, out } = await typed('run', '--foo', '--', 'web', '--json');
    expect(out).toBe('');
    expect(exit).toBe(64);
  });
});

test('help with --json is help', async () => {
  const { exit, out } = await typed('--json', '--help');
  expect(out).toMatch(/^Usage: pmctl/);
  expect(exit).toBe(0);
});

test('help is printed on stdout, tells every command, and is no error', async () => {
  const { exit, out } = await typed('--help');
  expect(exit).toBe(0);
  for (const { name } of COMMANDS) expect(out).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
});

test('options may stand before and after the command', async () => {
  const daemon = await fakeDaemon({ 'GET /api/status': statusView([serviceView('web')]) });
  const { socket } = daemon;
  for (const argv of [
    ['--json', '--sock', socket, 'status'],
    ['status', '--json', '--sock', socket],
    ['--sock', socket, 'status', 'web', '--json'],
  ]) {
    const { exit, out } = await typed(...argv);
    expect(JSON.parse(out).services[0].name).toBe('web');
    expect(exit).toBe(0);
  }
});

test('every request tells the protocol and who asks', async () => {
  const daemon = await fakeDaemon({ 'GET /api/status': statusView([]) });
  await run(daemon, 'status');
  expect(daemon.asked[0]?.headers).toMatchObject({
    'x-processmaster-protocol': '1',
    'x-processmaster-actor': 'bob',
  });
});
