import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ServiceDirectory } from '../../src/config/load.ts';
import { systemFiles } from '../../src/world/files.ts';
import { twinUsers } from '../twins/users.ts';
import { HOST, sentences, web } from './ground.ts';

function ground(): { readonly directory: ServiceDirectory; readonly path: string } {
  const top = mkdtempSync(join(tmpdir(), 'service-files-'));
  onTestFinished(() => rmSync(top, { recursive: true, force: true }));
  const path = join(top, 'config.d');
  mkdirSync(path);
  const settings = {
    file: null,
    config_directory: path,
    state_directory: join(top, 'state'),
    service_defaults: {},
    vars: {},
  };
  const input = { files: systemFiles(), users: twinUsers(), host: HOST, settings, environment: {}, cwd: top };
  return { directory: new ServiceDirectory(input), path };
}

test('a fifo named like a service file is told about, not waited for', () => {
  const { directory, path } = ground();
  writeFileSync(join(path, 'web.yaml'), web());
  expect(spawnSync('mkfifo', [join(path, 'pipe.yaml')]).status).toBe(0);
  mkdirSync(join(path, 'dir.yaml'));
  const state = directory.load();
  expect([...state.services.values()].map(({ name, kind }) => `${name}: ${kind}`)).toEqual([
    'dir: broken',
    'pipe: broken',
    'web: defined',
  ]);
  expect(sentences(state.problems)).toEqual([
    'config.d/dir.yaml  this file is a directory; a service file is a regular file',
    'config.d/pipe.yaml  this file is no regular file; a service file is a regular file',
  ]);
});

test('ten thousand services are read, and looked at again without reading', { timeout: 60_000 }, () => {
  const { directory, path } = ground();
  for (let index = 0; index < 10_000; index++) {
    writeFileSync(join(path, `s${index}.yaml`), web(`port: ${1 + index}`, 'instances: 2'));
  }
  const first = directory.load();
  expect(first).toMatchObject({ files: 10_000, problems: [], readable: true });
  expect(first.services.size).toBe(10_000);
  const second = directory.load();
  expect(second.services.get('s77' as never)).toBe(first.services.get('s77' as never));
});
