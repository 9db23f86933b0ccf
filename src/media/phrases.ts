/** The words of the fixed phrases, English. What the agent says when it cannot ask the language model. */
import type { Phrase } from './turn-taking.ts';

export const phraseText: Readonly<Record<Exclude<Phrase, 'greeting'>, string>> = {
  not_heard: "I didn't catch that, please repeat.",
  technical_difficulty: 'Technical difficulty, trying again.',
  audio_issues: 'Audio issues, please hold.',
  still_there: 'Are you still there?',
  no_input_goodbye: "I can't hear you, so I will end the call now. Please call again. Goodbye!",
  max_turns_goodbye: 'Thank you for calling. Goodbye!',
  max_duration_goodbye: 'Maximum call time reached. Thank you!',
  operator_goodbye: 'I have to end this call now. Thank you for calling. Goodbye!',
  error_goodbye: 'I am sorry, we have a technical problem. Please call again later. Goodbye!',
};

/** Said while a tool runs longer than a caller would wait in silence. */
export const FILLER = 'One moment please.';
export const FILLER_AFTER_MS = 1_200;
