/** Which tokens are valid now? */
import { parseTokens, type Token } from '../api/tokens.ts';
import type { Problem } from '../model/problem.ts';
import { type Failure, type Files, isFailure, type Users } from '../world/world.ts';

export interface TokenBookTools {
  readonly files: Pick<Files, 'status' | 'read'>;
  readonly users: Pick<Users, 'self'>;
  readonly complain: (problem: Problem) => void;
}

/** Bytes: room for more tokens than count. */
const LARGEST = 256 * 1024;

const NOBODY: readonly Token[] = [];

/** A file that is being replaced is looked at again at once, so often at most. */
const LOOKS = 3;

/** Looks at the file for every request, which is one stat(2), and reads it when it has changed. */
export class TokenBook {
  readonly #path: string;
  readonly #tools: TokenBookTools;
  #version: string | undefined;
  #tokens = NOBODY;

  constructor(path: string, tools: TokenBookTools) {
    this.#path = path;
    this.#tools = tools;
  }

  /** None while the file cannot be trusted. */
  get tokens(): readonly Token[] {
    const status = this.#tools.files.status(this.#path);
    const version = isFailure(status) ? status.failed : status.version;
    if (version === this.#version) return this.#tokens;
    this.#version = version;
    this.#tokens = isFailure(status) ? this.#unusable(reason(status)) : this.#read(status);
    return this.#tokens;
  }

  #read(status: Exclude<ReturnType<Files['status']>, Failure>, looks = LOOKS): readonly Token[] {
    const { files, users } = this.#tools;
    if (status.kind !== 'file') return this.#unusable('is no regular file');
    if (status.uid !== 0 && status.uid !== users.self.uid) {
      return this.#unusable('belongs to somebody else than root and the user of the daemon');
    }
    // Who may write it lets himself in; hashes are of no use to who may read it, but of no use to him either.
    if ((status.mode & 0o022) !== 0) return this.#unusable('can be written by others; chmod go-w it');
    if ((status.mode & 0o004) !== 0)
      return this.#unusable('can be read by every user of the host; chmod o-r it');
    const text = files.read(this.#path, LARGEST);
    if (isFailure(text)) return this.#unusable(reason(text));
    const after = files.status(this.#path);
    if (isFailure(after) || after.version !== status.version) {
      // What was judged may not be what was read: a valid token is not refused for that.
      if (!isFailure(after) && looks > 1) return this.#read(after, looks - 1);
      this.#version = undefined;
      return NOBODY;
    }
    const { tokens, wrong } = parseTokens(text);
    for (const { line, says } of wrong) {
      const message = `${says}; that line gives nobody access`;
      this.#tools.complain({
        code: 'api-tokens-unusable',
        severity: 'error',
        message,
        file: this.#path,
        line,
      });
    }
    return tokens;
  }

  #unusable(says: string): readonly Token[] {
    const message = `${this.#path} ${says}: nobody is let in`;
    const hint = 'pmctl token new NAME makes a token';
    this.#tools.complain({ code: 'api-tokens-unusable', severity: 'error', message, hint });
    return NOBODY;
  }
}

function reason({ failed }: Failure): string {
  if (failed === 'ENOENT') return 'does not exist';
  return failed === 'EFBIG' ? `is larger than ${LARGEST} bytes` : `cannot be read (${failed})`;
}
