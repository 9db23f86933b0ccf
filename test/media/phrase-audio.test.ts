/** What a caller still hears when synthesis has stopped working. */
import { HoldfastError } from '../../src/domain/errors.ts';
import { PhraseAudio, type PhraseRequest } from '../../src/media/phrase-audio.ts';
import type { SynthesizeRequest, TextToSpeech } from '../../src/providers/ports.ts';

const request: PhraseRequest = { text: 'Audio issues, please hold.', model: 'tts-1', voice: 'alloy', sampleRate: 16_000 };

/** Each voice is a constant of its own: alloy 1, any other 2. */
function cache() {
  const state = { works: true, hangs: false, asked: 0 };
  const tts: TextToSpeech = {
    sampleRate: 16_000,
    async *synthesize({ voice, signal }: SynthesizeRequest) {
      state.asked += 1;
      if (state.hangs) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
      if (!state.works) throw new HoldfastError('tts_failed', 'down', { retryable: false });
      yield new Int16Array(10).fill(voice === 'alloy' ? 1 : 2);
    },
  };
  return { state, phrases: new PhraseAudio(tts, { retries: 0, timeoutMs: 3_000 }) };
}

describe('PhraseAudio', () => {
  test('the same words in the same voice are synthesised once', async () => {
    const { state, phrases } = cache();
    await Promise.all([phrases.get(request), phrases.get(request)]);
    await phrases.get(request);
    expect(state.asked).toBe(1);
  });

  test('a failure is not kept', async () => {
    const { state, phrases } = cache();
    state.works = false;
    await expect(phrases.get(request)).rejects.toMatchObject({ code: 'tts_failed' });
    state.works = true;
    expect((await phrases.get(request))[0]).toBe(1);
  });

  test('nothing is ready before it was synthesised', async () => {
    const { phrases } = cache();
    const coming = phrases.get(request);
    expect(phrases.ready(request)).toBeNull();
    await coming;
    expect(phrases.ready(request)?.[0]).toBe(1);
    expect(phrases.ready({ ...request, text: 'Other words.' })).toBeNull();
  });

  test.each(['works', 'hangs'] as const)(
    'when synthesis stops (%s), words that are there in another voice are said in that',
    async (what) => {
      const { state, phrases } = cache();
      await phrases.get(request);
      Object.assign(state, what === 'works' ? { works: false } : { hangs: true });
      expect((await phrases.soon({ ...request, voice: 'nova' }))[0]).toBe(1);
    },
  );

  test('while synthesis works the right voice is waited for', async () => {
    const { phrases } = cache();
    await phrases.get(request);
    expect((await phrases.soon({ ...request, voice: 'nova' }))[0]).toBe(2);
  });

  test('words that are there in no voice fail', async () => {
    const { state, phrases } = cache();
    state.works = false;
    await expect(phrases.soon(request)).rejects.toMatchObject({ code: 'tts_failed' });
  });
});
