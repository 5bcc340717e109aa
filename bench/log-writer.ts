/** Who writes the logs that are measured? A program of numbered lines that looks at the clock between its writes. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';

/** Bytes of a line with its end; the lines are those of test/e2e/numbered-lines.ts. */
export const LINE = 100;

/** Bytes between two rotations, and so the length of a stretch. */
export const STRETCH = 10_000_000;

export interface WriterOrder {
  /** Bytes for each call of write(2). 100: each line by itself; else lines end anywhere in it. */
  readonly write: number;
  /** Bytes altogether, at most; whole lines. */
  readonly total: number;
  /** What it looks for after each write, and ends after so many of them; null: it does not look, and is faster. */
  readonly looks: {
    /** A file that was emptied, or, for comparison, so many bytes as are between two rotations. */
    readonly for: 'rotations' | 'stretches';
    readonly count: number;
  } | null;
  /** Where it tells what it saw. */
  readonly result: string;
  /** A service that ended would be started again. */
  readonly afterwards: 'stay' | 'exit';
}

/** What the writer itself saw; times in milliseconds. */
export interface Written {
  readonly lines: number;
  readonly bytes: number;
  /** From the first write to the end of the last one. */
  readonly took: number;
  /** For each rotation or stretch: the longest time between the ends of two writes since the one before. */
  readonly gaps: readonly number[];
  /** For each of them: the time between the last two writes; for a rotation: just when the file was emptied. */
  readonly cuts: readonly number[];
}

const C_SOURCE = `
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#define LINE ${LINE}
#define STRETCH ${STRETCH}LL
static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}
static void line(char *to, long long number) {
  memcpy(to, "0 000000000000 ", 15);
  for (char *at = to + 13; number > 0; number /= 10) *at-- = '0' + number % 10;
  memset(to + 15, 'x', LINE - 16);
  to[LINE - 1] = '\\n';
}
/* stamps name write total (rotations|stretches|nothing) count result afterwards */
int main(int argc, char **argv) {
  if (argc != 9) return 64;
  int size = atoi(argv[3]), wanted = atoi(argv[6]), seen = 0, have = 0;
  int stretches = strcmp(argv[5], "stretches") == 0;
  long long total = atoll(argv[4]) / LINE * LINE, number = 0, bytes = 0;
  char *block = malloc(size + LINE), text[256];
  FILE *result = fopen(argv[7], "w");
  if (!result) return 1;
  int stamps = open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  int length = snprintf(text, sizeof text, "%s 0 v1 %d %lld alone\\n", argv[2], getpid(), now());
  if (write(stamps, text, length) != length) return 1;
  close(stamps);
  /* Whoever has started it is still busy with that. */
  usleep(500000);
  long long began = now(), before = began, longest = 0;
  off_t last = 0;
  while (bytes < total && (wanted == 0 || seen < wanted)) {
    while (have < size && bytes + have < total) {
      line(block + have, ++number);
      have += LINE;
    }
    int part = have < size ? have : size;
    for (int done = 0; done < part;) {
      ssize_t count = write(1, block + done, part - done);
      if (count < 0) return 1;
      done += count;
    }
    bytes += part;
    have -= part;
    memmove(block, block + part, have);
    if (wanted == 0) continue;
    long long at = now(), gap = at - before;
    before = at;
    if (gap > longest) longest = gap;
    struct stat file;
    fstat(1, &file);
    if (stretches ? file.st_size / STRETCH > last / STRETCH : file.st_size < last) {
      fprintf(result, "rotation %lld %lld\\n", longest, gap);
      longest = 0;
      seen++;
    }
    last = file.st_size;
  }
  if (have > 0 && write(1, block, have) == have) bytes += have;
  long long took = now() - began;
  fprintf(result, "done %lld %lld %lld\\n", number, bytes, took);
  fclose(result);
  if (strcmp(argv[8], "stay") == 0) for (;;) pause();
  return 0;
}
`;

/** Makes the program in this directory; throws where there is no C compiler. */
export function makeLogWriter(directory: string): string {
  const path = join(directory, 'log-writer');
  fs.writeFileSync(`${path}.c`, C_SOURCE);
  const { status, stderr } = spawnSync('cc', ['-O2', '-o', path, `${path}.c`], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`this bench needs a C compiler: ${stderr}`);
  return path;
}

/** The command line; `stamps` as in program.ts. */
export function writerCommand(
  program: string,
  stamps: string,
  name: string,
  { write, total, looks, result, afterwards }: WriterOrder,
): readonly string[] {
  const [what, count] = looks === null ? ['nothing', 0] : [looks.for, looks.count];
  return [program, stamps, name, String(write), String(total), what, String(count), result, afterwards];
}

/** undefined: it still writes. */
export function writtenOf(result: string): Written | undefined {
  const text = fs.existsSync(result) ? fs.readFileSync(result, 'utf8') : '';
  const done = /^done (\d+) (\d+) (\d+)$/m.exec(text);
  if (done === null) return undefined;
  const pauses = [...text.matchAll(/^rotation (\d+) (\d+)$/gm)];
  return {
    lines: Number(done[1]),
    bytes: Number(done[2]),
    took: Number(done[3]) / 1e6,
    gaps: pauses.map(([, longest]) => Number(longest) / 1e6),
    cuts: pauses.map(([, , gap]) => Number(gap) / 1e6),
  };
}
