/** The caller's voice: flite's rms voice at 16 kHz, which speech recognition understands best of flite's. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { speechSegments } from './hear.ts';
import { LINE_RATE } from './voice-line.ts';
import { parseWav } from './wav.ts';

const run = promisify(execFile);
/** Kept around the speech: soft consonants are quieter than the threshold. */
const EDGE_MS = 40;
const rendered = new Map<string, Promise<Int16Array>>();

/** 16 kHz PCM of the words; each phrase is synthesised once per process. */
export function voice(flite: readonly string[], text: string): Promise<Int16Array> {
  const known = rendered.get(text);
  if (known !== undefined) return known;
  const fresh = synthesise(flite, text);
  rendered.set(text, fresh);
  return fresh;
}

async function synthesise([program = 'flite', ...args]: readonly string[], text: string): Promise<Int16Array> {
  const dir = await mkdtemp(join(tmpdir(), 'holdfast-voice-'));
  try {
    const file = join(dir, 'voice.wav');
    await run(program, [...args, '-voice', 'rms', '-t', text, '-o', file]);
    const wav = parseWav(await readFile(file));
    if (wav.sampleRate !== LINE_RATE) throw new Error(`flite's voice has ${wav.sampleRate} Hz, ${LINE_RATE} wanted`);
    return trimmed(wav.pcm);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Without flite's 0.2 s of silence at both ends, so that the end of a line is the end of its speech. */
function trimmed(pcm: Int16Array): Int16Array {
  const speech = speechSegments(pcm, LINE_RATE);
  const samples = (ms: number): number => Math.max(0, Math.round((ms * LINE_RATE) / 1_000));
  return pcm.slice(samples((speech[0]?.startMs ?? 0) - EDGE_MS), samples((speech.at(-1)?.endMs ?? 0) + EDGE_MS));
}
