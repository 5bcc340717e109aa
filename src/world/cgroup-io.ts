/** How much has a cgroup read from and written to block devices? */
import { readControl } from './cgroup-files.ts';

/**
 * The sum over all devices of io.stat: `8:0 rbytes=4096 wbytes=0 rios=1 …`, one device a line, a cgroup without any
 * traffic none (Documentation/admin-guide/cgroup-v2.rst, "IO Interface Files").
 * @returns null where the io controller is not enabled
 */
export function ioOf(cgroup: string): { readonly readBytes: number; readonly writtenBytes: number } | null {
  const text = readControl(cgroup, 'io.stat');
  return text === undefined
    ? null
    : { readBytes: sumOf(text, 'rbytes'), writtenBytes: sumOf(text, 'wbytes') };
}

function sumOf(text: string, key: string): number {
  const values = [...text.matchAll(new RegExp(`(?<=\\s)${key}=(\\d+)`, 'g'))];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}
