/** Which addresses belong to a name, without waiting for anybody where this host itself is meant? */
import type { LookupAddress } from 'node:dns';
import fs from 'node:fs';
import net from 'node:net';
import { late } from './late-modules.ts';

/** So long the files are believed, which hardly ever change; milliseconds. */
const BELIEVED_FOR = 10_000;

/**
 * As dns.lookup, which waits for one of the few threads that a slow disk or a dead name server may keep busy. `localhost`
 * is what hosts(5) says, in the order of getaddrinfo(3); where that says nothing, it is asked for like any other name.
 */
export const lookUp: net.LookupFunction = (name, options, done) => {
  const isOpen = options.family === undefined || options.family === 0;
  const own = name === 'localhost' && isOpen ? ownAddresses() : [];
  const [first] = own;
  if (first === undefined) {
    late.dns.lookup(name, options, done);
    return;
  }
  process.nextTick(() => {
    if (options.all === true) done(null, [...own]);
    else done(null, first.address, first.family);
  });
};

let known: { readonly addresses: readonly LookupAddress[]; readonly until: number } | undefined;

function ownAddresses(): readonly LookupAddress[] {
  const now = performance.now();
  if (known === undefined || known.until <= now) {
    const addresses = loopback(contentOf('/etc/hosts'), contentOf('/proc/net/if_inet6'));
    known = { addresses, until: now + BELIEVED_FOR };
  }
  return known.addresses;
}

/**
 * @param hosts what hosts(5) says
 * @param interfaces the IPv6 addresses of this host, as /proc/net/if_inet6 lists them
 * @returns the addresses of `localhost`, those of IPv6 first (RFC 6724), if this host has it
 */
export function loopback(hosts: string, interfaces: string): readonly LookupAddress[] {
  const found = hosts.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    return names.includes('localhost') ? [address] : [];
  });
  const addresses = [...new Set(found)].map((address) => ({ address, family: net.isIP(address) }));
  const hasIpv6 = interfaces.includes(`${'0'.repeat(31)}1 `);
  return [
    ...addresses.filter(({ family }) => family === 6 && hasIpv6),
    ...addresses.filter(({ family }) => family === 4),
  ];
}

function contentOf(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
