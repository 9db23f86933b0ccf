/** Everything that a fault strikes: a whole stack of its own, the carrier, the suite's AI, and a fresh business for each wave. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startCarrier, type Carrier } from '../../setup/demo/carrier.ts';
import type { Parts } from '../../setup/stack/parts.ts';
import { createDataDir } from '../../setup/stack/run-dirs.ts';
import { startStack, type Stack, type StackOptions } from '../../setup/stack/stack.ts';
import { startFaultyAi, type FaultyAi } from '../support/faulty-ai.ts';
import { startSuiteAi, type SuiteAi } from './ai/process.ts';
import { allLines } from './persona.ts';

export interface WorldNeeds {
  readonly mediaNodes: number;
  readonly workers: number;
  /** Further environment of the processes. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface WorldOptions extends WorldNeeds {
  readonly parts: Parts;
  readonly print: (line: string) => void;
  /** Logs stay here; default: with the rest, removed at the end. */
  readonly logsDir?: string;
  readonly placeMedia?: StackOptions['placeMedia'];
}

export interface Business {
  readonly tenantId: string;
  readonly did: string;
  readonly timeZone: string;
}

export interface World extends AsyncDisposable {
  readonly stack: Stack;
  readonly carrier: Carrier;
  readonly ai: SuiteAi;
  /** Between Holdfast and the AI; passes everything through until told otherwise. */
  readonly faultyAi: FaultyAi;
  readonly logsDir: string;
  readonly parts: Parts;
  newBusiness(): Promise<Business>;
  print(line: string): void;
}

const TIME_ZONE = 'America/New_York';
const BUSINESS = { name: 'Bright Smile Dental', country: 'US', timezone: TIME_ZONE };
/** More than are ever live at once: refusals are not what is looked for. */
const LINES = 100;
/** People at the gate are silent for longer than an agent would bear. */
const SETTINGS = { LOG_LEVEL: 'info', SILENCE_REMINDER_SECONDS: '60', MAX_CONVERSATION_DURATION_SECONDS: '600' };

export async function startWorld(options: WorldOptions): Promise<World> {
  const running = new AsyncDisposableStack();
  try {
    const { dataDir } = running.use(await createDataDir());
    const logsDir = options.logsDir ?? join(dataDir, 'logs');
    await mkdir(logsDir, { recursive: true });
    const { parts, mediaNodes, workers, placeMedia } = options;
    const ai = running.use(await startSuiteAi({ parts, lines: allLines(), logFile: join(logsDir, 'ai.log') }));
    const faultyAi = running.use(await startFaultyAi({ upstream: ai.baseUrl }));
    const stack = running.use(
      await startStack({
        parts,
        dataDir,
        logsDir,
        mediaNodes,
        workers,
        ...(placeMedia === undefined ? {} : { placeMedia }),
        external: { openai: { baseUrl: faultyAi.baseUrl, apiKey: 'chaos' } },
        settings: { ...SETTINGS, ...options.settings },
        events: {
          onDied: ({ name, outcome }) => options.print(`    ${name} died (${outcome})`),
          onRestarted: ({ name, pid }) => options.print(`    ${name} runs again, pid ${pid}`),
          onGaveUp: (error) => options.print(`    ! ${error.message}`),
        },
      }),
    );
    const place = { dir: join(dataDir, 'carrier'), recordingsDir: join(dataDir, 'recordings'), logFile: join(logsDir, 'carrier.log') };
    const carrier = running.use(await startCarrier({ parts, ...place, pbxSip: stack.sip }));
    let businesses = 0;
    return {
      stack,
      carrier,
      ai,
      faultyAi,
      logsDir,
      parts,
      newBusiness: () => newBusiness(stack, businesses++),
      print: options.print,
      [Symbol.asyncDispose]: () => running.disposeAsync(),
    };
  } catch (error) {
    await running.disposeAsync();
    throw error;
  }
}

/** Each wave books into an empty diary. */
async function newBusiness(stack: Stack, n: number): Promise<Business> {
  const post = async <T>(path: string, body: unknown): Promise<T> => {
    const response = await fetch(`${stack.urls.api}/api${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(10_000),
    });
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${(await response.text()).slice(0, 300)}`);
    return (await response.json()) as T;
  };
  const { id } = await post<{ id: string }>('/tenants', { ...BUSINESS, max_concurrent_calls: LINES });
  await post(`/tenants/${id}/ai-profiles`, { name: 'Desk', role: 'receptionist', system_prompt: 'Be kind and brief.', is_default: true });
  // Numbers reserved for fiction: 0100 to 0199; the demo's is 0143.
  const did = `+1${202 + Math.floor(n / 40)}55501${String(n % 40).padStart(2, '0')}`;
  await post(`/tenants/${id}/phone-numbers`, { did_number: did });
  return { tenantId: id, did, timeZone: TIME_ZONE };
}
