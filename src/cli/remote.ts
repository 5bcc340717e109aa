/** How is a daemon asked that listens over TCP, perhaps on another host? Loaded on demand: the socket needs none of it. */
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { resolve } from 'node:path';
import { isRefusal, type Refusal, refusal, wrongUsage } from './refusal.ts';
import type { Terminal } from './terminal.ts';

export interface Remote {
  /** As it is shown to people. */
  readonly url: string;
  readonly send: typeof request;
  readonly options: { readonly hostname: string; readonly port: string | number; readonly ca?: string };
  readonly headers: Readonly<Record<string, string>>;
  /** Before every path. */
  readonly prefix: string;
  /** @param code of the failed connection */
  trouble(code: string | undefined): Refusal;
}

export interface RemoteOptions {
  readonly tokenFile?: string;
  readonly caFile?: string;
  /** `--sock`: another way than this one. */
  readonly sock?: string;
  /** How whoever asks gives a token, in words; without it `--token-file`. */
  readonly tokenBy?: string;
}

/** The token comes from `--token-file`, else from PMCTL_TOKEN: what stands on a command line is seen by everybody. */
export function remoteAt(
  text: string,
  { tokenFile, caFile, sock, tokenBy = '--token-file' }: RemoteOptions,
  terminal: Terminal,
): Remote | Refusal {
  if (sock !== undefined) return wrongUsage('--sock and --url are two ways to the daemon: give one of them');
  const url = httpUrl(text);
  if (url === undefined) return wrongUsage(`${JSON.stringify(text)} is no URL like https://host:4480`);
  const token =
    tokenFile === undefined ? terminal.environment['PMCTL_TOKEN'] : textOf(tokenFile, 'the token', terminal);
  if (isRefusal(token)) return token;
  if (!token)
    return wrongUsage(`a daemon is asked over TCP with a token: set PMCTL_TOKEN, or give ${tokenBy}`);
  if (!/^[\w.~+/=-]+$/.test(token)) return wrongUsage('the token has characters that no token has');
  const ca = caFile === undefined ? undefined : textOf(caFile, 'the certificate', terminal);
  if (isRefusal(ca)) return ca;
  const secure = url.protocol === 'https:';
  return {
    url: url.origin,
    send: secure ? secureRequest : request,
    options: {
      // An IPv6 address stands in brackets in a URL, and without them everywhere else.
      hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port === '' ? (secure ? 443 : 80) : url.port,
      ...(ca === undefined ? {} : { ca }),
    },
    headers: { host: url.host, authorization: `Bearer ${token}` },
    prefix: url.pathname.replace(/\/+$/, ''),
    trouble: (code) => refusal('error', 'unreachable', `cannot reach ${url.origin}: ${reason(code)}`),
  };
}

function httpUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? url : undefined;
}

function textOf(file: string, what: string, { directory }: Terminal): string | Refusal {
  const path = resolve(directory, file);
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return refusal('error', 'file-unreadable', `cannot read ${what} in ${path}: ${code ?? String(error)}`);
  }
}

/** X509_verify_cert_error_string(3) by the names that Node gives its codes. */
function reason(code: string | undefined): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'nobody listens there';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'no host has that name';
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return 'nobody we know has signed its certificate; if it is yours, name it with --ca-file';
    case 'CERT_HAS_EXPIRED':
      return 'its certificate has expired';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'its certificate is for another name';
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
      return 'it does not speak TLS; write http:// if that is meant';
    default:
      return code ?? 'unknown error';
  }
}
