/**
 * npm run bench:failover [-- --repeat N]: how long a caller waits when the first AI provider fails once,
 * with that provider alone and with a second one behind it, against the same provider in good health.
 * Everything real but the faults: the embedded AI over HTTP, the fail-over, the answer's pipeline to the leg.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { percentile } from '../../setup/demo/summary.ts';
import { startEmbeddedAi } from '../../setup/stack/embedded-ai.ts';
import { loadParts } from '../../setup/stack/parts.ts';
import { createProviders, type ConnectedProviders } from '../../src/providers/registry.ts';
import { startFlite } from '../../src/providers/embedded/speech/flite.ts';
import { resample } from '../../src/providers/embedded/resample.ts';
import { startFaultyAi, type AiEndpoint, type Fault, type FaultyAi } from '../support/faulty-ai.ts';
import { answerAloud, transcribeAloud, type Waited } from './failover-work.ts';
import { table } from './table.ts';

const { values } = parseArgs({ options: { repeat: { type: 'string', default: '3' } } });
/** So many healthy requests first: the deadlines then follow from what the provider usually takes. */
const WARM_UP = 10;

/** A stall is timed to the end of the answer: its beginning comes as ever. */
const faults: readonly { readonly stage: AiEndpoint; readonly fault: Fault; readonly until: keyof Waited }[] = [
  ...(['stt', 'llm', 'tts'] as const).flatMap((stage) =>
    (['error_500', 'error_429', 'garbage', 'slow', 'hang'] as const).map((fault) => ({ stage, fault, until: 'firstMs' as const })),
  ),
  { stage: 'llm', fault: 'stall', until: 'wholeMs' },
  { stage: 'tts', fault: 'stall', until: 'wholeMs' },
];

interface Bench {
  readonly first: FaultyAi;
  readonly upstream: { readonly baseUrl: string; readonly apiKey: string };
  readonly speech: Int16Array;
}

async function main(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'holdfast-failover-'));
  const parts = loadParts(process.env);
  try {
    await using upstream = await startEmbeddedAi({ parts, dir, logFile: join(dir, 'ai.log') });
    await using first = await startFaultyAi({ upstream: upstream.baseUrl });
    const bench: Bench = { first, upstream, speech: await question(parts.flite.command) };
    const rows = [['first provider, one fault', 'healthy', 'alone', 'ratio', 'with a second', 'ratio', 'alone / second', 'hedges']];
    for (const each of faults) rows.push(await row(bench, each));
    console.log(
      `\nMilliseconds to the first sound of the answer (recognition: to the words; stall: to the answer's end), median of ${values.repeat}:\n`,
    );
    console.log(table(rows));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function question(flite: Parameters<typeof startFlite>[0]): Promise<Int16Array> {
  await using voices = await startFlite(flite);
  const { pcm, sampleRate } = await voices.speak('what are your opening hours', 'rms', AbortSignal.timeout(20_000));
  return resample(pcm, sampleRate, 16_000);
}

async function row(bench: Bench, { stage, fault, until }: (typeof faults)[number]): Promise<string[]> {
  const measure = async (fallback: boolean, struck: boolean): Promise<{ ms: number; hedges: number }> => {
    const took: number[] = [];
    let hedges = 0;
    for (let n = 0; n < Number(values.repeat); n++) {
      await using providers = connect(bench, fallback);
      bench.first.set(stage, 'pass');
      for (let warm = 0; warm < WARM_UP; warm++) await work(stage, providers, bench);
      const before = providers.counts[stage].hedges;
      if (struck) bench.first.set(stage, fault, { times: 1 });
      took.push((await work(stage, providers, bench))[until]);
      hedges += providers.counts[stage].hedges - before;
    }
    return { ms: percentile(took, 0.5) ?? Number.NaN, hedges };
  };
  const healthy = await measure(false, false);
  const alone = await measure(false, true);
  const second = await measure(true, true);
  const times = (a: number, b: number): string => `${(a / b).toFixed(1)}×`;
  return [
    `${stage} ${fault}`,
    healthy.ms.toFixed(0),
    alone.ms.toFixed(0),
    times(alone.ms, healthy.ms),
    second.ms.toFixed(0),
    times(second.ms, healthy.ms),
    times(alone.ms, second.ms),
    String(second.hedges),
  ];
}

function connect({ first, upstream }: Bench, fallback: boolean): ConnectedProviders {
  const models = { stt: 'whisper-1', llm: 'gpt-4', tts: 'tts-1', voice: 'alloy' };
  return createProviders({
    openai: { apiKey: upstream.apiKey, baseUrl: first.baseUrl },
    aiFallbacks: fallback ? [{ name: 'second', apiKey: upstream.apiKey, baseUrl: upstream.baseUrl, models }] : [],
  });
}

const work = (stage: AiEndpoint, providers: ConnectedProviders, { speech }: Bench): Promise<Waited> =>
  stage === 'stt' ? transcribeAloud(providers, speech) : answerAloud(providers);

await main();
