/** How are probes asked that need no process of their own? */
import fs from 'node:fs';
import type { ProbeResult } from '../model/probe.ts';
import { safeDetail } from '../model/probe.ts';
import type { Credentials } from '../model/spec.ts';
import { httpProbe, tcpProbe } from './net-probe.ts';
import { openLogForReading } from './safe-open.ts';
import type { Prober } from './world.ts';

/** A service that says more before it has started says it too late. Bytes. */
const LOG_LIMIT = 16 * 1024 * 1024;

/** Whoever says that it is ready says so early in its line; a pattern against a longer one may take forever. */
const LINE_LIMIT = 4096;

export function systemProber(): Prober {
  return {
    http: (question, timeout, done) => httpProbe({ ...question, timeout }, done),
    tcp: (question, timeout, done) => tcpProbe({ ...question, timeout }, done),
    log: matchLog,
    sizeOf: (fd) => fs.fstatSync(fd).size,
  };
}

function matchLog(path: string, credentials: Credentials | null, from: number, pattern: string): ProbeResult {
  const opened = openLogForReading(path, credentials);
  if ('code' in opened) return { ok: false, detail: safeDetail(opened.message), elapsed: 0 };
  try {
    const { size } = fs.fstatSync(opened.fd);
    const start = from <= size ? from : 0;
    const bytes = Buffer.alloc(Math.min(size - start, LOG_LIMIT));
    const length = fs.readSync(opened.fd, bytes, 0, bytes.length, start);
    // Exactly as the configuration tried it: with other flags the same text may be no pattern at all.
    const expression = new RegExp(pattern);
    const lines = bytes.toString('utf8', 0, length).split('\n');
    const line = lines.find((each) => expression.test(each.slice(0, LINE_LIMIT)));
    return line === undefined
      ? { ok: false, detail: `no line matches ${safeDetail(pattern)} yet`, elapsed: 0 }
      : { ok: true, detail: safeDetail(line), elapsed: 0 };
  } catch (error) {
    return { ok: false, detail: safeDetail(String(error)), elapsed: 0 };
  } finally {
    fs.closeSync(opened.fd);
  }
}
