/** Which vendor serves this process. One today: anything that speaks OpenAI's wire format. */
import type { Config } from '../config.ts';
import { createOpenAIClient } from './openai/client.ts';
import { OpenAILanguageModel } from './openai/language-model.ts';
import { OpenAISpeechToText } from './openai/speech-to-text.ts';
import { OpenAITextToSpeech } from './openai/text-to-speech.ts';
import type { Providers } from './ports.ts';

/** Owns the connections to the vendors; disposing it ends whatever is still streaming. */
export function createProviders(config: Pick<Config, 'openai'>): Providers & AsyncDisposable {
  const client = createOpenAIClient(config.openai);
  return {
    stt: new OpenAISpeechToText(client.api),
    llm: new OpenAILanguageModel(client.api),
    tts: new OpenAITextToSpeech(client.api),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}
