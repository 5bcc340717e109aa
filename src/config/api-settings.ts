/** Where may the API be reached over TCP, and is that safe enough to begin with? */
import type { Problem } from '../model/problem.ts';
import type { ApiSettings } from '../model/settings.ts';
import type { CompleteSettings } from './generated/types.ts';
import { type Origin, problemAt } from './raw-tree.ts';

type Written = CompleteSettings['api'];
type Place = NonNullable<ApiSettings['listen']>;

const LOOPBACK = '127.0.0.1';

/** What is written and has no {@link apiProblems}; anything else is as if it was not written. */
export function apiOf({ listen, tls, tokens, allowed_hosts, insecure }: Written): ApiSettings {
  return {
    listen: (listen === undefined ? undefined : placeOf(listen)) ?? null,
    tls: { cert: tls.cert ?? null, key: tls.key ?? null },
    tokens: tokens ?? null,
    allowed_hosts: allowed_hosts.map((host) => host.toLowerCase()),
    insecure,
  };
}

/** While nothing is listened at, nothing of the rest is judged. */
export function apiProblems(written: Written, origin: Origin): readonly Problem[] {
  const { listen, tls, tokens, allowed_hosts, insecure } = written;
  if (listen === undefined) return [];
  const at = ['api', 'listen'];
  const place = placeOf(listen);
  const problems: Problem[] = [];
  if (place === undefined) {
    const says = `${JSON.stringify(listen)} is neither host:port nor [address]:port nor a port from 0 to 65535`;
    problems.push(problemAt(origin, at, { code: 'value-invalid', says }));
  }
  if (tokens === undefined) {
    const says = 'without api.tokens anybody could command the services';
    const hint = 'name a file as api.tokens; pmctl token new makes it';
    problems.push(problemAt(origin, at, { code: 'api-unsafe', says, hint }));
  }
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    const [given, missing] = tls.cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    const says = `it is of no use without api.tls.${missing}`;
    problems.push(problemAt(origin, ['api', 'tls', given], { code: 'api-unsafe', says }));
  } else if (place !== undefined && tls.cert === undefined && !insecure && !isLoopback(place.host)) {
    const says = `other hosts reach ${place.host}, and without TLS whoever listens on the way reads the tokens`;
    const hint =
      'set api.tls.cert and api.tls.key, or api.insecure: true where the network itself is encrypted';
    problems.push(problemAt(origin, at, { code: 'api-unsafe', says, hint }));
  }
  for (const [index, host] of allowed_hosts.entries()) {
    if (HOST.test(host)) continue;
    const says = `${JSON.stringify(host)} is neither a name nor name:port`;
    problems.push(problemAt(origin, ['api', 'allowed_hosts', index], { code: 'value-invalid', says }));
  }
  return problems;
}

/** RFC 3986, 3.2.2, without what nobody calls a host by: a name, an IPv4 address, or an IPv6 address in brackets. */
const NAME = /[a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9_])?|\[[0-9a-f:.]{2,45}\]/;
const HOST = new RegExp(`^(${NAME.source})(:\\d{1,5})?$`, 'i');
const PLACE = new RegExp(`^(?:(${NAME.source}|\\*):)?(\\d{1,5})$`, 'i');

function placeOf(listen: string): Place | undefined {
  const [, host, , digits = ''] = PLACE.exec(listen.trim()) ?? [];
  const port = digits === '' ? Number.NaN : Number(digits);
  if (!(port <= 65_535)) return undefined;
  if (host === undefined) return { host: LOOPBACK, port };
  // Every address of both families; a host without IPv6 listens at those of IPv4 (listen(2) by Node).
  return { host: host === '*' ? '::' : host.replace(/^\[(.*)\]$/, '$1').toLowerCase(), port };
}

/** RFC 1122, 3.2.1.3: 127.0.0.0/8; RFC 4291, 2.5.3: ::1. A name counts only if it must be this host (RFC 6761, 6.3). */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
