/** How are probes asked that need no process of their own? */
import fs from 'node:fs';
import type { Problem } from '../model/problem.ts';
import { inWords, passing } from './errno.ts';
import { httpProbe, tcpProbe } from './net-probe.ts';
import type { Prober } from './world.ts';

export function systemProber(): Prober {
  return {
    http: (question, timeout, done) => httpProbe({ timeout, ...question }, done),
    tcp: (question, timeout, done) => tcpProbe({ timeout, ...question }, done),
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
