/** What does the reference page of a file say? */

const PAGES = {
  service: {
    title: 'The service file: `config.d/<name>.yaml`',
    intro: `One file describes one service. Only \`process.command\` is required.

What a change of a key does to running processes:

- **live**: no process is touched;
- **roll**: new processes take over from the old ones;
- **replace**: the old processes stop, then new ones start.

In every value that is a text these are filled in: \`\${name}\`, \`\${instance}\` (0-based), \`\${port}\`, \`\${generation}\`,
\`\${env:VAR}\` (the daemon's environment) and \`\${vars.x}\` (\`vars:\` of the master file).
\`\${instance}\`, \`\${generation}\` and, with \`port: auto\`, \`\${port}\` are known only when a process starts: they may
stand in \`command\`, \`args\`, \`env\`, \`stop_command\`, \`reload_command\` and \`working_directory\`, in what a probe asks
by \`http\`, \`tcp\` or \`exec\`, and in the command of a hook; \`\${instance}\` may name the file in \`logs.stdout\`
and \`logs.stderr\` too. \`$\${\` is a literal \`\${\`; an unknown variable is an
error.`,
  },
  config: {
    title: 'The master file: `config.yaml`',
    intro: `Every key has a default, so the file itself is optional. The daemon takes the one that \`-c\` names, else
\`./config.yaml\` when there is one. It is read when the daemon starts: a change waits for a restart of the daemon,
which leaves the services running, and until then \`pmctl status\` tells of it.

The command line wins over the environment, the environment over the file, the file over the default. The variable of
a key is \`PROCESSMASTER_\` and the key in capitals, \`_\` for each dot: \`watch.settle\` is
\`PROCESSMASTER_WATCH_SETTLE\`. An empty variable counts as not set. \`service_defaults\` and \`vars\` come from the file
alone. Relative paths are relative to the master file, those of the command line and the environment to the
working directory of the daemon.`,
  },
};

const UNITS = `## How values are written

| kind | written as |
|---|---|
| duration | \`500ms\`, \`30s\`, \`5m\`, \`1h30m\`, \`2d\`. A bare number is an error. Each duration \`x\` may also be written \`x_ms\`: a whole number of milliseconds |
| size | bytes, or K, M, G, T and KiB, MiB, GiB, TiB (powers of 1024), KB, MB, GB, TB (powers of 1000) |
| cpu | \`1.5\` cores, \`500m\` (thousandths of a core), \`50%\` of a core |
| mode | octal digits: \`660\`, \`0660\`, \`"0660"\` and \`0o660\` are the same |
| instant | ISO 8601 with an offset from UTC: \`2030-01-01T00:00:00Z\`, \`2030-01-01T01:00+01:00\` |
| signal | \`SIGTERM\`, \`TERM\` or \`15\` |
| path | absolute, or relative to the directory of the file it stands in |

Files are YAML 1.2. Unknown keys, duplicate keys, custom tags and keys without a value are errors.`;

/** A whole page; ends with a newline. */
export function referencePage(name, facts) {
  const { title, intro } = PAGES[name];
  const keys = facts.filter((fact) => !fact.path.includes('*'));
  const groups = keys.filter((fact) => fact.group);
  const sections = [
    section('', 'Top level', undefined, keys),
    ...groups.map((group) => section(group.path, `\`${group.path}\``, group.description, keys)),
    ...keys.filter(isListOfMaps).map((list) => listSection(list, facts)),
  ];
  return `<!-- Generated from schemas/${name}.schema.json by scripts/generate.mjs. Do not edit. -->

# ${title}

${intro}

${UNITS}

${sections.join('\n\n')}
`;
}

/** Of two keys that exclude each other the sample of their section shows the second. */
const EITHER = [
  ['url', 'path'],
  ['reload_signal', 'reload_command'],
];

function section(path, heading, description, keys) {
  const members = keys.filter((fact) => {
    const dot = fact.path.lastIndexOf('.');
    return (dot < 0 ? '' : fact.path.slice(0, dot)) === path && (!fact.group || isOptional(fact));
  });
  const rows = members.map((fact) => row(fact, path));
  const own = keys.find((fact) => fact.path === path && members.some(isOptional) && isOptional(fact));
  const names = members.map((fact) => nameIn(path, fact));
  const isShown = (name) => !EITHER.some(([first, second]) => name === first && names.includes(second));
  const lines = members
    .filter((fact) => fact.example !== null && isShown(nameIn(path, fact)))
    .map((fact) => lastLine(fact.example));
  return `## ${heading}
${description === undefined ? '' : `\n${description}\n`}
| key | type | default | on change | meaning |
|---|---|---|---|---|
${rows.join('\n')}

\`\`\`yaml
${own === undefined ? above(path) + lines.join('\n') : own.example}
\`\`\``;
}

function isListOfMaps(fact) {
  return fact.type === 'list of maps';
}

/** The keys of each map in the list. */
function listSection(list, facts) {
  const path = `${list.path}.*`;
  const rows = facts.filter((fact) => fact.path.startsWith(`${path}.`)).map((fact) => row(fact, path));
  return `## Each of \`${list.path}\`

${list.description}

| key | type | default | on change | meaning |
|---|---|---|---|---|
${rows.join('\n')}

\`\`\`yaml
${list.example}
\`\`\``;
}

/** A map that is there only where it is written, with a section of its own. */
function isOptional(fact) {
  return fact.group && fact.default === 'none';
}

function row(fact, path) {
  const key = nameIn(path, fact);
  const value = fact.default === null ? 'required' : defaultCell(fact);
  const words = fact.values?.map((word) => `\`${word}\``).join(', ');
  const type = words === undefined ? fact.type : fact.type === 'list of words' ? `list of ${words}` : words;
  return `| ${[`\`${key}\``, type, value, fact.apply, fact.description].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

/** What a key is called in the map at a path. */
function nameIn(path, fact) {
  return path === '' ? fact.path : fact.path.slice(path.length + 1);
}

/** Words stay words; what could be typed is set as code. */
function defaultCell(fact) {
  const typed = fact.default.includes(' ') || fact.default.includes('`') || /^(none|the )/.test(fact.default);
  return typed ? fact.default : `\`${fact.default}\``;
}

function above(path) {
  if (path === '') return '';
  return path
    .split('.')
    .map((key, depth) => `${'  '.repeat(depth)}${key}:\n`)
    .join('');
}

function lastLine(example) {
  return example.slice(example.lastIndexOf('\n') + 1);
}
