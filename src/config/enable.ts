/** How is `enabled:` set in the text of a service file without touching anything else in it? */
import { isMap, isScalar, parseDocument } from 'yaml';

/**
 * The text with `enabled` set; comments, order and spelling of everything else stay as they are.
 * undefined when the text is no mapping that could be edited.
 */
export function withEnabled(text: string, enabled: boolean): string | undefined {
  const document = parseDocument(text);
  if (document.errors.length > 0 || !isMap(document.contents)) return undefined;
  const { items, range, flow } = document.contents;
  for (const { key, value } of items) {
    if (!isScalar(key) || key.value !== 'enabled') continue;
    if (!isScalar(value) || !value.range) return undefined;
    return `${text.slice(0, value.range[0])}${enabled}${text.slice(value.range[1])}`;
  }
  if (flow === true || !range) return undefined;
  const first = items[0]?.key;
  if (!isScalar(first) || !first.range) return undefined;
  const lineStart = text.lastIndexOf('\n', first.range[0] - 1) + 1;
  const indent = text.slice(lineStart, first.range[0]);
  if (indent.trim() !== '') return undefined;
  return `${text.slice(0, lineStart)}${indent}enabled: ${enabled}\n${text.slice(lineStart)}`;
}
