/** What the embedded recogniser makes of callers' phrases; words are asserted, never times. */
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { startRecognizer, type Recognizer } from '../../src/providers/embedded/recognition/recognizer.ts';
import { startSpeaker, type Speaker } from '../support/speaker.ts';
import { sharedParts } from '../support/stack.ts';

let recognizer: Recognizer;
let speaker: Speaker;

beforeAll(async () => {
  recognizer = await startRecognizer(sharedParts().parts.pocketsphinx, 1);
  speaker = await startSpeaker();
});
afterAll(async () => {
  for (const part of [recognizer, speaker]) await part?.[Symbol.asyncDispose]();
});

const signal = () => AbortSignal.timeout(25_000);

/** Phrases that the demo and the tests of whole calls rest on. */
const phrases = [
  'what are your opening hours',
  'i would like to book an appointment for monday at ten',
  'i want to make an appointment on tuesday at half past two',
  'can i come on wednesday at eleven in the morning',
  "i would like to come in next monday at nine o'clock",
  'december twelfth at one thirty',
  'my name is john smith',
  'yes please',
  'no thank you',
  'thank you very much goodbye',
  'no that is everything thank you goodbye',
  'can i speak to a human please',
  'sorry what did you say',
  'no wait i meant thursday not tuesday',
];

describe('the recogniser', () => {
  it.each(phrases)('hears "%s" word for word', async (phrase) => {
    expect(await recognizer.recognize(await speaker.say(phrase, 16_000), signal())).toBe(phrase);
  });

  it('hears words outside its domain as words, most of them right', async () => {
    const heard = await recognizer.recognize(await speaker.say('my dog ate the newspaper this morning', 16_000), signal());
    expect(heard).toMatch(/newspaper this morning$/);
  });

  it('hears nothing in silence', async () => {
    expect(await recognizer.recognize(new Int16Array(32_000), signal())).toBe('');
  });

  it('answers many at once, each with its own words', async () => {
    const words = ['yes please', 'no thank you', 'my name is john smith'];
    const audio = await Promise.all(words.map((phrase) => speaker.say(phrase, 16_000)));
    const heard = await Promise.all([0, 1, 2, 0, 1, 2].map((i) => recognizer.recognize(audio[i] ?? new Int16Array(0), signal())));
    expect(heard).toEqual([...words, ...words]);
  });

  it('gives up for a client that leaves, waiting or being served, and goes on for the next', async () => {
    const long = await speaker.say('i would like to book an appointment for monday at ten please and another one on friday', 16_000);
    const short = await speaker.say('yes please', 16_000);
    const gone = new AbortController();
    const served = recognizer.recognize(long, gone.signal);
    const waiting = recognizer.recognize(long, gone.signal);
    const next = recognizer.recognize(short, signal());
    const reason = new Error('hung up');
    setTimeout(() => gone.abort(reason), 20);
    await expect(served).rejects.toBe(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(await next).toBe('yes please');
    expect(recognizer.load.waiting).toBe(0);
  });

  it('leaves no file of a caller behind, and nothing at all at its end', async () => {
    const mine = () => readdirSync(tmpdir()).filter((name) => name.startsWith('holdfast-hearing-'));
    const before = mine();
    const own = await startRecognizer(sharedParts().parts.pocketsphinx, 1);
    const [directory] = mine().filter((name) => !before.includes(name));
    await own.recognize(await speaker.say('yes please', 16_000), signal());
    expect(readdirSync(`${tmpdir()}/${directory}`).filter((name) => name.endsWith('.raw'))).toEqual([]);
    await own[Symbol.asyncDispose]();
    expect(mine()).not.toContain(directory);
  });

  it('says what is missing when it cannot start', async () => {
    const { command, modelDir } = sharedParts().parts.pocketsphinx;
    await expect(startRecognizer({ command, modelDir: '/nowhere' }, 1)).rejects.toThrow(/cmudict-en-us\.dict/);
    await expect(startRecognizer({ command: ['/nowhere/pocketsphinx_continuous'], modelDir }, 1)).rejects.toThrow(/pocketsphinx_batch/);
  });
});
