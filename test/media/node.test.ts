import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../../src/config.ts';
import type { CallPlan } from '../../src/contracts/call-plan.ts';
import type { CallEvent } from '../../src/contracts/media-control.ts';
import { HoldfastError } from '../../src/domain/errors.ts';
import type { CallControl, OwnedCall, Standing } from '../../src/media/call-control.ts';
import type { MediaLeg } from '../../src/media/legs/leg.ts';
import { LiveState } from '../../src/media/live-state.ts';
import { MediaNode } from '../../src/media/node.ts';
import { PhraseAudio } from '../../src/media/phrase-audio.ts';
import type { Session } from '../../src/media/session.ts';
import type { TransferOutcome } from '../../src/media/turn-taking.ts';
import { VoiceDetector } from '../../src/media/vad/voice-detector.ts';
import type { Providers } from '../../src/providers/ports.ts';
import { connectRedis } from '../../src/lib/redis.ts';
import { createLogger } from '../../src/telemetry.ts';
import { sharedParts } from '../support/stack.ts';
import { standing } from '../support/standing.ts';

/** A PBX whose channels cannot be connected: what becomes of the caller is what these tests are about. */
class UnwillingPbx implements CallControl {
  readonly hungUp: string[] = [];
  readonly givenBack: string[] = [];
  readonly #refusal: HoldfastError;
  constructor(refusal: HoldfastError) {
    this.#refusal = refusal;
  }
  async connect(): Promise<never> {
    throw this.#refusal;
  }
  async takeOver(): Promise<never> {
    throw this.#refusal;
  }
  async rejoin(): Promise<never> {
    throw this.#refusal;
  }
  async standing(): Promise<Standing> {
    return 'ours';
  }
  async claim(): Promise<void> {}
  async hangup({ channelId }: OwnedCall): Promise<void> {
    this.hungUp.push(channelId);
  }
  async release(): Promise<void> {}
  async startTransfer(): Promise<void> {}
  async transferOutcome(): Promise<TransferOutcome> {
    return 'failed';
  }
  async giveBack({ channelId }: OwnedCall): Promise<void> {
    this.givenBack.push(channelId);
  }
}

/** Makes the leg when the test says so, and notes in which order things happen. */
class SlowPbx implements CallControl {
  readonly connected = Promise.withResolvers<void>();
  readonly done: string[] = [];
  async connect(): Promise<MediaLeg> {
    await this.connected.promise;
    this.done.push('leg made');
    const nothing = (): void => undefined;
    const close = async (): Promise<void> => void this.done.push('leg closed');
    return { sampleRate: 16_000, play: nothing, mark: nothing, pause: nothing, resume: nothing, clear: nothing, close };
  }
  takeOver = () => this.connect();
  rejoin = () => this.connect();
  async standing(): Promise<Standing> {
    return 'ours';
  }
  async claim(): Promise<void> {}
  async hangup(): Promise<void> {
    this.done.push('hung up');
  }
  async release(): Promise<void> {
    this.done.push('released');
  }
  async startTransfer(): Promise<void> {}
  async transferOutcome(): Promise<TransferOutcome> {
    return 'failed';
  }
  async giveBack(): Promise<void> {
    this.done.push('given back');
  }
}

const quiet: Providers = {
  stt: { transcribe: async () => '' },
  llm: { stream: async function* () {} },
  tts: {
    sampleRate: 24_000,
    synthesize: async function* () {
      yield new Int16Array(2_400);
    },
  },
};
const callId = '5f2f0d8e-8d7b-4f0a-9d83-0d1d6f1a0001';
const plan: CallPlan = {
  callId,
  tenantId: '5f2f0d8e-8d7b-4f0a-9d83-0d1d6f1a0002',
  channelId: 'caller-1',
  agent: { role: 'receptionist', greeting: 'Hello.', systemPrompt: 'You are a receptionist.', language: 'en', voice: 'alloy' },
  models: { stt: 's', llm: 'l', tts: 't' },
  tools: [],
  limits: { maxTurns: 20, maxDurationSeconds: 300, silenceReminderMs: 8_000, maxReminders: 2 },
  transcript: [],
};

const begin = (call: CallPlan, epoch: number) => ({ plan: call, epoch, instance: 'this-process', resume: null });

