/** Which rules does the source follow? Each rule answers with one sentence for each place that breaks it. */
import { lineAt, roomOf, type SourceFile } from './source-file.ts';

export type Rule = (files: readonly SourceFile[]) => readonly string[];

/** Which rooms each room may import, besides itself. Arrows point down only. */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  model: [],
  policy: ['model'],
  world: ['model'],
  config: ['model', 'policy', 'world'],
  reconcile: ['model', 'policy'],
  observe: ['model', 'world'],
  executor: ['model', 'world'],
  logs: ['model', 'policy', 'world'],
  api: ['model'],
  daemon: ['model', 'policy', 'world', 'config', 'reconcile', 'observe', 'executor', 'logs', 'api'],
  cli: ['model', 'api'],
  bin: ['model', 'cli', 'daemon', 'config', 'world'],
  library: ['model', 'api', 'cli', 'daemon', 'config', 'world'],
};

/** Files that are loaded on demand, never with the program, and may therefore import more than their room. */
export const ON_DEMAND: Readonly<Record<string, readonly string[]>> = {
  'cli/background-daemon.ts': ['config', 'world'],
  'cli/check.ts': ['config', 'world'],
  'cli/token.ts': ['config', 'world'],
  'cli/install-unit.ts': ['config', 'world'],
  'cli/follow-logs.ts': ['logs', 'world'],
  'cli/logs-by-files.ts': ['config', 'logs', 'world'],
  'cli/read-events.ts': ['config', 'world'],
  'cli/read-logs.ts': ['logs', 'world'],
};

/** Packages, and the rooms that may know them. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  ajv: ['config'],
  chokidar: ['world'],
  commander: ['cli', 'bin'],
  'cron-parser': ['policy'],
  'fast-json-patch': ['reconcile'],
  fastify: ['api'],
  pino: ['daemon'],
  'prom-client': ['api'],
  'pino-pretty': ['daemon'],
  yaml: ['config'],
};

/** Who may read the version of the package, or the schemas, into the program. */
export const JSON_READERS = [
  'bin/processmaster.ts',
  'cli/schema.ts',
  'cli/version.ts',
  'library/embedding.ts',
];

/** Modules of Node that touch nothing outside of the process: allowed everywhere but in the pure rooms. */
export const HARMLESS_MODULES = ['buffer', 'crypto', 'path', 'string_decoder', 'url', 'util', 'zlib'];

/** Rooms that only think. */
export const PURE_ROOMS = ['model', 'policy', 'reconcile'];

