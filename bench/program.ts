/** What do the services of a bench run? A program whose first act is to write down when it runs, and whether alone. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';

/** One start of a program, as the program itself saw it. */
export interface Stamp {
  readonly service: string;
  readonly instance: number;
  /** The last argument: which version of its file the process was started with. */
  readonly version: string;
  readonly pid: number;
  /** CLOCK_MONOTONIC, milliseconds. */
  readonly at: number;
  /** False: another process of the same instance lived at that moment. */
  readonly alone: boolean;
}

export interface Program {
  readonly path: string;
  /** `C`: stamps to the nanosecond; `sh`: to 10 ms, where there is no C compiler. */
  readonly kind: 'C' | 'sh';
}

const C_SOURCE = `
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>
int main(int argc, char **argv) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (argc != 4) return 64;
  const char *instance = getenv("PROCESSMASTER_INSTANCE");
  if (!instance) instance = "0";
  char lock[512], line[256];
  snprintf(lock, sizeof lock, "%s.locks/%s.%s", argv[1], argv[2], instance);
  int alone = flock(open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600), LOCK_EX | LOCK_NB) == 0;
  int length = snprintf(line, sizeof line, "%s %s %s %d %lld %s\\n", argv[2], instance, argv[3], getpid(),
                        now.tv_sec * 1000000000LL + now.tv_nsec, alone ? "alone" : "double");
  int file = open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (write(file, line, length) != length) return 1;
  close(file);
  for (;;) pause();
}
`;

/** /proc/uptime counts hundredths of a second. */
const SH_SOURCE = `#!/bin/sh
read -r up _ < /proc/uptime
instance=\${PROCESSMASTER_INSTANCE:-0}
exec 9> "$1.locks/$2.$instance"
flock -n 9 && alone=alone || alone=double
echo "$2 $instance $3 $$ \${up%.*}\${up#*.}0000000 $alone" >> "$1"
exec sleep 2147483647
`;

/** Makes the program in this directory. Its arguments are the file for stamps, the service, and a version. */
export function makeProgram(directory: string): Program {
  const path = join(directory, 'stamp');
  fs.writeFileSync(`${path}.c`, C_SOURCE);
  if (spawnSync('cc', ['-O2', '-o', path, `${path}.c`]).status === 0) return { path, kind: 'C' };
  fs.writeFileSync(path, SH_SOURCE, { mode: 0o755 });
  return { path, kind: 'sh' };
}

/** The stamps that were made so far; reads only what came since the last call. */
export class Stamps {
  readonly file: string;
  readonly #all: Stamp[] = [];
  #read = 0;

  constructor(file: string) {
    this.file = file;
    fs.mkdirSync(`${file}.locks`);
    fs.writeFileSync(file, '');
  }

  /** In the order in which they were written. */
  all(): readonly Stamp[] {
    const { size } = fs.statSync(this.file);
    if (size === this.#read) return this.#all;
    const text = Buffer.alloc(size - this.#read);
    const fd = fs.openSync(this.file, 'r');
    fs.readSync(fd, text, 0, text.length, this.#read);
    fs.closeSync(fd);
    this.#read = size;
    for (const line of text.toString().trimEnd().split('\n')) this.#all.push(parse(line));
    return this.#all;
  }
}

/** Each line is written by one call that appends, so it is there as a whole or not at all. */
function parse(line: string): Stamp {
  const [service = '', instance, version = '', pid, nanoseconds, alone] = line.split(' ');
  return {
    service,
    instance: Number(instance),
    version,
    pid: Number(pid),
    at: Number(nanoseconds) / 1e6,
    alone: alone === 'alone',
  };
}

/** CLOCK_MONOTONIC, milliseconds: the clock of the stamps. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
