/** Which vendors serve this process: the main one and its fallbacks, all of which speak OpenAI's wire format. */
import type { Config } from '../config.ts';
import { errorFacts, type Logger } from '../telemetry.ts';
import { FailoverLanguageModel } from './failover/language-model.ts';
import { stageLimits } from './failover/limits.ts';
import { FailoverSpeechToText } from './failover/speech-to-text.ts';
import { Stage, type FailoverEvent, type MemberOptions, type StageCounts, type StageName } from './failover/stage.ts';
import { FailoverTextToSpeech } from './failover/text-to-speech.ts';
import { createOpenAIClient } from './openai/client.ts';
import { OpenAILanguageModel } from './openai/language-model.ts';
import { OpenAISpeechToText } from './openai/speech-to-text.ts';
import { OpenAITextToSpeech } from './openai/text-to-speech.ts';
import type { LanguageModel, Providers, SpeechToText, TextToSpeech } from './ports.ts';

export interface ProvidersOptions extends Pick<Config, 'openai'> {
  readonly aiFallbacks?: Config['aiFallbacks'];
  readonly providers?: Config['providers'];
  readonly logger?: Logger;
}

export interface ConnectedProviders extends Providers, AsyncDisposable {
  readonly counts: Readonly<Record<StageName, Readonly<StageCounts>>>;
}

const DEFAULT_TIMEOUTS = { sttTimeoutMs: 10_000, llmTimeoutMs: 15_000, ttsTimeoutMs: 15_000 };

/** Owns the connections to the vendors; disposing it ends whatever is still streaming. */
export function createProviders(options: ProvidersOptions): ConnectedProviders {
  const timeouts = options.providers ?? DEFAULT_TIMEOUTS;
  const asPlanned = { stt: null, llm: null, tts: null, voice: null };
  const vendors = [
    { name: 'primary', ...options.openai, models: asPlanned, serves: () => true },
    ...(options.aiFallbacks ?? []).map((each) => ({ ...each, serves: (stage: StageName) => each.models[stage] !== null })),
  ].map((vendor) => ({ ...vendor, client: createOpenAIClient(vendor) }));
  const stage = <P>(name: StageName, make: (vendor: (typeof vendors)[number]) => P): Stage<P> =>
    new Stage({
      name,
      members: vendors.filter((vendor) => vendor.serves(name)).map((vendor) => member(vendor, { name, provider: make(vendor) })),
      limits: stageLimits(name, timeouts[`${name}TimeoutMs`]),
      onEvent: (event) => options.logger !== undefined && logEvent(options.logger, event),
    });
  const stt = stage<SpeechToText>('stt', ({ client }) => new OpenAISpeechToText(client.api));
  const llm = stage<LanguageModel>('llm', ({ client }) => new OpenAILanguageModel(client.api));
  const tts = stage<TextToSpeech>('tts', ({ client }) => new OpenAITextToSpeech(client.api));
  return {
    stt: new FailoverSpeechToText(stt),
    llm: new FailoverLanguageModel(llm),
    tts: new FailoverTextToSpeech(tts),
    counts: { stt: stt.counts, llm: llm.counts, tts: tts.counts },
    async [Symbol.asyncDispose]() {
      await Promise.all(vendors.map(({ client }) => client[Symbol.asyncDispose]()));
    },
  };
}

interface Named {
  readonly name: string;
  readonly models: Readonly<Record<StageName | 'voice', string | null>>;
}

function member<P>({ name, models }: Named, stage: { name: StageName; provider: P }): MemberOptions<P> {
  return { name, provider: stage.provider, model: models[stage.name], voice: models.voice };
}

const sentences: Readonly<Record<FailoverEvent['kind'], string>> = {
  hedged: 'A provider is late; the next one was asked as well',
  hedge_refused: 'A provider is late, and too many requests were sent twice already',
  failed: 'A provider failed',
  broke_off: 'A provider broke off in the middle',
  resting: 'A provider is left alone for a while',
  deaf: 'A provider understood nothing where another one heard words',
};

function logEvent(logger: Logger, { kind, error, ...facts }: FailoverEvent): void {
  const level = kind === 'hedged' ? 'info' : 'warn';
  logger[level]({ event: `provider_${kind}`, ...facts, ...(error === undefined ? {} : { error: errorFacts(error) }) }, sentences[kind]);
}
