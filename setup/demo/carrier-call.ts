/** One call placed by the carrier: its line, what became of it, and the recording of both directions. */
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AriClient, AriEvent } from './ari-client.ts';
import { finishRecording, type Recording } from './carrier-recording.ts';
import { openVoiceLine, type VoiceLine } from './voice-line.ts';
import { voice } from './voice.ts';

export interface CallOptions {
  /** The number dialled, as the trunk would send it. */
  readonly to: string;
  /** Caller id; empty or "anonymous" to withhold it. */
  readonly from: string;
  /** Offered first; g722 is wideband. */
  readonly codec?: 'g722' | 'ulaw' | 'alaw';
  /** Ringing longer than this counts as not answered. */
  readonly answerTimeoutMs?: number;
  /** ~20 ms of 16 kHz PCM, as the caller hears it. Valid only during the call. */
  readonly onHeard?: (pcm: Int16Array) => void;
}

export interface CallEnd {
  /** Who ended it: the carrier's own hang-up or the far side (which includes a refusal). */
  readonly by: 'caller' | 'callee';
  /** Q.850 cause, e.g. 16 normal clearing, 21 rejected, 1 unallocated number; 0 when unknown. */
  readonly cause: number;
  readonly atMs: number;
}

export interface CarrierCall {
  readonly channelId: string;
  /** Wall clock of the answer, or null when the call was refused. */
  readonly answeredAtMs: number | null;
  /** Resolves when the call is over, however it ended. */
  readonly ended: Promise<CallEnd>;
  /** Speaks the words in real time; resolves when the last sample has left, or the call is over. */
  say(text: string): Promise<void>;
  sendDtmf(digits: string): Promise<void>;
  hangup(): Promise<void>;
  /** Paths of 16 kHz mono WAV files of equal clock; call after `ended`. Null when the call was never answered. */
  recording(): Promise<Recording | null>;
}

export interface CallEnvironment {
  readonly ari: AriClient;
  readonly app: string;
  readonly flite: readonly string[];
  readonly recordingsDir: string;
}

/** Dials; resolves once answered or refused. @throws Error when the carrier itself cannot dial. */
export async function placeCall(environment: CallEnvironment, options: CallOptions): Promise<CarrierCall> {
  const { ari, app } = environment;
  const id = randomUUID();
  const [channelId, lineId] = [`call-${id}`, `line-${id}`];
  const dir = join(environment.recordingsDir, id);
  await mkdir(dir, { recursive: true });

  let spoken = (): void => undefined;
  const line = await openLine(environment, lineId, { onHeard: (pcm) => options.onHeard?.(pcm), onSpoken: () => spoken() });
  const bridge = await ari.request<{ id: string }>('POST', '/bridges', { type: 'mixing' });
  await ari.request('POST', `/bridges/${bridge.id}/addChannel`, { channel: lineId });

  let hungUp = false;
  let answeredAtMs: number | null = null;
  const settled = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<CallEnd>();
  const finish = (event: AriEvent): void => {
    forget();
    line.close();
    spoken();
    settled.resolve();
    void ari.request('DELETE', `/bridges/${bridge.id}`).catch(() => undefined);
    ended.resolve({ by: hungUp ? 'caller' : 'callee', cause: event.cause ?? 0, atMs: Date.parse(event.timestamp) });
  };
  const forget = ari.onChannel(channelId, (event) => {
    if (event.type === 'ChannelDestroyed') finish(event);
    if (event.type !== 'StasisStart') return;
    answeredAtMs = Date.parse(event.timestamp);
    void ari
      .request('POST', `/bridges/${bridge.id}/addChannel`, { channel: channelId })
      .catch(() => undefined)
      .then(() => settled.resolve());
  });
  const lost = (): void => finish({ type: 'ChannelDestroyed', timestamp: new Date().toISOString() });
  await dial(ari, { channelId, app, dir }, options).catch((error: unknown) => {
    lost();
    throw error;
  });
  // Without the subscription a refusal before the answer would go unnoticed; a channel that is gone already was refused.
  await ari.request('POST', `/applications/${app}/subscription`, { eventSource: `channel:${channelId}` }).catch(lost);
  await settled.promise;

  return {
    channelId,
    answeredAtMs,
    ended: ended.promise,
    async say(text) {
      const pcm = await voice(environment.flite, text);
      const done = Promise.withResolvers<void>();
      spoken = done.resolve;
      line.say(pcm);
      await Promise.race([done.promise, ended.promise]);
    },
    sendDtmf: (digits) => ari.request('POST', `/channels/${channelId}/dtmf`, { dtmf: digits }),
    async hangup() {
      hungUp = true;
      await ari.request('DELETE', `/channels/${channelId}`).catch(() => undefined);
      await ended.promise;
    },
    recording: () => (answeredAtMs === null ? Promise.resolve(null) : finishRecording(dir)),
  };
}

/** The caller's ear and mouth, ready before the phone rings so that no time is lost when it is answered. */
async function openLine({ ari, app }: CallEnvironment, lineId: string, events: Parameters<typeof openVoiceLine>[1]): Promise<VoiceLine> {
  const started = Promise.withResolvers<void>();
  const forget = ari.onChannel(lineId, (event) => {
    if (event.type === 'StasisStart') started.resolve();
  });
  const created = await ari.request<{ channelvars: Record<string, string> }>('POST', '/channels/externalMedia', {
    app,
    channelId: lineId,
    external_host: 'INCOMING',
    transport: 'websocket',
    encapsulation: 'none',
    connection_type: 'server',
    format: 'slin16',
    transport_data: 'f(json)',
  });
  const connectionId = created.channelvars['MEDIA_WEBSOCKET_CONNECTION_ID'] ?? '';
  const url = `${ari.url.replace(/^http/, 'ws')}/media/${connectionId}`;
  const line = await openVoiceLine({ url, credentials: ari.credentials }, events);
  await started.promise;
  forget();
  return line;
}

async function dial(ari: AriClient, call: { channelId: string; app: string; dir: string }, options: CallOptions): Promise<void> {
  await ari.request(
    'POST',
    '/channels',
    {
      endpoint: `PJSIP/${options.to}@pbx-${options.codec ?? 'g722'}`,
      channelId: call.channelId,
      context: 'caller',
      extension: 's',
      priority: '1',
      callerId: options.from,
      timeout: String(Math.ceil((options.answerTimeoutMs ?? 30_000) / 1_000)),
    },
    { variables: { RECORDING_DIR: call.dir } },
  );
}
