/** Which number does the address of a request give? */
import type { FastifyRequest } from 'fastify';
import type { Refused } from '../model/units.ts';

/** @param fallback where the word is not given */
export function wholeNumber(request: FastifyRequest, word: string, fallback: number): number | Refused {
  const { [word]: text } = request.query as Readonly<Record<string, unknown>>;
  if (text === undefined) return fallback;
  if (typeof text === 'string' && /^\d{1,9}$/.test(text)) return Number(text);
  return { refused: `${word}: write a whole number` };
}