/** What only world/ may use: everything that makes two runs of the same code differ. */
export const BANS: Readonly<Record<string, RegExp>> = {
  'the clock': /\bDate\.now\b|\bnew Date\(\s*\)|(?<![.\w])Date\(\s*\)|(?<![.\w])performance\b/g,
  timers: /(?<![.\w])(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b/g,
  randomness: /\bMath\.random\b|\b(?:randomUUID|randomBytes|randomInt|getRandomValues)\b/g,
  'the process':
    /(?<![.\w])process\.(?:env|hrtime|exit|exitCode|abort|kill|on|once|argv|execPath|cwd|chdir|p?pid|get\w*id|set\w*id|std(?:in|out|err)|nextTick|uptime|memoryUsage|emitWarning|platform|arch)\b/g,
  'modules of Node by another door': /\bgetBuiltinModule\b/g,
  'the network': /(?<![.\w])fetch\s*\(/g,
  'the console': /(?<![.\w])console\b/g,
};

/** Who may do what is otherwise only for world/, and why. What nobody needs any more must leave this list. */
export const EXCEPTIONS: Readonly<Record<string, { readonly may: readonly string[]; readonly why: string }>> =
  {
    'bin/processmaster.ts': { may: ['the process'], why: 'argv, standard streams and the exit code' },
    'bin/pmctl.ts': { may: ['the process'], why: 'argv, standard streams and the exit code' },
    'cli/terminal.ts': {
      may: ['the process', 'the clock', 'timers', 'node:os', 'node:timers/promises'],
      why: 'the world of one command, handed to all others as a value',
    },
    'cli/socket-path.ts': {
      may: ['node:fs', 'node:os'],
      why: 'finds the socket without loading config/ and world/: pmctl must start fast',
    },
    'cli/http-over-socket.ts': { may: ['node:http'], why: 'the client side of the control socket' },
    'cli/remote.ts': {
      may: ['node:fs', 'node:http', 'node:https'],
      why: 'the client side of the API over TCP, with its token and certificate',
    },
    'cli/connection-trouble.ts': { may: ['node:fs'], why: 'tells why the socket does not answer' },
    'cli/background-daemon.ts': {
      may: ['node:fs', 'node:os'],
      why: 'looks whether the daemon is there, and tells its settings the host name',
    },
    'cli/token.ts': { may: ['node:os'], why: 'the host name, for the settings' },
    'cli/plan-file.ts': { may: ['node:fs'], why: 'a saved plan is a file of the person who saves it' },
    'cli/check.ts': { may: ['node:os'], why: 'the host name, for a check without a daemon' },
    'cli/install-unit.ts': { may: ['node:os'], why: 'the host name, which the settings are told' },
    'cli/logs-by-files.ts': { may: ['node:os'], why: 'the host name, for logs without a daemon' },
    'cli/read-events.ts': { may: ['node:os'], why: 'the host name, for events without a daemon' },
    'config/normalise.ts': {
      may: ['the process'],
      why: 'its `process` is the part of a service file with that name',
    },
  };

/** Names that say nothing about what is inside. */
export const EMPTY_NAMES = [
  'utils',
  'util',
  'helpers',
  'helper',
  'common',
  'misc',
  'types',
  'manager',
  'handler',
  'base',
];

/** More lines than this are more than one question. */
export const MOST_LINES = 350;

/** `policy/x.ts imports world/`. */
export const roomsImportDownwards: Rule = (files) =>
  eachImport(files, (file, { file: target, from }) => {
    if (target === undefined) return undefined;
    if (target.endsWith('.json'))
      return JSON_READERS.includes(file.path) ? undefined : `${file.path} imports ${from}`;
    if (!target.endsWith('.ts')) return `${file.path} imports ${from} without the ending .ts`;
    if (!files.some(({ path }) => path === target))
      return `${file.path} imports ${target}, which does not exist`;
    const [here, there] = [roomOf(file.path), roomOf(target)];
    if (here === there || here === '') return undefined;
    const allowed = ROOMS[here];
    if (allowed === undefined) return `${file.path} stands in ${here}/, which is not on the map`;
    const more = ON_DEMAND[file.path] ?? [];
    return allowed.includes(there) || more.includes(there) ? undefined : `${file.path} imports ${there}/`;
  });

export const onDemandFilesAreLoadedOnDemand: Rule = (files) =>
  eachImport(files, (file, { file: target, dynamic }) =>
    target !== undefined && target in ON_DEMAND && !dynamic
      ? `${file.path} imports ${target} at once and not on demand`
      : undefined,
  );

export const packagesStayInTheirRooms: Rule = (files) =>
  eachImport(files, (file, { file: target, from }) => {
    if (target !== undefined || from.startsWith('node:')) return undefined;
    const name = from
      .split('/')
      .slice(0, from.startsWith('@') ? 2 : 1)
      .join('/');
    const rooms = PACKAGES[name];
    if (rooms === undefined) return `${file.path} imports the package ${name}, which no room may know`;
    if (rooms.includes(roomOf(file.path))) return undefined;
    return `${file.path} imports the package ${name}, which only ${rooms.join('/, ')}/ may know`;
  });

export const onlyWorldTouchesTheOutside: Rule = (files) => {
  const used = new Set<string>();
  const allowed = (file: SourceFile, what: string): boolean => {
    if (EXCEPTIONS[file.path]?.may.includes(what) !== true) return false;
    used.add(`${file.path} ${what}`);
    return true;
  };
  const outside = files.filter(({ path }) => roomOf(path) !== 'world');
  const modules = eachImport(outside, (file, { from }) => {
    if (!from.startsWith('node:')) return undefined;
    const pure = PURE_ROOMS.includes(roomOf(file.path));
    if (!pure && HARMLESS_MODULES.includes(from.slice('node:'.length))) return undefined;
    return allowed(file, from) ? undefined : `${file.path} imports ${from}`;
  });
  const uses = outside.flatMap((file) =>
    Object.entries(BANS).flatMap(([what, pattern]) =>
      [...file.code.matchAll(pattern)].flatMap((match) =>
        allowed(file, what)
          ? []
          : [`${file.path}:${lineAt(file.code, match.index)} uses ${what}: ${match[0].trim()}`],
      ),
    ),
  );
  const stale = Object.entries(EXCEPTIONS).flatMap(([path, { may }]) =>
    files.some((file) => file.path === path)
      ? may
          .filter((what) => !used.has(`${path} ${what}`))
          .map((what) => `${path} needs no exception for ${what}`)
      : [],
  );
  return [...modules, ...uses, ...stale];
};

/** Node tries for ever where mkdir(2) answers ENOENT although the directory above is there: world/make-directories.ts. */
export const directoriesAreMadeLevelByLevel: Rule = (files) =>
  files.flatMap(({ path, code }) =>
    [...code.matchAll(/\bmkdir(?:Sync)?\([^;]*?\brecursive\b/g)].map(
      ({ index }) => `${path}:${lineAt(code, index)} leaves it to Node to make directories`,
    ),
  );

/** `a.ts imports b.ts imports a.ts`: a circle over imports of values and types alike, each told once. */
export const nothingImportsInACircle: Rule = (files) => {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      circles.push([...trail.slice(start), path].join(' imports '));
      return;
    }
    if (done.has(path)) return;
    for (const { file, dynamic } of byPath.get(path)?.imports ?? []) {
      // What is loaded on demand may use its caller: by then that is there.
      if (file !== undefined && !dynamic && byPath.has(file)) visit(file, [...trail, path]);
    }
    done.add(path);
  };
  for (const path of byPath.keys()) visit(path, []);
  return circles;
};

export const namesSayWhatIsInside: Rule = (files) =>
  written(files).flatMap(({ path }) => {
    const name = path.slice(path.lastIndexOf('/') + 1).replace(/\.ts$/, '');
    if (name === 'index' && path !== 'index.ts') return [`${path} is a barrel: import from the file itself`];
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) return [`${path} is not written in kebab-case`];
    const empty = name
      .split('-')
      .find((word) => EMPTY_NAMES.includes(word) && (word === name || word !== 'base'));
    return empty === undefined ? [] : [`${path} has a name that says nothing: ${empty}`];
  });

