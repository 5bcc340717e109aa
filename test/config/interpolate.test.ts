import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readParts } from '../../src/config/interpolate.ts';
import { isPerInstance, logPathOf } from '../../src/model/log-path.ts';
import { fillIn, writeTemplate } from '../../src/model/template.ts';
import { problemsOf, specOf, web } from './ground.ts';

const AROUND = { vars: { site: 'shop.example', dollar: '$' }, env: { HOST: 'h1', EMPTY: '' } };

function args(...texts: string[]): readonly string[] {
  const lines = texts.map((text) => `    - ${JSON.stringify(text)}`);
  return specOf(web('  args:', ...lines, 'port: 8080'), AROUND).process.args;
}

function problem(line: string): string {
  const problems = problemsOf(web(line), AROUND);
  expect(problems).toHaveLength(1);
  return (problems[0] ?? '').replace('config.d/web.yaml:', '');
}

test('what is known at load is filled in, what is known at start stays', () => {
  const texts = ['--name=${name}', '${port}', '${env:HOST}', '${vars.site}', '${env:EMPTY}', '${ name }'];
  expect(args(...texts)).toEqual(['--name=web', '8080', 'h1', 'shop.example', '', 'web']);
  expect(args('${name}-${instance}.${generation}')).toEqual(['web-${instance}.${generation}']);
});

test('$${ is left for the shell, and so are variables without braces', () => {
  const [command] = specOf("process: { command: 'echo $${HOME} $HOME' }\n").process.command.slice(2);
  expect(fillIn(command ?? '', { instance: 0, generation: 1 })).toBe('echo ${HOME} $HOME');
});

test('what a variable stands for is never read again', () => {
  const around = { vars: { evil: '${instance} ${env:HOST}' } };
  const [text] = specOf(web('  args: ["${vars.evil}"]'), around).process.args;
  expect(fillIn(text ?? '', { instance: 5, generation: 5 })).toBe('${instance} ${env:HOST}');
});

test('a value that ends in $ does not eat the variable behind it', () => {
  const [text] = args('${vars.dollar}${instance}');
  expect(fillIn(text ?? '', { instance: 5, generation: 6 })).toBe('$5');
});

describe('what is refused', () => {
  test.each([
    ['  args: ["${nme}"]', '3:10  process.args[0]: no variable ${nme}; did you mean ${name}?'],
    ['  args: ["${site}"]', '3:10  process.args[0]: no variable ${site}; did you mean ${vars.site}?'],
    ['  args: ["${vars.nosuch}"]', expect.stringContaining('no variable ${vars.nosuch}')],
    ['  args: ["${HOST}"]', expect.stringContaining('write ${env:HOST} for the daemon')],
    ['  args: ["${FOO:-x}"]', expect.stringContaining('write $${FOO:-x} to leave it to a shell')],
    ['  args: ["${env:NOSUCH}"]', expect.stringContaining('${env:NOSUCH} is not set')],
    ['  args: ["${port}"]', expect.stringContaining('give the service a port:')],
    ['  args: ["${name"]', expect.stringContaining('a ${ without its }')],
    ['  args: ["${constructor}"]', expect.stringContaining('no variable ${constructor}')],
    ['  args: ["${vars.constructor}"]', expect.stringContaining('no variable ${vars.constructor}')],
    ['  user: "u${instance}"', expect.stringContaining('${instance} is known only when a process starts')],
  ])('%s', (line, expected) => {
    expect(problem(line)).toEqual(expected);
  });
});

test('every text is filled in, wherever it stands', () => {
  const lines = [
    'description: "${name} of ${vars.site}"',
    'pid_file: "/run/${name}.pid"',
    'watch: { paths: ["${env:SRC}/src"], ignore: ["**/${vars.site}/**"] }',
    'resources: { max_memory: "${vars.mem}" }',
  ];
  const spec = specOf(web(...lines), { vars: { ...AROUND.vars, mem: '64M' }, env: { SRC: '/srv' } });
  expect(spec).toMatchObject({
    description: 'web of shop.example',
    pid_file: '/run/web.pid',
    watch: { paths: ['/srv/src'], ignore: expect.arrayContaining(['**/shop.example/**']) },
    resources: { max_memory: 64 * 1024 * 1024 },
  });
  expect(problem('watch: ["${nosuch}"]')).toContain('no variable ${nosuch}');
  expect(problem('pid_file: "/run/${instance}"')).toContain('known only when a process starts');
});

test('of the value of a variable nothing is quoted that may be a part of a password', () => {
  const said = problem('  env: { PW: "pa${s3cret}x" }');
  expect(said).toBe(
    '3:14  process.env.PW: no variable has the name in ${…}; write $${ for the characters ${',
  );
  expect(problem('  env: { PW: "${vars.typo}" }')).toContain('no variable ${vars.typo}');
  expect(problem('  env: { PW: "${nme}" }')).toContain('did you mean ${name}?');
});

test('units are read after variables', () => {
  expect(specOf(web('  stop_grace: "${vars.g}"'), { vars: { g: '7s' } }).process.stop_grace).toBe(7000);
});

test('any text comes out as a person would read it, whatever the values hold', () => {
  const awkward = fc.string({ unit: fc.constantFrom('$', '{', '}', 'name', 'a') });
  const piece = fc.constantFrom('${name}', '${vars.v}', '${instance}', '$${', 'text', '{', '}', ' ');
  fc.assert(
    fc.property(fc.array(piece), awkward, (pieces, v) => {
      const read = readParts(pieces.join(''), { name: 'web', port: null, env: {}, vars: { v } });
      if ('says' in read) throw new Error(read.says);
      const meant = pieces.map((each) => {
        return (
          new Map(Object.entries({ '${name}': 'web', '${vars.v}': v, '${instance}': '3', '$${': '${' })).get(
            each,
          ) ?? each
        );
      });
      expect(fillIn(writeTemplate(read.parts), { instance: 3, generation: 0 })).toBe(meant.join(''));
    }),
  );
});

describe('the names of logs', () => {
  test('may tell the service and the instance', () => {
    const { logs } = specOf(
      web('logs:', '  stdout: /var/log/${name}-${instance}.log', '  stderr: ${vars.site}.err'),
      AROUND,
    );
    expect(logPathOf(logs.stdout, 3)).toBe('/var/log/web-3.log');
    expect(logPathOf(logs.stderr, 3)).toBe('/etc/pm/config.d/shop.example.err');
    expect([isPerInstance(logs.stdout), isPerInstance(logs.stderr)]).toEqual([true, false]);
  });

  test.each(['generation', 'port'])('cannot tell the %s: a log outlives it', (variable) => {
    const said = problemsOf(web('port: auto', `logs: { stdout: "a-\${${variable}}.log" }`), AROUND);
    expect(said).toEqual([expect.stringContaining(`\${${variable}} cannot name a log file`)]);
  });

  test('only stdout and stderr belong to an instance', () => {
    expect(problem('logs: { hints: ["a-${instance}.log"] }')).toContain('known only when a process starts');
  });
});
