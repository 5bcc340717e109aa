/** Git as it is on every machine: by nobody's configuration, and everything was done by Col. */
import { execFileSync } from 'node:child_process';

const ENVIRONMENT = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_AUTHOR_NAME: 'Col',
  GIT_AUTHOR_EMAIL: 'col@example.org',
  GIT_COMMITTER_NAME: 'Col',
  GIT_COMMITTER_EMAIL: 'col@example.org',
};

/** Answers what it says; throws where it fails. */
export function git(directory: string, ...args: readonly string[]): string {
  const env = { ...process.env, ...ENVIRONMENT };
  return execFileSync('git', args, { cwd: directory, encoding: 'utf8', env, stdio: 'pipe' }).trim();
}

/** Everything that has changed; answers the commit. */
export function commitAll(directory: string, subject = 'some', ...how: readonly string[]): string {
  git(directory, 'add', '--all');
  git(directory, 'commit', '--quiet', '-m', subject, ...how);
  return git(directory, 'rev-parse', 'HEAD');
}

/** A repository `remote.git`, and `colleague` that will push its branch main to it; answers the way to the latter. */
export function openRemote(ground: string): string {
  git(ground, 'init', '--quiet', '--bare', '--initial-branch=main', 'remote.git');
  git(ground, 'clone', '--quiet', 'remote.git', 'colleague');
  const colleague = `${ground}/colleague`;
  git(colleague, 'checkout', '--quiet', '-B', 'main');
  return colleague;
}
