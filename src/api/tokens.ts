/** Whose is the token that a client shows, and how are tokens written down? */
import { createHash, timingSafeEqual } from 'node:crypto';

/** Each may do what the ones before it may. */
export const ROLES = ['read', 'operate', 'admin'] as const;

export type Role = (typeof ROLES)[number];

export interface Token {
  readonly name: string;
  readonly role: Role;
  /** SHA-256 of the token, 64 hexadecimal digits. */
  readonly hash: string;
}

/** A line that says nothing that could be followed. */
export interface WrongLine {
  /** 1-based. */
  readonly line: number;
  readonly says: string;
}

/** More than any host needs: each of them costs a comparison per request. */
export const MOST_TOKENS = 1000;

/** `token:` before it is still the name of an actor. */
const NAME = /^[\w.@+-]{1,58}$/;

/** A longer one is none of ours, and is not worth the time. */
const LONGEST = 1024;

/**
 * One token a line: `<name> <role> <hash>`, separated by blanks; empty lines and those that begin with `#` say nothing.
 * A line that cannot be followed gives nobody access; the others stay in force.
 */
export function parseTokens(text: string): {
  readonly tokens: readonly Token[];
  readonly wrong: readonly WrongLine[];
} {
  const tokens = new Map<string, Token>();
  const wrong: WrongLine[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const words = raw.split(/\s+/).filter((word) => word !== '');
    if (words.length === 0 || words[0]?.startsWith('#')) continue;
    const token = tokenOf(words);
    const says =
      typeof token === 'string'
        ? token
        : tokens.has(token.name)
          ? `${token.name} is there already`
          : tokens.size >= MOST_TOKENS
            ? `only the first ${MOST_TOKENS} tokens count`
            : undefined;
    if (says !== undefined) wrong.push({ line: index + 1, says });
    else if (typeof token === 'object') tokens.set(token.name, token);
  }
  return { tokens: [...tokens.values()], wrong };
}

/** The line of a token, with its newline. */
export function tokenLine({ name, role, hash }: Token): string {
  return `${name} ${role} ${hash}\n`;
}

export function isTokenName(name: string): boolean {
  return NAME.test(name);
}

export function isRole(word: string): word is Role {
  return ROLES.some((role) => role === word);
}

/** True when this role includes that of the other. */
export function includesRole(role: Role, wanted: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(wanted);
}

/**
 * What is kept of a token. Tokens are 256 random bits: there are no likely ones to try, so that a slow hash or a salt,
 * which protect passwords that people choose, would protect nothing here; one SHA-256 (FIPS 180-4) is as hard to invert
 * as the token is to guess.
 */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex');
}

/**
 * The same work for every answer: the hash of what is shown is compared with that of every token, each in constant
 * time, whichever of them fits.
 * @param shown what follows `Bearer` in the header; undefined: nothing was shown
 */
export function whoShows(shown: string | undefined, tokens: readonly Token[]): Token | undefined {
  const presented = Buffer.from(hashOf((shown ?? '').slice(0, LONGEST)), 'hex');
  let found: Token | undefined;
  for (const token of tokens) {
    if (timingSafeEqual(presented, Buffer.from(token.hash, 'hex'))) found = token;
  }
  return shown === undefined || shown.length > LONGEST ? undefined : found;
}

/** RFC 6750, 2.1. undefined: there is no bearer token in it. */
export function bearerOf(header: string | undefined): string | undefined {
  return /^Bearer +([\w.~+/-]+=*) *$/i.exec(header ?? '')?.[1];
}

function tokenOf([name = '', role = '', hash = '', ...more]: readonly string[]): Token | string {
  if (!isTokenName(name)) return 'it does not begin with a name of 1 to 58 letters, digits and . _ @ + -';
  if (!isRole(role)) return `the role of ${name} is none of ${ROLES.join(', ')}`;
  if (!/^[0-9a-f]{64}$/i.test(hash)) return `the hash of ${name} is no SHA-256 of 64 hexadecimal digits`;
  if (more.length > 0) return `there is more than name, role and hash in the line of ${name}`;
  return { name, role, hash: hash.toLowerCase() };
}
