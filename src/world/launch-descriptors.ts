/** Under which numbers does the launcher of a process hold what the daemon opened for it? */

export interface LauncherDescriptors {
  /** The log for errors: a launcher with an ear has that as its own stderr. */
  readonly stderr: number;
  /** The `cgroup.procs` to join. */
  readonly cgroup: number;
  /** The file in which a shell that stays writes how the program ended. */
  readonly record: number;
  /** Where that shell keeps what was its stderr, while the record is that: the ear of the daemon, or the log for errors. */
  readonly ear: number;
}

/**
 * The lowest numbers after the standard ones, so that each is a single digit: dash knows no others in a redirection.
 * @param quiet the launcher has no ear, so that its stderr is the log from the beginning
 * @param taken a descriptor that the program itself wants to have
 */
export function launcherDescriptors(quiet: boolean, taken: number | undefined): LauncherDescriptors {
  const [first, second, third, fourth] = [3, 4, 5, 6, 7].filter((fd) => fd !== taken);
  if (first === undefined || second === undefined || third === undefined || fourth === undefined)
    throw new Error('four of five numbers are free');
  return quiet
    ? { stderr: 2, cgroup: first, record: second, ear: third }
    : { stderr: first, cgroup: second, record: third, ear: fourth };
}
