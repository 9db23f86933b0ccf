/** The words of the fixed phrases, English. What the agent says when it cannot ask the language model. */
import type { Logger } from '../telemetry.ts';
import type { PhraseAudio, PhraseRequest } from './phrase-audio.ts';
import type { Phrase } from './turn-taking.ts';

export const phraseText: Readonly<Record<Exclude<Phrase, 'greeting'>, string>> = {
  not_heard: "I didn't catch that, please repeat.",
  lost_you: 'Sorry, I lost you for a moment, could you say that again?',
  technical_difficulty: 'Technical difficulty, trying again.',
  audio_issues: 'Audio issues, please hold.',
  one_moment: 'One moment, please.',
  takes_longer: 'I am sorry, this is taking longer than usual. Please stay on the line.',
  still_there: 'Are you still there?',
  no_input_goodbye: "I can't hear you, so I will end the call now. Please call again. Goodbye!",
  max_turns_goodbye: 'Thank you for calling. Goodbye!',
  max_duration_goodbye: 'Maximum call time reached. Thank you!',
  operator_goodbye: 'I have to end this call now. Thank you for calling. Goodbye!',
  transfer_announced: 'One moment please, I am connecting you.',
  transfer_failed: 'I am sorry, I could not reach them. Is there anything else I can do for you?',
  error_goodbye: 'I am sorry, we have a technical problem. Please call again later. Goodbye!',
};

/** Said while a tool runs longer than a caller would wait in silence. */
export const FILLER = 'One moment please.';
export const FILLER_AFTER_MS = 1_200;

/** One after the other, for a voice that a call uses: its first sentences come first. */
export async function warmVoice(phrases: PhraseAudio, voice: Omit<PhraseRequest, 'text'>): Promise<void> {
  for (const text of Object.values(phraseText)) await phrases.get({ ...voice, text }).catch(() => undefined);
}

/** Every fixed phrase is synthesised before the first call; TTS being down now only costs the head start. */
export async function warmPhrases(phrases: PhraseAudio, voice: Omit<PhraseRequest, 'text'>, logger: Logger): Promise<void> {
  let failed = 0;
  // One after the other: calls may be taken over at this moment, and they come first.
  for (const text of Object.values(phraseText)) {
    await phrases.get({ ...voice, text }).catch(() => failed++);
  }
  if (failed > 0) logger.warn({ event: 'phrases_missing', failed }, 'Speech synthesis did not give every fixed phrase');
}
