/** Which open files did this daemon inherit, and may not hand on? */
import fs from 'node:fs';

/** O_CLOEXEC as /proc/<pid>/fdinfo shows it (open(2), proc_pid_fdinfo(5)): the same on x86 and arm64. */
const CLOSE_ON_EXEC = 0o2000000;

/**
 * Closes what whoever started us left open beyond the three standard descriptors: every service would inherit it, and
 * keep a lock or a pipe of a stranger alive for months. What node opened itself is marked close-on-exec and stays.
 */
export function closeInheritedDescriptors(): void {
  for (const fd of inheritedDescriptors()) fs.closeSync(fd);
}

/** Descriptors above 2 that a program executed by us would inherit. */
export function inheritedDescriptors(): readonly number[] {
  return fs
    .readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => fd > 2 && isHandedOn(fd));
}

function isHandedOn(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch {
    // The descriptor of the listing itself is closed by now.
    return false;
  }
}
