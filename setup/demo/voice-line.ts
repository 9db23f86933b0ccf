/**
 * The caller's end of the telephone line: 16 kHz PCM both ways over Asterisk's chan_websocket.
 * A real telephone never stops sending, so this one sends silence whenever it has nothing to say;
 * otherwise the far side would have gaps in time and the recordings would be too short.
 *
 * The sender is paced by the playout clock at the far end, not by a timer here: a mark follows
 * every few frames, and a fixed number of marks is kept in flight.
 */
import { WebSocket } from 'ws';

export const LINE_RATE = 16_000;
/** 20 ms of slin16. */
const FRAME_BYTES = 640;
const FRAMES_PER_MARK = 5;
/** 300 ms: what this process may sleep through without a gap in the line. */
const MARKS_IN_FLIGHT = 3;

export interface VoiceLineEvents {
  /** ~20 ms of what the caller hears. */
  onHeard(pcm: Int16Array): void;
  /** The last sample of everything said so far has left. */
  onSpoken(): void;
}

export interface VoiceLine {
  /** Queues 16 kHz PCM behind what is being said. */
  say(pcm: Int16Array): void;
  close(): void;
}

interface Socket {
  readonly url: string;
  readonly credentials: { readonly username: string; readonly password: string };
}

export async function openVoiceLine(target: Socket, events: VoiceLineEvents): Promise<VoiceLine> {
  const { username, password } = target.credentials;
  const socket = new WebSocket(target.url, 'media', { auth: `${username}:${password}`, perMessageDeflate: false });
  let pending = Buffer.alloc(0);
  let speaking = false;
  let sentMarks = 0;
  /** Number of the mark behind the last frame of speech; 0 when nothing is being said. */
  let lastSpeechMark = 0;

  const feed = (): void => {
    const frames = Math.min(FRAMES_PER_MARK, Math.ceil(pending.length / FRAME_BYTES) || FRAMES_PER_MARK);
    const chunk = Buffer.alloc(FRAME_BYTES * frames);
    pending.copy(chunk);
    pending = pending.subarray(Math.min(pending.length, chunk.length));
    sentMarks += 1;
    if (speaking && pending.length === 0) {
      speaking = false;
      lastSpeechMark = sentMarks;
    }
    socket.send(chunk);
    socket.send(JSON.stringify({ command: 'MARK_MEDIA', correlation_id: String(sentMarks) }));
  };
  socket.on('message', (data: Buffer, binary: boolean) => {
    if (binary) return events.onHeard(samples(data));
    const message = JSON.parse(data.toString()) as { event?: string; correlation_id?: string };
    if (message.event === 'MEDIA_START') for (let i = 0; i < MARKS_IN_FLIGHT; i++) feed();
    if (message.event !== 'MEDIA_MARK_PROCESSED') return undefined;
    if (socket.readyState === WebSocket.OPEN) feed();
    if (lastSpeechMark === 0 || Number(message.correlation_id) < lastSpeechMark) return undefined;
    lastSpeechMark = 0;
    return events.onSpoken();
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => undefined);
  return {
    say(pcm) {
      pending = Buffer.concat([pending, Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength)]);
      speaking = true;
      lastSpeechMark = 0;
    },
    close: () => socket.close(),
  };
}

/** A view when the bytes are aligned for 16-bit access, a copy when they are not. */
function samples(data: Buffer): Int16Array {
  const aligned = data.byteOffset % 2 === 0 ? data : Buffer.from(data);
  return new Int16Array(aligned.buffer, aligned.byteOffset, aligned.length >> 1);
}
