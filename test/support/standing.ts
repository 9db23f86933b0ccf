/** A talk of three turns in which nobody speaks. */
import type { Checkpoint } from '../../src/contracts/checkpoint.ts';

export const standing: Checkpoint = {
  answeredAt: '2026-11-21T10:00:00.000Z',
  floor: 'nobody',
  speech: null,
  afterSaying: 'listen',
  text: '',
  unanswered: '',
  turns: 3,
  reminders: 1,
  endCallRequested: false,
  ending: null,
  toSay: [],
  transferTo: null,
  steered: [],
  transferring: false,
  nextSequence: 7,
  usage: { sttSeconds: 1, llmPromptTokens: 2, llmCompletionTokens: 3, ttsCharacters: 4 },
};
