/** POST /v1/audio/transcriptions */
import { z } from 'zod';
import { decodeWav, type PcmAudio } from '../wav.ts';
import { ApiError } from './api-error.ts';
import { readForm, sendJson, type Endpoint } from './http.ts';
import { RECOGNIZER_RATE, type Recognizer } from './recognition/recognizer.ts';
import { resample } from './resample.ts';

const MAX_BODY_BYTES = 25 * 1_024 * 1_024;
/** OpenAI refuses less than this as well. */
const MIN_SECONDS = 0.1;
/** A caller's turn; recognition of more would hold up everyone else. */
const MAX_SECONDS = 60;

const fields = z.object({
  model: z.string().min(1).max(200),
  language: z.string().max(35).optional(),
  response_format: z.enum(['json', 'text', 'verbose_json'], 'this server answers json, text and verbose_json').default('json'),
});

export function createTranscription(recognizer: Recognizer): Endpoint {
  return async ({ request, response, signal }) => {
    const form = await readForm(request, MAX_BODY_BYTES);
    const { response_format: format } = parseFields(form);
    const audio = await readAudio(form);
    const seconds = audio.pcm.length / audio.sampleRate;
    const text = await recognizer.recognize(resample(audio.pcm, audio.sampleRate, RECOGNIZER_RATE), signal);
    const usage = { type: 'duration', seconds: Math.ceil(seconds) };
    if (format === 'text') {
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
      response.end(`${text}\n`);
    } else if (format === 'json') {
      sendJson(response, 200, { text, usage });
    } else {
      const segments =
        text === ''
          ? []
          : [
              {
                id: 0,
                seek: 0,
                start: 0,
                end: seconds,
                text,
                tokens: [],
                temperature: 0,
                avg_logprob: 0,
                compression_ratio: 1,
                no_speech_prob: 0,
              },
            ];
      sendJson(response, 200, { task: 'transcribe', language: 'english', duration: seconds, text, segments, usage });
    }
  };
}

function parseFields(form: FormData): z.output<typeof fields> {
  const text = Object.fromEntries([...form.entries()].filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  const parsed = fields.safeParse(text);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const param = String(issue?.path[0] ?? '');
    throw new ApiError(400, `Invalid value for '${param}': ${issue?.message ?? 'not valid'}`, { param });
  }
  const language = parsed.data.language ?? 'en';
  if (!/^en\b/i.test(language)) {
    throw new ApiError(400, 'This server understands English only.', { param: 'language', code: 'unsupported_language' });
  }
  return parsed.data;
}

async function readAudio(form: FormData): Promise<PcmAudio> {
  const file = form.get('file');
  if (file === null || typeof file === 'string') throw new ApiError(400, "Missing required parameter: 'file'.", { param: 'file' });
  const audio = decode(Buffer.from(await file.arrayBuffer()));
  const seconds = audio.pcm.length / audio.sampleRate;
  if (seconds < MIN_SECONDS) {
    throw new ApiError(400, `Audio file is too short. Minimum audio length is ${MIN_SECONDS} seconds.`, {
      param: 'file',
      code: 'audio_too_short',
    });
  }
  if (seconds > MAX_SECONDS)
    throw new ApiError(400, `Audio file is too long. This server takes ${MAX_SECONDS} seconds.`, { param: 'file' });
  return audio;
}

function decode(bytes: Buffer): PcmAudio {
  try {
    return decodeWav(bytes);
  } catch {
    throw new ApiError(400, 'Invalid file format. This server reads 16-bit PCM WAV.', { param: 'file' });
  }
}
