/**
 * Unpacks a ZIP archive: the Go module proxy serves nothing else, and a bare Debian has no unzip.
 *
 *   [local header][name][extra][data] …  [central header][name][extra][comment] …  [end record]
 *
 * Sizes and offsets are read from the central directory. No ZIP64, no encryption: a proxy makes neither.
 */
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { inflateRawSync } from 'node:zlib';

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const END_BYTES = 22;
const STORED = 0;
const DEFLATED = 8;

/**
 * @param {string} archive
 * @param {string} dir
 * @param {{strip?: string, mode?: (path: string) => number | undefined}} [options] strip: a prefix that every name loses
 */
export async function unzip(archive, dir, options = {}) {
  const zip = await readFile(archive);
  for (const entry of entries(zip)) {
    if (entry.name.endsWith('/')) continue;
    const name = options.strip && entry.name.startsWith(options.strip) ? entry.name.slice(options.strip.length) : entry.name;
    const path = normalize(name);
    if (path.startsWith('..') || path.startsWith('/')) throw new Error(`${archive} holds a name that leads out of it`);
    const target = join(dir, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content(zip, entry));
    const mode = options.mode?.(path);
    if (mode !== undefined) await chmod(target, mode);
  }
}

function entries(zip) {
  let end = zip.length - END_BYTES;
  while (end >= 0 && zip.readUInt32LE(end) !== END) end -= 1;
  if (end < 0) throw new Error('not a ZIP archive');
  const count = zip.readUInt16LE(end + 10);
  const found = [];
  let at = zip.readUInt32LE(end + 16);
  for (let index = 0; index < count; index += 1) {
    if (zip.readUInt32LE(at) !== CENTRAL) throw new Error('broken ZIP directory');
    const [nameLength, extraLength, commentLength] = [zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30), zip.readUInt16LE(at + 32)];
    found.push({
      method: zip.readUInt16LE(at + 10),
      packedBytes: zip.readUInt32LE(at + 20),
      bytes: zip.readUInt32LE(at + 24),
      offset: zip.readUInt32LE(at + 42),
      name: zip.toString('utf8', at + 46, at + 46 + nameLength),
    });
    at += 46 + nameLength + extraLength + commentLength;
  }
  return found;
}

function content(zip, entry) {
  // The local header repeats the name, and its extra field may differ in length from the central one.
  const start = entry.offset + 30 + zip.readUInt16LE(entry.offset + 26) + zip.readUInt16LE(entry.offset + 28);
  const packed = zip.subarray(start, start + entry.packedBytes);
  if (entry.method !== STORED && entry.method !== DEFLATED) throw new Error(`${entry.name}: compression ${entry.method} is not known`);
  const data = entry.method === STORED ? packed : inflateRawSync(packed, { maxOutputLength: Math.max(entry.bytes, 1) });
  if (data.length !== entry.bytes) throw new Error(`${entry.name} is cut short`);
  return data;
}
