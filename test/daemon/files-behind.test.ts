import { describe, expect, it } from 'vitest';
import { filesBehind } from '../../src/daemon/files-behind.ts';
import { isSameReading } from '../../src/daemon/following.ts';
import { directoryOf, filesWith, web } from '../config/ground.ts';

const ENV = '/srv/app/app.env';
const TOKEN = '/srv/app/token';
const TEXT = web(`  env_files: [${ENV}]`, `  env: { TOKEN: { file: ${TOKEN} } }`);

describe('the files behind a directory', () => {
  it('are the dotenv files and the files of secrets that its services name', () => {
    const files = filesWith({ 'web.yaml': TEXT, 'other.yaml': web() });
    files.write(ENV, 'A=1\n');
    files.write(TOKEN, 'x', 0o600);
    expect(filesBehind(directoryOf(files).load())).toEqual(new Set([ENV, TOKEN]));
  });

  it('are those also of a service that was never good, because they are missing', () => {
    const state = directoryOf(filesWith({ 'web.yaml': TEXT })).load();
    expect([...state.services.values()].map(({ kind }) => kind)).toEqual(['broken']);
    expect(filesBehind(state)).toEqual(new Set([ENV, TOKEN]));
  });

  it('are those of a definition that cannot be followed, besides those of the last good one', () => {
    const files = filesWith({ 'web.yaml': web('  env_files: [/srv/app/old.env]') });
    files.write('/srv/app/old.env', 'A=1\n');
    const directory = directoryOf(files);
    const before = directory.load();
    files.write('/etc/pm/config.d/web.yaml', TEXT);
    const state = directory.load();
    expect(filesBehind(state)).toEqual(new Set(['/srv/app/old.env', ENV, TOKEN]));
    expect(isSameReading(state, before)).toBe(false);
  });

  it('stay the same while the directory cannot be read', () => {
    const files = filesWith({ 'web.yaml': TEXT });
    const directory = directoryOf(files);
    directory.load();
    files.fail('list', '/etc/pm/config.d', 'EIO');
    expect(filesBehind(directory.load())).toEqual(new Set([ENV, TOKEN]));
  });
});

it('another reading names the same services and problems, but other files: it is not the same', () => {
  const reading = { services: new Map(), problems: [], files: 1, readable: true };
  const named = (...paths: readonly string[]) => ({ ...reading, named: new Set(paths) });
  expect(isSameReading(named(ENV), named(ENV))).toBe(true);
  expect(isSameReading(named(ENV), named(TOKEN))).toBe(false);
  expect(isSameReading(named(), named(TOKEN))).toBe(false);
  expect(isSameReading(reading, reading)).toBe(true);
});
