import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { completionWords } from '../../src/cli/completion-words.ts';
import { EXAMPLES } from '../../src/cli/examples.ts';
import { fakeDaemon, HANDLED, run, runOn, statusView } from './fake-daemon.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { serviceView } from './sample-views.ts';

const execute = promisify(execFile);

async function script(shell: string): Promise<string> {
  const { exit, out } = await run({ socket: '/nonexistent/sock' }, `completion ${shell}`);
  expect(exit).toBe(0);
  return out;
}

describe('bash, with a pmctl that knows the services nap, web and worker', () => {
  let bash = '';
  beforeAll(async () => {
    bash = await script('bash');
  });

  /** What bash would offer at the end of the line. */
  async function offered(...line: readonly string[]): Promise<readonly string[]> {
    const place = mkdtempSync(join(tmpdir(), 'completion-'));
    onTestFinished(() => rmSync(place, { recursive: true }));
    mkdirSync(join(place, 'bin'));
    mkdirSync(join(place, 'config.d'));
    writeFileSync(join(place, 'config.yaml'), '');
    // Names what it was asked as well, so that a test sees which daemon was meant.
    const stub =
      '#!/bin/sh\n[ "$*" = "completion services" ] || echo "w:$*" | tr " " ,\nprintf "nap\\nweb\\nworker\\n"\n';
    writeFileSync(join(place, 'bin/pmctl'), stub, { mode: 0o755 });
    const ask = `${bash}
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_pmctl
printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = await execute('bash', ['--norc', '-c', ask, 'bash', ...line], {
      cwd: place,
      env: { PATH: `${join(place, 'bin')}:${process.env['PATH']}`, HOME: place },
    });
    // Outside of a real completion bash has no options of one to set.
    expect(stderr).toBe('');
    return stdout.split('\n').filter((word) => word !== '');
  }

  test.each<[string, readonly string[], readonly string[]]>([
    ['commands', ['pmctl', 'st'], ['status', 'start', 'stop', 'stats']],
    ['services and all', ['pmctl', 'stop', ''], ['nap', 'web', 'worker', 'all']],
    ['services that are not on the line yet', ['pmctl', 'stop', 'web', 'w'], ['worker']],
    ['one service where one is meant', ['pmctl', 'why', 'n'], ['nap']],
    ['nothing after it', ['pmctl', 'why', 'nap', ''], []],
    ['nothing where a number is meant', ['pmctl', 'scale', 'web', ''], []],
    ['services behind an option with a value', ['pmctl', 'stop', '--timeout', '3s', 'na'], ['nap']],
    ['options of the command', ['pmctl', 'status', '--w'], ['--watch']],
    ['options of every command', ['pmctl', 'status', '--js'], ['--json']],
    ['values of an option', ['pmctl', 'wait', 'web', '--for', ''], ['ready', 'stopped', 'completed']],
    ['values of an option after =', ['pmctl', 'wait', '--for', '=', 'st'], ['stopped']],
    ['values of a word', ['pmctl', 'schema', ''], ['service', 'config']],
    ['keys', ['pmctl', 'explain', 'restart_policy.max'], ['restart_policy.max_backoff']],
    ['files', ['pmctl', 'check', 'conf'], ['config.d', 'config.yaml']],
    ['a file for the master file', ['pmctl', '-c', 'config.y'], ['config.yaml']],
    ['directories only', ['pmctl', 'run', '--cwd', 'conf'], ['config.d']],
    ['commands of others', ['pmctl', 'run', '--name', 'x', '--', 'pmct'], ['pmctl']],
    ['commands to be helped with', ['pmctl', 'help', 'comp'], ['completion']],
  ])('%s', async (_title, line, expected) => {
    expect([...new Set(await offered(...line))]).toEqual(expected);
  });

  test('asks the daemon that the line means', async () => {
    const where = ['-c', '~/config.yaml'];
    const [home] = (await offered('pmctl', ...where, 'stop', 'w:')).map((word) => word.split(',')[1]);
    expect(home).toMatch(/^\/.*\/config\.yaml$/);
    expect(await offered('pmctl', '--sock', '/run/x', 'stop', 'w:')).toEqual([
      'w:--sock,/run/x,completion,services',
    ]);
  });
});

describe.skipIf(!existsSync('/usr/bin/zsh'))('zsh', () => {
  /** What the pmctl of the line is asked for names of services with, and what lies in the directory afterwards. */
  async function askedOn(...line: readonly string[]): Promise<{ asked: readonly string[]; made: boolean }> {
    const place = mkdtempSync(join(tmpdir(), 'completion-'));
    onTestFinished(() => rmSync(place, { recursive: true }));
    const ask = `compdef() { }
compadd() { }
_call_program() { shift; eval "$@" }
pmctl() { print -rl -- "$@" > asked }
${await script('zsh')}
_pmctl_line=("$@") words=()
_pmctl_services`;
    await execute('/usr/bin/zsh', ['-fc', ask, 'zsh', ...line], {
      cwd: place,
      env: { HOME: '/home of/ann' },
    });
    const asked = readFileSync(join(place, 'asked'), 'utf8').trimEnd().split('\n');
    return { asked, made: existsSync(join(place, 'made')) };
  }

  test.each<[string, string]>([
    ['/run/x', '/run/x'],
    ['~/x', '/home of/ann/x'],
    ["'/a b'/x", '/a b/x'],
    ['/a\\ b', '/a b'],
  ])('asks the daemon that the line means by %s', async (word, means) => {
    const { asked } = await askedOn('pmctl', '--sock', word, 'stop', '');
    expect(asked).toEqual(['--sock', means, 'completion', 'services']);
  });

  test.each(['$(touch made)', '`touch made`', '"$(touch made)"', '$[x[$(touch made)]]'])(
    'a line that is only written runs nothing: %s',
    async (word) => {
      expect((await askedOn('pmctl', '--sock', word, 'stop', '')).made).toBe(false);
    },
  );
});

describe('zsh and fish', () => {
  test.each(['zsh', 'fish'])('%s is told every command, option and value', async (shell) => {
    const text = await script(shell);
    const { commands, options } = completionWords();
    for (const command of commands) {
      const own = text.split('\n').filter((line) => new RegExp(`\\b${command.name}\\b`).test(line));
      expect(own.join('\n')).toContain(command.name);
      for (const option of [...command.options, ...(command.name === 'help' ? options : [])]) {
        const written = option.names.map((name) => (shell === 'zsh' ? name : name.replace(/^-+/, '')));
        const lines = command.name === 'help' ? text : own.join('\n');
        for (const name of written) expect(lines).toContain(name);
        if (option.value?.is === 'choices') expect(lines).toContain(option.value.choices.join(' '));
      }
    }
  });

  test('quotes are closed, whatever a summary says', async () => {
    const odd = completionWords([
      {
        name: 'odd',
        words: '[service|all...]',
        group: '',
        summary: "it's [odd]: \\o/",
        options: [{ flags: '-o, --odd <file>', summary: "don't: [x]" }],
        load: async () => async () => 'fine',
      },
    ]);
    const { zshCompletion } = await import('../../src/cli/completion-zsh.ts');
    const { fishCompletion } = await import('../../src/cli/completion-fish.ts');
    expect(zshCompletion(odd)).toContain("'odd:it'\\''s [odd]: \\o/'");
    expect(zshCompletion(odd)).toContain("'(-o --odd)--odd[don'\\''t: \\[x\\]]:files:_files'");
    expect(fishCompletion(odd)).toContain("-a odd -d 'it\\'s [odd]: \\\\o/'");
    expect(fishCompletion(odd)).toContain("-s o -l odd -r -F -d 'don\\'t: [x]'");
  });
});

describe('the names of services', () => {
  test('come from the daemon', async () => {
    const daemon = await fakeDaemon({
      'GET /api/status': statusView([serviceView('nap'), serviceView('web')]),
    });
    expect(await run(daemon, 'completion services')).toEqual({ exit: 0, out: 'nap\nweb\n', err: '' });
  });

  test('are silently none without a daemon, and with one that does not answer', async () => {
    const nothing = { exit: 0, out: '', err: '' };
    expect(await run({ socket: '/nonexistent/sock' }, 'completion services')).toEqual(nothing);
    const stuck = await fakeDaemon({ 'GET /api/status': () => HANDLED });
    expect(await run(stuck, 'completion services')).toEqual(nothing);
    const terminal = fakeTerminal({ directory: '/' });
    expect(await runOn(terminal, stuck, '-c /nonexistent completion services')).toBe(0);
    expect(terminal.err()).toBe('');
  });
});

test('a shell that is not known is wrong usage', async () => {
  const { exit, err } = await run({ socket: '/nonexistent/sock' }, 'completion tcsh');
  expect(err).toBe('pmctl: no completion for "tcsh"; it is there for bash, zsh, fish\n');
  expect(exit).toBe(64);
});

describe('help', () => {
  test.each(COMMANDS.map(({ name }) => name))('of %s has an example that it would accept', async (name) => {
    const { exit, out } = await run({ socket: '/nonexistent/sock' }, `help ${name}`);
    expect(exit).toBe(0);
    const example = EXAMPLES[name];
    expect(out).toContain(`\nExample:\n  ${example?.line}\n      ${example?.does}\n`);
    const line = example?.line ?? '';
    expect(line).toMatch(new RegExp(`\\bpmctl ${name}\\b`));
    const options =
      COMMANDS.find((row) => row.name === name)
        ?.options.map(({ flags }) => flags)
        .join(' ') ?? '';
    const own = line.split(' -- ')[0]?.match(/(?<= )--?[a-z][a-z-]*/g) ?? [];
    for (const option of own) expect(`${options} -c --json`).toContain(option);
  });

  test('of one command is what -h prints', async () => {
    const daemon = { socket: '/nonexistent/sock' };
    expect((await run(daemon, 'help stop')).out).toBe((await run(daemon, 'stop -h')).out);
  });
});
