/** How is a service that was described on a command line written as a file? */
import { join, relative } from 'node:path';
import { Document, isCollection } from 'yaml';
import type { NewService } from '../model/new-service.ts';
import type { Settings } from '../model/settings.ts';

/** A command is written as one line up to this many characters, otherwise as one line for each word. */
const LONG_COMMAND = 90;

const HEAD = ` Written by pmctl run. It is yours now: edit it as you like, pmctl delete removes it.`;

/** Where the daemon itself writes. */
type OwnDirectories = Pick<Settings, 'config_directory' | 'state_directory'>;

/**
 * The YAML text of the file. Every text means itself: `${` is written so that nothing is substituted. Logs are kept
 * below the state directory: services that are started in one directory would write into each other's, and a service
 * that restarts when files change would see its own lines.
 */
export function newServiceText(service: NewService, settings: OwnDirectories): string {
  const { name, command, directory, instances, port, env, user, schedule, dev } = service;
  const logs = join(settings.state_directory, 'logs', name);
  const document = new Document({
    process: {
      command: command.map(literal),
      working_directory: literal(directory),
      ...(env === undefined || Object.keys(env).length === 0 ? {} : { env: literals(env) }),
      ...(user === undefined ? {} : { user: literal(user) }),
      ...(schedule === undefined ? {} : { schedule: literal(schedule) }),
    },
    ...(instances === undefined ? {} : { instances }),
    ...(port === undefined ? {} : { port }),
    ...(dev === true
      ? { watch: watchOf(directory, settings), restart_policy: { crash_on_start: 'wait_for_change' } }
      : {}),
    logs: { stdout: join(logs, 'stdout.log'), stderr: join(logs, 'stderr.log') },
  });
  const words = document.getIn(['process', 'command']);
  if (isCollection(words)) words.flow = fitsOneLine(command);
  document.commentBefore = HEAD;
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/**
 * The permission bits of the file: everybody may read what runs, unless a variable looks like a secret by its name or
 * holds the password of a URL.
 */
export function newServiceMode({ env = {} }: NewService): number {
  const secret = Object.entries(env).some(
    ([name, value]) => SECRET_NAME.test(name) || URL_PASSWORD.test(value),
  );
  return secret ? 0o600 : 0o644;
}

const SECRET_NAME = /pass(?:word|wd|phrase)?|pwd|secret|token|credential|auth|key/i;
const URL_PASSWORD = /:\/\/[^/@\s]*:[^/@\s]+@/;

/** What the daemon writes is no change of the service's files, wherever its directories lie. */
function watchOf(directory: string, { config_directory, state_directory }: OwnDirectories): object {
  const ignore = [config_directory, state_directory].filter((path) => {
    const way = relative(directory, path);
    return way !== '' && way !== '..' && !way.startsWith('../');
  });
  return { paths: ['.'], ...(ignore.length === 0 ? {} : { ignore }) };
}

function fitsOneLine(command: readonly string[]): boolean {
  const length = command.reduce((sum, word) => sum + word.length + 2, 0);
  return length <= LONG_COMMAND && !command.some((word) => word.includes('\n'));
}

function literals(values: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, literal(value)]));
}

function literal(text: string): string {
  return text.replaceAll('${', () => '$${');
}
