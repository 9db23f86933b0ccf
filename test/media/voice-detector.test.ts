import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseWav } from '../../setup/demo/wav.ts';
import { Resampler } from '../../src/media/audio/resampler.ts';
import { VoiceDetector } from '../../src/media/vad/voice-detector.ts';
import { VAD_WINDOW_SAMPLES } from '../../src/media/vad/window.ts';
import { sharedParts } from '../support/stack.ts';

/** Half a second of silence, a spoken sentence, half a second of silence, as 8 kHz windows. */
async function spokenWindows(): Promise<Float32Array[]> {
  const dir = await mkdtemp(join(tmpdir(), 'hf-vad-'));
  const file = join(dir, 'speech.wav');
  const [flite, ...args] = sharedParts().parts.flite.command as [string, ...string[]];
  await promisify(execFile)(flite, [...args, '-voice', 'rms', '-t', 'What are your opening hours on Monday', '-o', file]);
  const { sampleRate, pcm } = parseWav(await readFile(file));
  await rm(dir, { recursive: true });
  const speech = new Resampler(sampleRate, 8_000).process(pcm);
  const silence = new Float32Array(4_000);
  const all = Float32Array.from([...silence, ...Float32Array.from(speech, (sample) => sample / 32_768), ...silence]);
  return Array.from({ length: Math.floor(all.length / VAD_WINDOW_SAMPLES) }, (_, i) =>
    all.slice(i * VAD_WINDOW_SAMPLES, (i + 1) * VAD_WINDOW_SAMPLES),
  );
}

describe('VoiceDetector', () => {
  test('hears speech and silence, and calls in one batch do not disturb each other', async () => {
    await using detector = await VoiceDetector.start();
    const speech = await spokenWindows();
    const silence = speech.map(() => new Float32Array(VAD_WINDOW_SAMPLES));
    const run = async (streams: readonly Float32Array[][]): Promise<number[][]> => {
      const results = streams.map(() => [] as number[]);
      const open = streams.map((_, index) => detector.open((probability) => void results[index]?.push(probability)));
      for (let i = 0; i < speech.length; i++) {
        streams.forEach((windows, index) => open[index]?.push(windows[i] as Float32Array));
        // As on a call, the next window comes when this one has been judged.
        while (results.some((result) => result.length <= i)) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      open.forEach((stream) => stream.close());
      return results;
    };
    const [alone] = (await run([speech])) as [number[]];
    const [together, quiet] = (await run([speech, silence])) as [number[], number[]];
    expect(Math.max(...alone)).toBeGreaterThan(0.9);
    expect(Math.max(...alone.slice(0, 12))).toBeLessThan(0.35);
    expect(Math.max(...quiet)).toBeLessThan(0.35);
    together.forEach((probability, i) => expect(probability).toBeCloseTo(alone[i] as number, 3));
  });
});
