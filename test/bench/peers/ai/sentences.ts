/** The two spoken sentences as they go over the wire. */
import { readFileSync } from 'node:fs';
import { Resampler } from '../../../../src/media/audio/resampler.ts';
import { SENTENCE_BYTES } from './script.ts';

const FILE_RATE = 8_000;
const WIRE_RATE = 24_000;

function sentence(number: 1 | 2): Buffer {
  const file = readFileSync(new URL(`../audio/sentence-${number}.s16`, import.meta.url));
  const narrow = new Int16Array(file.length / 2);
  for (let i = 0; i < narrow.length; i++) narrow[i] = file.readInt16LE(i * 2);
  const wide = new Resampler(FILE_RATE, WIRE_RATE).process(narrow);
  const wire = Buffer.alloc(SENTENCE_BYTES[number]);
  Buffer.from(wide.buffer, wide.byteOffset, wide.byteLength).copy(wire);
  return wire;
}

export const sentences = { 1: sentence(1), 2: sentence(2) } as const;
