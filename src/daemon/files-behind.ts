/** Which files other than the service files count for what is desired? */
import type { DesiredState } from '../model/spec.ts';

/**
 * Those whose content counts: dotenv files and files of secrets, of what is followed and of what would be if they were
 * there and right.
 */
export function filesBehind(desired: DesiredState): ReadonlySet<string> {
  const paths = new Set(desired.named);
  for (const service of desired.services.values()) {
    if (service.kind !== 'defined') continue;
    for (const file of service.spec.process.env_files) paths.add(file.path);
    for (const value of Object.values(service.spec.process.env)) {
      if (typeof value === 'object' && value.secret.startsWith('/')) paths.add(value.secret);
    }
  }
  return paths;
}
