/** What is asked of a run to learn whether it is well, and what was answered? */
import { fillIn, type StartValues } from './template.ts';

/** `startup` gates the other two, `readiness` takes the run out of rotation, `liveness` restarts it. */
export type ProbeKind = 'startup' | 'readiness' | 'liveness';

/** How one probe is asked; all durations are milliseconds. */
export interface ProbeSpec {
  readonly how: ProbeMeans;
  /** From the begin of one probe to the begin of the next. */
  readonly interval: number;
  /** A probe without an answer by then has failed. */
  readonly timeout: number;
  /** Failures in a row that make the verdict a bad one; at least 1. */
  readonly failure_threshold: number;
  /** Successes in a row that make it a good one; at least 1. */
  readonly success_threshold: number;
  /** From the start of the run to its first probe. */
  readonly initial_delay: number;
}

export type ProbeMeans =
  | { readonly http: HttpQuestion }
  | { readonly tcp: TcpQuestion }
  /** argv; exit code 0 is success. */
  | { readonly exec: readonly string[] }
  /** A regular expression that a line of the log must match; startup only. */
  | { readonly log: string }
  /** The number of the descriptor to which the run writes a newline; startup only. */
  | { readonly fd: number };

export interface HttpQuestion {
  /** http: or https:; it and the values of `headers` are templates until {@link askedOf}. */
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Status codes that are a success. */
  readonly status: readonly StatusRange[];
}

/** One status code, or all from `from` to `to`, both included. */
export type StatusRange = number | { readonly from: number; readonly to: number };

export interface TcpQuestion {
  readonly host: string;
  /** `auto`: the port that the run was given. */
  readonly port: number | 'auto';
}

/** {@link ProbeMeans} with nothing left to be filled in. */
export type ProbeAsked =
  | Exclude<ProbeMeans, { readonly tcp: TcpQuestion }>
  | { readonly tcp: { readonly host: string; readonly port: number } };

/**
 * What is asked of this very run.
 * @param values with a port where the definition says `port: auto`; without one, port 0 is asked, which nobody has
 */
export function askedOf(means: ProbeMeans, values: StartValues): ProbeAsked {
  if ('http' in means) {
    const { url, headers, ...rest } = means.http;
    const filled = Object.entries(headers).map(([name, value]) => [name, fillIn(value, values)] as const);
    return { http: { url: fillIn(url, values), headers: Object.fromEntries(filled), ...rest } };
  }
  if ('tcp' in means) {
    const { host, port } = means.tcp;
    return { tcp: { host: fillIn(host, values), port: port === 'auto' ? (values.port ?? 0) : port } };
  }
  if ('exec' in means) return { exec: means.exec.map((text) => fillIn(text, values)) };
  return means;
}

export type ProbeResult = ProbeSuccess | ProbeFailure;

export interface ProbeSuccess {
  readonly ok: true;
  /** For people: one line as {@link safeDetail} makes it, such as `200 in 3 ms`. */
  readonly detail: string;
  /** Milliseconds that it took. */
  readonly elapsed: number;
}

export interface ProbeFailure {
  readonly ok: false;
  readonly detail: string;
  readonly elapsed: number;
  /** The host was short of something, so that nobody could be asked: it says nothing about the run. */
  readonly passing?: true;
}

/** What is remembered about one kind of probe of one run: plain JSON. Times are milliseconds since 1970. */
export interface ProbeMemory {
  readonly last: { readonly ok: boolean; readonly detail: string; readonly at: number } | null;
  /** In a row, up to now; one of the two is 0. */
  readonly successes: number;
  readonly failures: number;
  /**
   * Since when its verdict is good: set by `success_threshold` successes in a row, taken back by
   * `failure_threshold` failures in a row.
   */
  readonly passed: number | null;
  /** When the latest probe began. */
  readonly asked: number | null;
  /** How many ever succeeded and failed, over every daemon that watched the run. */
  readonly total: { readonly ok: number; readonly failed: number };
}

export const NO_PROBE: ProbeMemory = {
  last: null,
  successes: 0,
  failures: 0,
  passed: null,
  asked: null,
  total: { ok: 0, failed: 0 },
};

/** Characters in a detail, at most. */
export const DETAIL_LENGTH = 200;

/**
 * What a stranger said, as one line that is safe in a terminal and a log: runs of control, format and separator
 * characters become a blank, and the rest is cut to {@link DETAIL_LENGTH} characters.
 */
export function safeDetail(text: string): string {
  const line = text
    .slice(0, 8 * DETAIL_LENGTH)
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
  const characters = [...line];
  if (characters.length <= DETAIL_LENGTH) return line;
  return `${characters.slice(0, DETAIL_LENGTH - 3).join('')}...`;
}