export const filesAreShort: Rule = (files) =>
  written(files).flatMap(({ path, text }) => {
    const lines = text.replace(/\n$/, '').split('\n').length;
    return lines > MOST_LINES ? [`${path} has ${lines} lines, more than ${MOST_LINES}`] : [];
  });

export const filesSayWhichQuestionTheyAnswer: Rule = (files) =>
  written(files).flatMap(({ path, text }) =>
    /^(?:#![^\n]*\n)?\/\*\*\s*\S/.test(text) ? [] : [`${path} does not begin with a doc comment`],
  );

export const nothingIsAny: Rule = (files) =>
  written(files).flatMap(({ path, code }) =>
    [...code.matchAll(/(?<![.\w$])any(?![\w$])/g)].map(
      ({ index }) => `${path}:${lineAt(code, index)} uses any`,
    ),
  );

export const nothingIsLeftToDo: Rule = (files) =>
  files.flatMap(({ path, text }) =>
    [...text.matchAll(/\b(?:TODO|FIXME|XXX)\b/g)].map(
      ({ 0: word, index }) => `${path}:${lineAt(text, index)} has a ${word}`,
    ),
  );

/**
 * Both ways: what is registered is used and documented in the same words, and nothing else is documented.
 * @param registry the sentence of each code
 */
export function problemCodesAreKept(
  registry: Readonly<Record<string, string>>,
  files: readonly SourceFile[],
  document: string,
): readonly string[] {
  const codes = Object.keys(registry);
  const source = files.filter(({ path }) => path !== 'model/problem.ts').map(({ text }) => text);
  const documented = [...document.matchAll(/^## `([^`]+)`$/gm)].map(([, code = '']) => code);
  return [
    ...codes
      .filter((code) => !source.some((text) => text.includes(`'${code}'`)))
      .map((code) => `nothing uses ${code}`),
    ...codes
      .filter((code) => !document.includes(`## \`${code}\`\n\n${registry[code]}\n`))
      .map((code) => `docs/problems.md does not say of ${code}: ${registry[code]}`),
    ...documented
      .filter((code, index) => !codes.includes(code) || documented.indexOf(code) !== index)
      .map((code) => `docs/problems.md has ${code}, which is not registered or is there twice`),
  ];
}

function eachImport(
  files: readonly SourceFile[],
  judge: (file: SourceFile, one: SourceFile['imports'][number]) => string | undefined,
): readonly string[] {
  return files.flatMap((file) => [...new Set(file.imports.flatMap((one) => judge(file, one) ?? []))]);
}

/** Files that people write. */
function written(files: readonly SourceFile[]): readonly SourceFile[] {
  return files.filter(({ path }) => !path.includes('/generated/'));
}
