/** Phrases said by flite, as the recogniser is to hear them. */
import { startFlite, type FliteVoice } from '../../src/providers/embedded/speech/flite.ts';
import { resample } from '../../src/providers/embedded/resample.ts';
import { sharedParts } from './stack.ts';

export interface Speaker extends AsyncDisposable {
  /** Mono 16-bit at the rate; through 8000 it has been on a narrowband line. */
  say(text: string, rate: 8000 | 16000, voice?: FliteVoice): Promise<Int16Array>;
}

export async function startSpeaker(): Promise<Speaker> {
  const voices = await startFlite(sharedParts().parts.flite.command);
  return {
    async say(text, rate, voice = 'rms') {
      const { pcm, sampleRate } = await voices.speak(text, voice, AbortSignal.timeout(20_000));
      return resample(pcm, sampleRate, rate);
    },
    [Symbol.asyncDispose]: () => voices[Symbol.asyncDispose](),
  };
}
