/** Whether certain words were heard: the loudness of the recording against that of the same words in the same voice. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { prompts } from '../../asterisk/prompts.ts';
import { parseWav } from '../../setup/demo/wav.ts';
import type { CallStack } from './call-stack.ts';
import { resemblance } from './sound.ts';
import { sharedParts } from './stack.ts';

const TTS_RATE = 24_000;
const CALL_RATE = 16_000;
/** The same words reach 0.95 and more; others stay below 0.7. */
export const SAME_WORDS = 0.85;

/** 0…1: how much like the agent's voice saying `words` the best matching stretch is. */
export async function agentSaid(heard: Int16Array, words: string): Promise<number> {
  const { openai } = sharedParts();
  const response = await fetch(`${openai.baseUrl}/audio/speech`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${openai.apiKey}` },
    body: JSON.stringify({ model: 'tts-1', voice: 'alloy', input: words, response_format: 'pcm' }),
  });
  if (!response.ok) throw new Error(`The embedded AI did not speak: ${response.status}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  const pcm = new Int16Array(Math.floor((bytes.length / 2) * (CALL_RATE / TTS_RATE)));
  for (let i = 0; i < pcm.length; i++) pcm[i] = bytes.readInt16LE(2 * Math.floor(i * (TTS_RATE / CALL_RATE)));
  return resemblance(heard, pcm);
}

/** 0…1, likewise for one of the PBX's own prompts. */
export async function promptPlayed(
  heard: Int16Array,
  { dataDir }: Pick<CallStack, 'dataDir'>,
  name: keyof typeof prompts,
): Promise<number> {
  const prompt = parseWav(await readFile(join(dataDir, 'pbx', 'prompts', `${name}.wav16`)));
  return resemblance(heard, prompt.pcm);
}