async function stage(pbx: CallControl, limits: { planWaitMs?: number; channelWaitMs?: number; capacity?: number } = {}) {
  const config = loadConfig({ DATABASE_URL: 'postgres://x@127.0.0.1/x', APP_ENV: 'development' }, 'migrate');
  const logger = createLogger({ process: 'media', level: 'silent' });
  const owned = new AsyncDisposableStack();
  const redis = owned.adopt(await connectRedis(sharedParts().redisUrl), (connection) => connection.disconnect());
  const detector = owned.use(await VoiceDetector.start());
  const node = new MediaNode({
    nodeId: 'media-1',
    instance: 'this-process',
    capacity: limits.capacity ?? 2,
    providers: quiet,
    phrases: new PhraseAudio(quiet.tts, { retries: 0, timeoutMs: 1_000 }),
    detector,
    callControl: pbx,
    liveState: new LiveState(redis, logger),
    limits: { ...config.limits, ...(limits as object) },
    timeouts: config.providers,
    logger,
  });
  return { node, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function eventsOf(session: Session): CallEvent[] {
  const events: CallEvent[] = [];
  session.attach(0, (message) => {
    if (message.type !== 'event') return;
    events.push(message.event);
    session.outbox.acknowledge(message.seq);
  });
  return events;
}

describe('MediaNode', () => {
  test('a caller who cannot be connected is sent to the spoken fallback, not hung up on', async () => {
    const pbx = new UnwillingPbx(new HoldfastError('ari_failed', 'no media'));
    await using scene = await stage(pbx);
    const session = scene.node.start(begin(plan, 1));
    const events = eventsOf(session);
    scene.node.channelEntered('caller-1', callId);
    await session.closed;
    expect(events).toContainEqual(expect.objectContaining({ kind: 'ended', disposition: 'error', reason: 'connect_failed' }));
    expect(pbx).toMatchObject({ givenBack: ['caller-1'], hungUp: [] });
  });

  test('a caller who hung up while being connected is abandoned', async () => {
    await using scene = await stage(new UnwillingPbx(new HoldfastError('channel_missing', 'gone')));
    const session = scene.node.start(begin(plan, 1));
    const events = eventsOf(session);
    scene.node.channelEntered('caller-1', callId);
    await session.closed;
    expect(events).toContainEqual(expect.objectContaining({ kind: 'ended', disposition: 'abandoned' }));
  });

  test('a caller who hangs up while being connected leaves no leg and no bridge', async () => {
    const pbx = new SlowPbx();
    await using scene = await stage(pbx);
    const session = scene.node.start(begin(plan, 1));
    scene.node.channelEntered('caller-1', callId);
    scene.node.channelLeft('caller-1', 'hung_up');
    await sleep(20);
    pbx.connected.resolve();
    await session.closed;
    expect(pbx.done).toEqual(['hung up', 'leg made', 'leg closed', 'released']);
  });

  test('a caller who leaves before the next node can go on still heard what the former one had said', async () => {
    await using scene = await stage(new UnwillingPbx(new HoldfastError('channel_missing', 'gone')));
    const text = 'We are open until five. Would you like to come in?';
    const speech = {
      isReply: true,
      text,
      complete: true,
      sentenceAt: 24,
      heardTo: 33,
      audible: true,
      startedAt: standing.answeredAt,
      endCall: false,
    };
    const resume = { checkpoint: { ...standing, floor: 'agent' as const, speech }, rounds: [] };
    const session = scene.node.start({ ...begin(plan, 2), resume });
    const events = eventsOf(session);
    await session.closed;
    expect(events).toMatchObject([
      { kind: 'turn', turn: { sequence: 7, speaker: 'agent', heardText: 'We are open until five. Would you', interrupted: true } },
      { kind: 'ended', disposition: 'caller_hangup' },
    ]);
  });

  test('a plan whose caller never comes ends as abandoned', async () => {
    await using scene = await stage(new UnwillingPbx(new HoldfastError('channel_missing', 'gone')), { channelWaitMs: 30 });
    const session = scene.node.start(begin(plan, 1));
    const events = eventsOf(session);
    await session.closed;
    expect(events).toContainEqual(expect.objectContaining({ kind: 'ended', disposition: 'abandoned', reason: 'channel_never_came' }));
    expect(scene.node.live).toBe(0);
  });

  test('a caller for whom no plan comes is sent to the spoken fallback', async () => {
    const pbx = new UnwillingPbx(new HoldfastError('ari_failed', 'unused'));
    await using scene = await stage(pbx, { planWaitMs: 30 });
    scene.node.channelEntered('caller-1', callId);
    expect(scene.node.holds('caller-1')).toBe(true);
    await sleep(100);
    expect(pbx.givenBack).toEqual(['caller-1']);
    expect(scene.node.holds('caller-1')).toBe(false);
  });

  test('a channel that claims the call of another one does not get it', async () => {
    const pbx = new UnwillingPbx(new HoldfastError('ari_failed', 'unused'));
    await using scene = await stage(pbx);
    const session = scene.node.start(begin(plan, 1));
    scene.node.channelEntered('stranger', callId);
    expect(pbx.givenBack).toEqual(['stranger']);
    session.abandon('test');
    await session.closed;
  });

  test('refuses what it cannot hold: a full node, a draining one, an older owner, a call it has forgotten', async () => {
    await using scene = await stage(new UnwillingPbx(new HoldfastError('ari_failed', 'unused')), { capacity: 1 });
    const code = (start: () => unknown): unknown => {
      try {
        start();
        return 'accepted';
      } catch (error) {
        return error instanceof HoldfastError ? error.code : error;
      }
    };
    const other = { ...plan, callId: '5f2f0d8e-8d7b-4f0a-9d83-0d1d6f1a0009', channelId: 'caller-2' };
    expect(code(() => scene.node.start({ ...begin(plan, 1), instance: 'its-predecessor' }))).toBe('media_node_lost');
    const session = scene.node.start(begin(plan, 1));
    expect(scene.node.start(begin(plan, 2))).toBe(session);
    expect(code(() => scene.node.start(begin(plan, 1)))).toBe('stale_epoch');
    expect(code(() => scene.node.start(begin(other, 1)))).toBe('media_node_full');
    session.abandon('test');
    await session.closed;
    scene.node.draining = true;
    expect(code(() => scene.node.start(begin(other, 1)))).toBe('media_node_draining');
  });
});
