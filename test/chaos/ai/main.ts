/**
 * The AI of the chaos suite as a process: the embedded server's receptionist and voice, and a
 * recogniser that knows the callers' lines. Beside it, POST /heard says which of the agent's
 * sentences were heard in 16 kHz PCM: the callers' ears.
 * Environment: AI_PORT, EARS_PORT, LINES (JSON list), HOLDFAST_PARTS.
 */
import { createServer, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { voice } from '../../../setup/demo/voice.ts';
import { loadParts } from '../../../setup/stack/parts.ts';
import { resample } from '../../../src/providers/embedded/resample.ts';
import { startEmbeddedServer } from '../../../src/providers/embedded/server.ts';
import { startFlite, type Voices } from '../../../src/providers/embedded/speech/flite.ts';
import { trimSilence } from '../../../src/providers/embedded/speech/silence.ts';
import type { PcmAudio } from '../../../src/providers/wav.ts';
import { ClosedSet } from './closed-set.ts';

const MAX_HEARD_BYTES = 4_000_000;
const EAR_RATE = 16_000;
/**
 * Until the first audio of a sentence that was said before: what a streaming provider takes. flite
 * makes a whole sentence in a process of its own, which with ten calls on two cores takes several times as long.
 */
const SPEECH_MS = 120;
const EDGES = { beforeMs: 10, afterMs: 10 };

const { AI_PORT, EARS_PORT, LINES } = process.env;
const parts = loadParts(process.env);
const callers = new ClosedSet();
const agent = new ClosedSet();
for (const line of JSON.parse(LINES ?? '[]') as string[]) callers.learn(line, line, await voice(parts.flite.command, line));

const flite = await startFlite(parts.flite.command);
const spoken = new Map<string, PcmAudio>();
const voices: Voices = {
  async speak(sentence, name, signal) {
    const known = spoken.get(`${name} ${sentence}`);
    if (known !== undefined) return await sleep(SPEECH_MS, known, { signal });
    const audio = await flite.speak(sentence, name, signal);
    spoken.set(`${name} ${sentence}`, audio);
    // As the server sends it: without flite's own silence around it.
    agent.learn(`${name} ${sentence}`, sentence, resample(trimSilence(audio.pcm, audio.sampleRate, EDGES), audio.sampleRate, EAR_RATE));
    return audio;
  },
  [Symbol.asyncDispose]: () => flite[Symbol.asyncDispose](),
};
await startEmbeddedServer({
  host: '127.0.0.1',
  port: Number(AI_PORT),
  voices,
  recognizer: {
    recognize: (pcm) =>
      Promise.resolve(
        callers
          .find(pcm)
          .map(({ text }) => text)
          .join(' '),
      ),
    load: { processes: 1, waiting: 0 },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  },
});
createServer((request, response) => {
  void heard(request).then(
    (found) => response.end(JSON.stringify(found)),
    () => response.destroy(),
  );
}).listen(Number(EARS_PORT), '127.0.0.1');
process.on('SIGTERM', () => void Promise.resolve(flite[Symbol.asyncDispose]()).finally(() => process.exit(0)));

async function heard(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_HEARD_BYTES) throw new Error('too much to hear at once');
    chunks.push(chunk);
  }
  const data = Buffer.concat(chunks);
  const pcm = new Int16Array(data.length >> 1);
  for (let i = 0; i < pcm.length; i++) pcm[i] = data.readInt16LE(2 * i);
  return agent.find(pcm);
}
