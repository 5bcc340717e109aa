/** What is in a compressed file, without ever having it as a whole? */
import type { Gunzip } from 'node:zlib';
import { late } from '../world/late-modules.ts';
import type { LogFile } from '../world/log-files.ts';
import { isFailure } from '../world/world.ts';

/** Compressed bytes at a time. */
const BLOCK = 65_536;

/** Bytes that come out at a time at most. */
const CHUNK = 262_144;

/**
 * The content of a gzip file of any number of members (RFC 1952, section 2.2), in order. What follows a broken place
 * is missing: `broken` is told why.
 */
export async function* inflated(
  file: LogFile,
  broken: (why: string) => void = () => undefined,
): AsyncGenerator<Uint8Array, void> {
  const gunzip = late.zlib.createGunzip({ chunkSize: CHUNK });
  void feed(file, gunzip);
  try {
    for await (const chunk of gunzip) yield chunk as Uint8Array;
  } catch (error) {
    broken(error instanceof Error ? error.message : String(error));
  } finally {
    gunzip.destroy();
  }
}

/** No further than the reader has come: a write is over when its output was taken. */
async function feed(file: LogFile, gunzip: Gunzip): Promise<void> {
  for (let position = 0; !gunzip.destroyed; ) {
    const bytes = file.read(position, BLOCK);
    if (isFailure(bytes)) {
      gunzip.destroy(new Error(bytes.failed));
      return;
    }
    if (bytes.length === 0) break;
    position += bytes.length;
    await new Promise<void>((resolve) => {
      gunzip.write(bytes, () => resolve());
    });
  }
  if (!gunzip.destroyed) gunzip.end();
}
