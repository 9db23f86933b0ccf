/**
 * RIFF/WAVE, the part of it that speech needs: 16-bit PCM, mono.
 *
 *   0  'RIFF' size 'WAVE'
 *  12  'fmt ' 16  format=1 channels=1 rate byteRate=rate*2 blockAlign=2 bits=16
 *  36  'data' size, then samples, little-endian
 */
export interface PcmAudio {
  readonly pcm: Int16Array;
  readonly sampleRate: number;
}

const HEADER_BYTES = 44;
/** Stands for "until the stream ends" in a header that is written before its audio exists. */
const UNKNOWN_BYTES = 0xffff_ffff - HEADER_BYTES;

/** The 44 bytes before the samples. Without `dataBytes` the length is left open, for a stream. */
export function wavHeader(sampleRate: number, dataBytes: number = UNKNOWN_BYTES): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(dataBytes + HEADER_BYTES - 8, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(sampleRate * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(dataBytes, 40);
  return header;
}

export function encodeWav({ pcm, sampleRate }: PcmAudio): Buffer<ArrayBuffer> {
  const data = Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength);
  return Buffer.concat([wavHeader(sampleRate, data.length), data]);
}

/** Reads any 16-bit PCM WAVE; several channels are averaged. @throws RangeError when it is something else. */
export function decodeWav(bytes: Buffer): PcmAudio {
  if (bytes.length < 12 || bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') {
    throw new RangeError('not a RIFF/WAVE file');
  }
  let format: { channels: number; sampleRate: number } | undefined;
  for (let at = 12; at + 8 <= bytes.length;) {
    const id = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    const body = bytes.subarray(at + 8, Math.min(at + 8 + size, bytes.length));
    if (id === 'fmt ') format = readFormat(body);
    if (id === 'data') {
      if (format === undefined) throw new RangeError('WAVE data before its format');
      return { pcm: toMono(body, format.channels), sampleRate: format.sampleRate };
    }
    at += 8 + size + (size & 1);
  }
  throw new RangeError('WAVE file without audio data');
}

function readFormat(body: Buffer): { channels: number; sampleRate: number } {
  const [pcm, extensible] = [1, 0xfffe];
  const tag = body.length >= 16 ? body.readUInt16LE(0) : 0;
  if ((tag !== pcm && tag !== extensible) || body.readUInt16LE(14) !== 16) throw new RangeError('only 16-bit PCM WAVE is supported');
  const channels = body.readUInt16LE(2);
  const sampleRate = body.readUInt32LE(4);
  if (channels < 1 || channels > 8 || sampleRate < 4_000 || sampleRate > 192_000) throw new RangeError('WAVE format out of range');
  return { channels, sampleRate };
}

function toMono(body: Buffer, channels: number): Int16Array {
  const frames = Math.floor(body.length / (2 * channels));
  const mono = new Int16Array(frames);
  for (let frame = 0; frame < frames; frame++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += body.readInt16LE((frame * channels + channel) * 2);
    mono[frame] = Math.round(sum / channels);
  }
  return mono;
}
