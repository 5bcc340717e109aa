/** By which names may a browser or program call this host, so that no foreign page speaks through it? */

export interface OwnPlace {
  /** What the server was told to listen at: a name or an address, IPv6 without brackets. */
  readonly host: string;
  /** The port that it listens at in fact. */
  readonly port: number;
  readonly scheme: 'http' | 'https';
  /** `name` for every port, or `name:port`; lower case. */
  readonly allowed: readonly string[];
}

/** Addresses that stand for every address of the host. */
const EVERY = ['0.0.0.0', '::'];

const LOCAL = ['localhost', '127.0.0.1', '::1'];

/**
 * A page of somebody else may make its own name point to this host and then ask as if from here (DNS rebinding): so
 * what the client calls us by must be a name of ours. An address is nobody's to point elsewhere: where every address is
 * listened at, each will do.
 * @param header the Host of the request (RFC 9110, 7.2)
 */
export function isOurHost(header: string | undefined, place: OwnPlace): boolean {
  const called = hostOf(header ?? '', place.scheme);
  if (called === undefined) return false;
  if (place.allowed.includes(called.name) || place.allowed.includes(`${called.name}:${called.port}`))
    return true;
  if (called.port !== place.port) return false;
  const bare = called.name.replace(/^\[(.*)\]$/, '$1');
  if (bare === place.host.toLowerCase() || LOCAL.includes(bare)) return true;
  return EVERY.includes(place.host) && (bare !== called.name || /^\d{1,3}(\.\d{1,3}){3}$/.test(bare));
}

/**
 * Browsers say where a page came from whenever it asks something of another place, or changes something (Fetch
 * Standard, 3.2); programs say nothing. Only pages of our own place, or of one that is allowed, may ask.
 */
export function isOurOrigin(header: string | undefined, place: OwnPlace): boolean {
  if (header === undefined) return true;
  const [, scheme, rest = ''] = /^(https?):\/\/([^/]*)$/.exec(header.toLowerCase()) ?? [];
  if (scheme === undefined) return false;
  const called = hostOf(rest, scheme === 'https' ? 'https' : 'http');
  if (called === undefined) return false;
  const named = `${called.name}:${called.port}`;
  if (place.allowed.includes(called.name) || place.allowed.includes(named)) return true;
  return scheme === place.scheme && isOurHost(named, place);
}

/** Lower case, IPv6 in brackets; the port that is meant where none is written (RFC 9110, 4.2). */
function hostOf(
  text: string,
  scheme: OwnPlace['scheme'],
): { readonly name: string; readonly port: number } | undefined {
  const [, name, port] = /^([^:[\]@/\s]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/i.exec(text) ?? [];
  if (name === undefined) return undefined;
  const usual = scheme === 'https' ? 443 : 80;
  return { name: name.toLowerCase().replace(/\.$/, ''), port: port === undefined ? usual : Number(port) };
}
