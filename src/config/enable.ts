/** How is `enabled:` set in a service file without touching anything else in it? */
import { resolve } from 'node:path';
import { isMap, isScalar, parseDocument } from 'yaml';
import type { Problem } from '../model/problem.ts';
import { type FileMaking, type Files, isFailure } from '../world/world.ts';
import { failureText } from './failure-text.ts';

export interface EnablePlace {
  readonly files: Files & FileMaking;
  /** Paths as shown to people start here. */
  readonly cwd: string;
  readonly settings: { readonly service_defaults: Readonly<Record<string, unknown>> };
}

/** A larger file is no service file. Bytes. */
const FILE_LIMIT = 1_048_576;

const MARK = '\uFEFF';

/**
 * Writes `enabled` into the file; its mode and owner stay as they are. A symbolic link is not followed: what it leads to
 * may belong to others, and may be swapped by them while root writes there.
 * @param file as shown to people
 * @returns `same`: the file says so already, and is not touched. A Problem: nothing was changed
 */
export function setEnabled(file: string, enabled: boolean, place: EnablePlace): 'set' | 'same' | Problem {
  const { files, cwd, settings } = place;
  const path = resolve(cwd, file);
  const byHand = `set enabled: ${enabled} in it by hand`;
  const text = files.read(path, FILE_LIMIT);
  if (isFailure(text)) return refuse(`${file} ${failureText(text)}`);
  const edited = withEnabled(text, enabled, settings.service_defaults['enabled'] ?? true);
  if (edited === text) return 'same';
  const target = files.linkTarget(path);
  if (isFailure(target)) return refuse(`${file} ${failureText(target)}`);
  if (target !== undefined) {
    return refuse(`${file} is a symbolic link to ${target} and is not edited; set enabled: ${enabled} there`);
  }
  if (edited === undefined) return refuse(`${file} cannot be edited safely; ${byHand}`);
  const status = files.status(path);
  if (isFailure(status)) return refuse(`${file} ${failureText(status)}`);
  const { mode, uid, gid } = status;
  const failure = files.replace(path, edited, { mode, owner: { uid, gid }, durable: true });
  if (failure === undefined) return 'set';
  if (failure.failed !== 'EPERM') return refuse(`${file} cannot be written (${failure.failed}); ${byHand}`);
  return refuse(
    `${file} belongs to uid ${uid}, gid ${gid}, and this daemon may not leave it theirs (EPERM); ${byHand}`,
  );
}

/**
 * The text with `enabled` set; comments, order and spelling of everything else stay as they are, and all of it where it
 * says so already.
 * @param byDefault what holds where the key is absent
 * @returns undefined when the text is no mapping that could be edited
 */
export function withEnabled(text: string, enabled: boolean, byDefault: unknown): string | undefined {
  // A byte order mark stands before the text, not in its first line.
  if (text.startsWith(MARK)) {
    const edited = withEnabled(text.slice(MARK.length), enabled, byDefault);
    return edited === undefined ? undefined : MARK + edited;
  }
  const document = parseDocument(text);
  if (document.errors.length > 0 || !isMap(document.contents)) return undefined;
  const { items, range, flow } = document.contents;
  for (const { key, value } of items) {
    if (!isScalar(key) || key.value !== 'enabled') continue;
    if (!isScalar(value) || !value.range) return undefined;
    if (value.value === enabled) return text;
    return `${text.slice(0, value.range[0])}${enabled}${text.slice(value.range[1])}`;
  }
  if (byDefault === enabled) return text;
  if (flow === true || !range) return undefined;
  const first = items[0]?.key;
  if (!isScalar(first) || !first.range) return undefined;
  const lineStart = text.lastIndexOf('\n', first.range[0] - 1) + 1;
  const indent = text.slice(lineStart, first.range[0]);
  if (indent.trim() !== '') return undefined;
  const [, lineEnd = '\n'] = /(\r?\n)/.exec(text.slice(lineStart)) ?? [];
  return `${text.slice(0, lineStart)}${indent}enabled: ${enabled}${lineEnd}${text.slice(lineStart)}`;
}

function refuse(message: string): Problem {
  return { code: 'file-unreadable', severity: 'error', message };
}
