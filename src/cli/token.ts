/** `token`: how do people and programs get access over TCP, and lose it? The file of the hashes is on this host. */
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { hashOf, isRole, isTokenName, parseTokens, ROLES, type Token, tokenLine } from '../api/tokens.ts';
import { loadSettings } from '../config/settings.ts';
import { sentence } from '../model/problem.ts';
import { systemFiles } from '../world/files.ts';
import { appendLine, newSecret, rewrite } from '../world/token-file.ts';
import { systemUsers } from '../world/users.ts';
import { isFailure } from '../world/world.ts';
import { type Call, printJson, printLines, type Run, refuse } from './call.ts';
import type { Exit } from './exit-codes.ts';
import { isRefusal, type Refusal, refusal, wrongUsage } from './refusal.ts';
import { table } from './table.ts';

/** As the daemon reads it. Bytes. */
const LARGEST = 256 * 1024;

export const token: Run = async (call) => {
  const [deed = '', name, ...more] = call.words;
  if (more.length > 0) return refuse(call, wrongUsage(`too many words: ${more.join(' ')}`));
  const run = runOf(deed, name);
  if (isRefusal(run)) return refuse(call, run);
  const file = tokenFile(call);
  return isRefusal(file) ? refuse(call, file) : run(call, file);
};

/** What the words ask for: found out before any file is looked at. */
function runOf(deed: string, name: string | undefined): ((call: Call, file: string) => Exit) | Refusal {
  if (deed === 'list') return name === undefined ? list : wrongUsage(`too many words: ${name}`);
  if (deed !== 'new' && deed !== 'revoke') return wrongUsage('write token new, list or revoke');
  if (name === undefined) return wrongUsage(`whose token? token ${deed} NAME`);
  return (call, file) => (deed === 'new' ? make : revoke)(call, file, name);
}

/** Printed once: nothing but its hash is kept. */
function make(call: Call, file: string, name: string): Exit {
  const { role = 'read' } = call.options;
  if (!isTokenName(name)) {
    return refuse(call, wrongUsage('a name has 1 to 58 letters, digits and . _ @ + -'));
  }
  if (!isRole(role)) return refuse(call, wrongUsage(`--role is one of ${ROLES.join(', ')}`));
  const known = read(file, { missing: '' });
  if (isRefusal(known)) return refuse(call, known);
  if (parseTokens(known).tokens.some((one) => one.name === name)) {
    const message = `${name} has a token already: pmctl token revoke ${name} takes it away`;
    return refuse(call, refusal('error', 'name_taken', message));
  }
  const secret = newSecret();
  const failure = appendLine(file, tokenLine({ name, role, hash: hashOf(secret) }));
  if (failure !== undefined) return refuse(call, unwritable(file, failure.failed));
  if (call.options.json) printJson(call, { name, role, token: secret, file });
  else printLines(call, [secret]);
  call.terminal.complain(`pmctl: the token of ${name} (${role}) is shown once; ${file} has its hash\n`);
  return 'fine';
}

function list(call: Call, file: string): Exit {
  const text = read(file, { missing: '' });
  if (isRefusal(text)) return refuse(call, text);
  const { tokens, wrong } = parseTokens(text);
  for (const { line, says } of wrong) call.terminal.complain(`pmctl: ${file}:${line}  ${says}\n`);
  if (call.options.json) {
    printJson(call, { tokens: tokens.map(({ name, role }) => ({ name, role })) });
    return 'fine';
  }
  const columns = ['NAME', 'ROLE'].map((title) => ({ title, align: 'left' as const }));
  const rows = tokens.map(({ name, role }: Token): { text: string }[] => [{ text: name }, { text: role }]);
  printLines(
    call,
    rows.length === 0
      ? [`${file} has no tokens`]
      : table(columns, rows, { width: null, paint: call.paint, header: true }),
  );
  return 'fine';
}

function revoke(call: Call, file: string, name: string): Exit {
  const text = read(file, {});
  if (isRefusal(text)) return refuse(call, text);
  const lines = text.split('\n');
  const left = lines.filter((line) => parseTokens(line).tokens[0]?.name !== name);
  if (left.length === lines.length) {
    return refuse(call, refusal('error', 'unknown_token', `${file} has no token of ${JSON.stringify(name)}`));
  }
  const failure = rewrite(file, left.join('\n'));
  if (failure !== undefined) return refuse(call, unwritable(file, failure.failed));
  if (call.options.json) printJson(call, { revoked: name, file });
  else printLines(call, [`the token of ${name} opens nothing any more`]);
  return 'fine';
}

/** `--file`, or `api.tokens` of the master file. */
function tokenFile({ options, terminal }: Call): string | Refusal {
  if (options.file !== undefined) return resolve(terminal.directory, options.file);
  const loaded = loadSettings({
    ...(options.config === undefined ? {} : { file: options.config }),
    cwd: terminal.directory,
    env: terminal.environment,
    flags: {},
    files: systemFiles(),
    users: systemUsers(),
    hostname: hostname(),
  });
  if ('problems' in loaded) {
    const [first] = loaded.problems;
    return refusal('error', first?.code ?? 'value-invalid', first === undefined ? '' : sentence(first));
  }
  return (
    loaded.settings.api.tokens ?? wrongUsage('the master file names no api.tokens: name the file with --file')
  );
}

function read(file: string, { missing }: { readonly missing?: string }): string | Refusal {
  const text = systemFiles().read(file, LARGEST);
  if (!isFailure(text)) return text;
  if (text.failed === 'ENOENT' && missing !== undefined) return missing;
  return refusal('error', 'file-unreadable', `cannot read ${file}: ${text.failed}`);
}

function unwritable(file: string, code: string): Refusal {
  return refusal('error', 'file-unwritable', `cannot write ${file}: ${code}`);
}
