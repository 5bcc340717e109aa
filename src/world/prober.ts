/** How are probes asked that need no process of their own? */
import fs from 'node:fs';
import type { ProbeResult } from '../model/probe.ts';
import { safeDetail } from '../model/probe.ts';
import type { Problem } from '../model/problem.ts';
import type { Credentials } from '../model/spec.ts';
import { inWords, passing } from './errno.ts';
import { lineMatcher } from './line-matcher.ts';
import { httpProbe, tcpProbe } from './net-probe.ts';
import { openLogForReading } from './safe-open.ts';
import type { Prober } from './world.ts';

/** A service that says more before it has started says it too late. Bytes. */
const LOG_LIMIT = 16 * 1024 * 1024;

/** For all lines of one look. Milliseconds. */
const PATIENCE = 250;

export function systemProber(): Prober {
  return {
    http: (question, timeout, done) => httpProbe({ timeout, ...question }, done),
    tcp: (question, timeout, done) => tcpProbe({ timeout, ...question }, done),
    log: matchLog,
    sizeOf,
  };
}

function sizeOf(fd: number): number | Problem {
  try {
    return fs.fstatSync(fd).size;
  } catch (error) {
    const message = `how long the log is cannot be seen: ${inWords(error)}`;
    return { code: 'log-unwritable', severity: 'error', message, ...passing(error) };
  }
}

function matchLog(path: string, credentials: Credentials | null, from: number, pattern: string): ProbeResult {
  const opened = openLogForReading(path, credentials);
  if ('code' in opened) {
    const { message, passing: isPassing } = opened;
    return { ok: false, detail: safeDetail(message), elapsed: 0, ...(isPassing ? { passing: true } : {}) };
  }
  try {
    const { size } = fs.fstatSync(opened.fd);
    const start = from <= size ? from : 0;
    const bytes = Buffer.alloc(Math.min(size - start, LOG_LIMIT));
    const length = fs.readSync(opened.fd, bytes, 0, bytes.length, start);
    // What is matched is chosen by the service, and everybody waits for the answer.
    const matcher = lineMatcher(pattern, PATIENCE);
    if ('refused' in matcher) return { ok: false, detail: safeDetail(matcher.refused), elapsed: 0 };
    const lines = bytes.toString('utf8', 0, length).split('\n');
    const answers = matcher.matches(lines);
    if (answers === undefined) {
      return { ok: false, detail: `the pattern ${safeDetail(pattern)} takes too long`, elapsed: 0 };
    }
    const line = lines[answers.indexOf(true)];
    return line === undefined
      ? { ok: false, detail: `no line matches ${safeDetail(pattern)} yet`, elapsed: 0 }
      : { ok: true, detail: safeDetail(line), elapsed: 0 };
  } catch (error) {
    return { ok: false, detail: safeDetail(inWords(error)), elapsed: 0, ...passing(error) };
  } finally {
    fs.closeSync(opened.fd);
  }
}
