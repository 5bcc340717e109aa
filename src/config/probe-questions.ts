/** What exactly does a probe ask by HTTP or TCP, as it is written? */
import type { HttpQuestion, StatusRange, TcpQuestion } from '../model/probe.ts';
import { fillIn } from '../model/template.ts';
import type { CompleteService } from './generated/types.ts';

type WrittenProbe = NonNullable<CompleteService['probes']['readiness']>;
export type WrittenHttp = NonNullable<WrittenProbe['http']>;
export type WrittenTcp = NonNullable<WrittenProbe['tcp']>;

/** The port of the service. */
export type ServicePort = number | 'auto' | null;

/** `at`: the keys below that of the question. */
export interface QuestionRefused {
  readonly at: readonly (string | number)[];
  readonly says: string;
  readonly hint?: string;
}

const NO_PORT = 'give the service a port:, or name one here';

/** What stands for `${port}` while it is only looked whether the rest is right. */
const ANY = { instance: 0, generation: 1, port: 1 };

/** A path is asked for at 127.0.0.1, at the port of the service unless another is named. */
export function httpQuestion(written: WrittenHttp, service: ServicePort): HttpQuestion | QuestionRefused {
  const url = urlOf(written, service);
  if (typeof url !== 'string') return url;
  for (const [name, value] of Object.entries(written.headers)) {
    if (!/[^\t -~\u0080-\u00ff]/.test(value)) continue;
    return { at: ['headers', name], says: 'holds a character that no header can' };
  }
  const status: StatusRange[] = [];
  const list = Array.isArray(written.status) ? written.status : [written.status];
  for (const [index, text] of list.entries()) {
    const range = statusRange(String(text));
    if (range !== undefined) status.push(range);
    else {
      const at = Array.isArray(written.status) ? ['status', index] : ['status'];
      return { at, says: `${JSON.stringify(text)} is no status: write it like 204 or 200-399` };
    }
  }
  return { url, method: written.method.toUpperCase(), headers: { ...written.headers }, status };
}

/** `5432`, `host:5432`, `[::1]:5432`, or a map with `host` and `port`. */
export function tcpQuestion({ host, port }: WrittenTcp, service: ServicePort): TcpQuestion | QuestionRefused {
  if (port === undefined) {
    if (service === null) return { at: [], says: 'there is no port to connect to', hint: NO_PORT };
    return { host: host ?? '127.0.0.1', port: service };
  }
  const match = /^(?:(\[[^\]]+\]|[^:]+):)?([^:]*)$/.exec(port);
  const number = portOf(match?.[2] ?? '');
  if (number === undefined) {
    return { at: ['port'], says: `${JSON.stringify(port)} is neither a port from 1 to 65535 nor host:port` };
  }
  if (match?.[1] !== undefined && host !== undefined) {
    return { at: ['port'], says: `${JSON.stringify(port)} names a host, which host: does too` };
  }
  const named = match?.[1]?.replace(/^\[(.*)\]$/, '$1') ?? host ?? '127.0.0.1';
  return { host: named, port: number };
}

function urlOf({ url, path, port }: WrittenHttp, service: ServicePort): string | QuestionRefused {
  const text = path ?? url;
  if (text === undefined) return { at: [], says: 'says neither url: nor path:', hint: 'for example path: /' };
  if (path !== undefined && url !== undefined) {
    return { at: ['path'], says: 'url says already what to ask for', hint: 'keep one of them' };
  }
  const key = path === undefined ? 'url' : 'path';
  if (text.startsWith('/')) return urlOfPath(text, port, service);
  if (path !== undefined) {
    return {
      at: ['path'],
      says: `${JSON.stringify(path)} does not begin with /`,
      hint: 'or write it as url:',
    };
  }
  if (port !== undefined) {
    return { at: ['port'], says: 'goes with a path only', hint: 'write the port into the URL' };
  }
  const filled = fillIn(text, ANY);
  const isWeb = URL.canParse(filled) && /^https?:$/.test(new URL(filled).protocol);
  if (isWeb) return text;
  const says = `${JSON.stringify(text)} is no URL of http or https, nor a path`;
  return { at: [key], says, hint: 'write it like http://127.0.0.1:8080/health or /health' };
}

/** Both are templates already; what begins with a slash can follow `${port}`. */
function urlOfPath(path: string, port: string | undefined, service: ServicePort): string | QuestionRefused {
  const number = port === undefined ? service : portOf(port);
  if (number === undefined) {
    return { at: ['port'], says: `${JSON.stringify(port)} is no port from 1 to 65535` };
  }
  if (number === null) return { at: [], says: 'there is no port to ask at', hint: NO_PORT };
  return `http://127.0.0.1:${number === 'auto' ? '${port}' : number}${path}`;
}

function portOf(text: string): number | 'auto' | undefined {
  if (text === '${port}') return 'auto';
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return number >= 1 && number <= 65_535 ? number : undefined;
}

function statusRange(text: string): StatusRange | undefined {
  const match = /^([1-5]\d\d)(?:\s*-\s*([1-5]\d\d))?$/.exec(text.trim());
  if (match === null) return undefined;
  const [from, to] = [Number(match[1]), match[2] === undefined ? undefined : Number(match[2])];
  if (to === undefined) return from;
  return from <= to ? { from, to } : undefined;
}
