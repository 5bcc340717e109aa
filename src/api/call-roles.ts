/** Which role does each call take? */
import type { Verb } from './contract.ts';
import type { Role } from './tokens.ts';

/** Verbs that change what is desired, and so files or what stands for them. */
const OF_ADMINS: readonly Verb[] = ['enable', 'disable', 'scale'];

/** By method and route; everything else that is not a mere question takes an admin: also what is new. */
const CALLS: Readonly<Record<string, Role>> = {
  'POST /api/wait': 'read',
  'POST /api/processes/reload': 'operate',
  'POST /api/processes/:id/:verb': 'operate',
  'POST /api/update': 'operate',
  'POST /api/rollback': 'operate',
  'POST /api/resume': 'operate',
  'POST /api/command': 'operate',
};

/** Calls that stop services whose file is gone when they are told to prune. */
const PRUNING = ['/api/update', '/api/rollback', '/api/resume'];

/** The least role with which the call may be made at all, before its body has been read. */
export function leastRole(method: string, route: string | undefined): Role {
  // A service file may hold what its writer shows to nobody else.
  if (route === '/api/history/:id/:service') return 'admin';
  if (method === 'GET' || method === 'HEAD') return 'read';
  return CALLS[`${method} ${route ?? ''}`] ?? 'admin';
}

/** The role that this very request takes. */
export function roleOf(method: string, route: string | undefined, body: unknown): Role {
  const least = leastRole(method, route);
  if (typeof body !== 'object' || body === null) return least;
  const { verb, prune } = body as { readonly verb?: unknown; readonly prune?: unknown };
  if (PRUNING.some((one) => one === route) && prune === true) return 'admin';
  if (route === '/api/command' && OF_ADMINS.some((one) => one === verb)) return 'admin';
  return least;
}
