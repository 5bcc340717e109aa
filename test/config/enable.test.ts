import { describe, expect, it } from 'vitest';
import { setEnabled, withEnabled } from '../../src/config/enable.ts';
import type { FileStatus, Replacement } from '../../src/world/world.ts';
import { TwinFiles } from '../twins/files.ts';

const FILE = '/etc/pm/config.d/web.yaml';
const TEXT = '# the shop\nprocess: { command: sleep 1 } # for long\n';

/** Files of somebody else, who sees what they are replaced with. */
class TheirFiles extends TwinFiles {
  readonly replacements: Replacement[] = [];

  override status(path: string): FileStatus | { readonly failed: string } {
    const status = super.status(path);
    return 'failed' in status ? status : { ...status, uid: 1000, gid: 1001 };
  }

  override replace(
    path: string,
    text: string,
    options: Replacement,
  ): { readonly failed: string } | undefined {
    this.replacements.push(options);
    return super.replace(path, text, options);
  }
}

function place(files: TwinFiles, defaults: Readonly<Record<string, unknown>> = {}) {
  return { files, cwd: '/etc/pm', settings: { service_defaults: defaults } };
}

describe('the text of a file', () => {
  it.each([
    ['enabled: false\nname: web\n', true, 'enabled: true\nname: web\n'],
    ['name: web # x\nenabled:   false # y\n', true, 'name: web # x\nenabled:   true # y\n'],
    ['# x\nname: web\n', false, '# x\nenabled: false\nname: web\n'],
    ['# x\r\nname: web\r\n', false, '# x\r\nenabled: false\r\nname: web\r\n'],
    ['enabled: true\r\nname: web\r\n', false, 'enabled: false\r\nname: web\r\n'],
    ['name: web', false, 'enabled: false\nname: web'],
    ['\uFEFFname: web\n', false, '\uFEFFenabled: false\nname: web\n'],
    ['\uFEFFenabled: true\nname: web\n', false, '\uFEFFenabled: false\nname: web\n'],
  ])('%j gets the key, and nothing else changes', (text, enabled, after) => {
    expect(withEnabled(text, enabled, true)).toBe(after);
  });

  it.each([
    ['no key at all', 'name: web\n', true, true],
    ['no key in a flow mapping', '{ name: web }\n', true, true],
    ['no key, and off by default', 'name: web\n', false, false],
    ['the key already', 'name: web\nenabled: true\n', true, false],
    ['the key in another spelling', 'name: web\nenabled: True\n', true, true],
  ])('with %s stays to the letter when it says so already', (_, text, enabled, byDefault) => {
    expect(withEnabled(text, enabled, byDefault)).toBe(text);
  });

  it('says it against the default, whatever that is', () => {
    expect(withEnabled('name: web\n', true, false)).toBe('enabled: true\nname: web\n');
  });
});

describe('the file of a service', () => {
  it('is not touched when it says so already', () => {
    const files = new TwinFiles({ [FILE]: TEXT });
    expect(setEnabled('config.d/web.yaml', true, place(files))).toBe('same');
    expect(setEnabled('config.d/web.yaml', false, place(files, { enabled: false }))).toBe('same');
    expect(files.calls.filter((call) => call.startsWith('replace'))).toEqual([]);
  });

  it('keeps its mode and its owner', () => {
    const files = new TheirFiles();
    files.write(FILE, TEXT, 0o600);
    expect(setEnabled('config.d/web.yaml', false, place(files))).toBe('set');
    expect(files.text(FILE)).toBe(TEXT.replace('process', 'enabled: false\nprocess'));
    expect(files.replacements).toEqual([{ mode: 0o600, owner: { uid: 1000, gid: 1001 }, durable: true }]);
  });

  it('stays as it is when it cannot be left to its owner, and the words say so', () => {
    const files = new TheirFiles({ [FILE]: TEXT });
    files.fail('replace', FILE, 'EPERM');
    expect(setEnabled('config.d/web.yaml', false, place(files))).toMatchObject({
      message: expect.stringMatching(/belongs to uid 1000, gid 1001.*enabled: false.*by hand/),
    });
    expect(files.text(FILE)).toBe(TEXT);
  });

  it('that is a symbolic link is not edited, nor replaced by a copy', () => {
    const files = new TwinFiles({ '/etc/pm/real/web.yaml': TEXT });
    files.mkdir('/etc/pm/config.d');
    files.link(FILE, '../real/web.yaml');
    expect(setEnabled('config.d/web.yaml', false, place(files))).toMatchObject({
      message:
        'config.d/web.yaml is a symbolic link to ../real/web.yaml and is not edited; set enabled: false there',
    });
    expect(files.linkTarget(FILE)).toBe('../real/web.yaml');
    expect(files.text(FILE)).toBe(TEXT);
  });
});
