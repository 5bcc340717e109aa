/**
 * Writes everything that follows from the schemas: the table of keys, the types and validators of the raw files, the
 * validators of requests, the defaults, and the reference pages; and the manual pages, which follow from the table of
 * commands as well. With --check nothing is written: stale files are named, exit code 1.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { imported } from './generate/imported.mjs';
import { defaultTree, keyFacts, optionalMaps } from './generate/keys.mjs';
import { manualPages } from './generate/man.mjs';
import { referencePage } from './generate/reference.mjs';
import { typesOf } from './generate/types.mjs';
import { bodyValidatorsOf, validatorsOf } from './generate/validators.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const service = schema('service');
const config = schema('config');

const header = '// Generated from schemas/ by scripts/generate.mjs. Do not edit.\n';
const bodiesHeader = '// Generated from src/api/request-schemas.ts by scripts/generate.mjs. Do not edit.\n';
const { BODIES } = await imported(root, `export { BODIES } from './src/api/request-schemas.ts';`);
const serviceKeys = keyFacts(service);
const settingKeys = keyFacts(config);

const files = {
  'src/model/generated/keys.ts': formatted(
    'keys.ts',
    `${header}import type { KeyFact } from '../key-fact.ts';

/** Every key of the service file. */
export const SERVICE_KEYS: readonly KeyFact[] = ${JSON.stringify(serviceKeys)};

/** Every key of the master file. */
export const SETTING_KEYS: readonly KeyFact[] = ${JSON.stringify(settingKeys)};
`,
  ),
  'src/config/generated/types.ts': header + (await typesOf(service, config)),
  'src/config/generated/validators.ts': `// @ts-nocheck\n${header}${validatorsOf(service, config)}`,
  'src/api/generated/bodies.ts': `// @ts-nocheck\n${bodiesHeader}${bodyValidatorsOf(BODIES)}`,
  'src/config/generated/defaults.ts': `${header}
/** The defaults of the service file, as they would be written in it. */
export const SERVICE_DEFAULTS: Readonly<Record<string, unknown>> = ${JSON.stringify(defaultTree(service), null, 2)};

/** The maps of the service file that are there only where they are written: their shorter form, their defaults. */
export const OPTIONAL_MAPS: readonly {
  readonly at: readonly string[];
  /** Anything but a map stands for a map with this key. */
  readonly short: string | null;
  readonly defaults: Readonly<Record<string, unknown>>;
}[] = ${JSON.stringify(optionalMaps(service), null, 2)};

/** The defaults of the master file, as they would be written in it. */
export const SETTING_DEFAULTS: Readonly<Record<string, unknown>> = ${JSON.stringify(defaultTree(config), null, 2)};
`,
  'docs/reference/service.md': referencePage('service', serviceKeys),
  'docs/reference/config.md': referencePage('config', settingKeys),
  ...(await manualPages(root, settingKeys)),
};

const stale = Object.entries(files).filter(([path, text]) => current(path) !== text);
if (process.argv.includes('--check')) {
  for (const [path] of stale) console.error(`${path} is stale: run npm run generate`);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  for (const [path, text] of stale) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    console.log(`wrote ${path}`);
  }
}

function schema(name) {
  return JSON.parse(readFileSync(join(root, 'schemas', `${name}.schema.json`), 'utf8'));
}

function current(path) {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return undefined;
  }
}

function formatted(name, text) {
  const biome = join(root, 'node_modules', '.bin', 'biome');
  const run = spawnSync(biome, ['format', `--stdin-file-path=${name}`], {
    cwd: root,
    input: text,
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`biome could not format ${name}: ${run.stderr}`);
  return run.stdout;
}
