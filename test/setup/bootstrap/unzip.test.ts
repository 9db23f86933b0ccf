import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { unzip } from '../../../setup/bootstrap/unzip.mjs';

interface Entry {
  readonly name: string;
  readonly text: string;
  readonly deflated: boolean;
}

/** As the format says; the local header has an extra field that the central one lacks, as real archives do. */
function zipOf(entries: readonly Entry[]): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const { name, text, deflated } of entries) {
    const data = Buffer.from(text);
    const packed = deflated ? deflateRawSync(data) : data;
    const shared = (header: Buffer, at: number): void => {
      header.writeUInt16LE(deflated ? 8 : 0, at); // method
      header.writeUInt32LE(packed.length, at + 10);
      header.writeUInt32LE(data.length, at + 14);
      header.writeUInt16LE(name.length, at + 18);
    };
    const localHeader = Buffer.alloc(30);
    localHeader.writeUInt32LE(0x04034b50, 0);
    shared(localHeader, 8);
    localHeader.writeUInt16LE(4, 28); // length of the extra field
    const centralHeader = Buffer.alloc(46);
    centralHeader.writeUInt32LE(0x02014b50, 0);
    shared(centralHeader, 10);
    centralHeader.writeUInt32LE(offset, 42);
    local.push(localHeader, Buffer.from(name), Buffer.alloc(4), packed);
    central.push(centralHeader, Buffer.from(name));
    offset += 30 + name.length + 4 + packed.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...local, directory, end]);
}

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'holdfast-unzip-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

function archive(content: Buffer): string {
  const file = join(dir, 'archive.zip');
  writeFileSync(file, content);
  return file;
}

describe('unzip', () => {
  test('unpacks stored and deflated files, strips the prefix, sets modes', async () => {
    const go = 'golang.org/toolchain@v1/';
    const file = archive(
      zipOf([
        { name: `${go}bin/go`, text: 'program '.repeat(500), deflated: true },
        { name: `${go}VERSION`, text: 'go1.25', deflated: false },
      ]),
    );
    await unzip(file, join(dir, 'out'), { strip: go, mode: (path: string) => (path.startsWith('bin/') ? 0o755 : undefined) });
    expect(readFileSync(join(dir, 'out/bin/go'), 'utf8')).toBe('program '.repeat(500));
    expect(statSync(join(dir, 'out/bin/go')).mode & 0o777).toBe(0o755);
    expect(readFileSync(join(dir, 'out/VERSION'), 'utf8')).toBe('go1.25');
  });

  test('refuses a name that leads out of the directory', async () => {
    const file = archive(zipOf([{ name: '../outside', text: 'x', deflated: false }]));
    await expect(unzip(file, join(dir, 'out'))).rejects.toThrow('leads out of it');
  });

  test('refuses what is no archive, and one that was cut', async () => {
    await expect(unzip(archive(Buffer.from('<html>not found</html>')), join(dir, 'out'))).rejects.toThrow('not a ZIP archive');
    const whole = zipOf([{ name: 'a', text: 'text', deflated: true }]);
    await expect(unzip(archive(whole.subarray(0, whole.length - 10)), join(dir, 'out'))).rejects.toThrow('not a ZIP archive');
  });
});
