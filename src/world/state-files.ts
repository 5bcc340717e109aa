/** Who may write into the state directory? Nobody whose place another daemon has taken. */
import type { Containment, Failure, Files } from './world.ts';

const TAKEN: Failure = { failed: 'EBUSY' };

/**
 * What a daemon remembers that has lost its place is not to overwrite what the other one knows.
 * @param stateDirectory absolute
 */
export function stateFiles(
  files: Files,
  stateDirectory: string,
  containment: Pick<Containment, 'keepPlace'>,
): Files {
  const isTaken = (path: string): boolean =>
    path.startsWith(`${stateDirectory}/`) && containment.keepPlace?.() !== undefined;
  return {
    ...files,
    replace: (path, text, options) => (isTaken(path) ? TAKEN : files.replace(path, text, options)),
    remove: (path) => (isTaken(path) ? TAKEN : files.remove(path)),
  };
}
