/** Mono or stereo 16-bit PCM WAV: as flite and Asterisk's recorder write it, and as we write it. */

export interface Wav {
  readonly sampleRate: number;
  /** Mono, or the first channel. */
  readonly pcm: Int16Array;
}

/** @throws Error when the bytes are no 16-bit PCM WAV file. */
export function parseWav(bytes: Buffer): Wav {
  if (bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') throw new Error('not a WAV file');
  let sampleRate = 0;
  let channels = 1;
  for (let at = 12; at + 8 <= bytes.length;) {
    const id = bytes.toString('latin1', at, at + 4);
    const length = bytes.readUInt32LE(at + 4);
    const start = at + 8;
    if (id === 'fmt ') {
      channels = bytes.readUInt16LE(start + 2);
      sampleRate = bytes.readUInt32LE(start + 4);
      if (bytes.readUInt16LE(start + 14) !== 16) throw new Error('not 16-bit PCM');
    }
    // A file still being written says length 0: take what is there.
    if (id === 'data') return { sampleRate, pcm: firstChannel(bytes.subarray(start, length === 0 ? undefined : start + length), channels) };
    at = start + length + (length % 2);
  }
  throw new Error('WAV file without data');
}

function firstChannel(data: Buffer, channels: number): Int16Array {
  const count = Math.floor(data.length / (2 * channels));
  const pcm = new Int16Array(count);
  for (let i = 0; i < count; i++) pcm[i] = data.readInt16LE(i * 2 * channels);
  return pcm;
}

/** One or more channels of the same rate → interleaved WAV; the shorter ones end in silence. */
export function formatWav(sampleRate: number, channels: readonly Int16Array[]): Buffer {
  const count = Math.max(0, ...channels.map((pcm) => pcm.length));
  const data = Buffer.alloc(count * channels.length * 2);
  channels.forEach((pcm, channel) => {
    for (let i = 0; i < pcm.length; i++) data.writeInt16LE(pcm[i] ?? 0, (i * channels.length + channel) * 2);
  });
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + data.length, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(channels.length, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(sampleRate * channels.length * 2, 28);
  header.writeUInt16LE(channels.length * 2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(data.length, 40);
  return Buffer.concat([header, data]);
}
