/** What the fake AI hears, answers and speaks, and how fast: the same for every system that is measured. */
export const TRANSCRIPT = 'I would like to book an appointment for tomorrow';

const first = ['Sure,', ' I', ' can', ' help', ' you', ' book', ' an', ' appointment', ' for', ' tomorrow', '.'];
const second = [' What', ' time', ' of', ' the', ' day', ' would', ' work', ' best', ' for', ' you', ', morning', ' or', ' afternoon', '?'];
export const TOKENS: readonly string[] = [...first, ...second];

/** Which recording speaks a text: the second sentence begins with "What". */
export const sentenceOf = (text: string): 1 | 2 => (text.startsWith('What') ? 2 : 1);

/** Bytes of each spoken sentence on the wire: 24 kHz, 16 bits. */
export const SENTENCE_BYTES = { 1: 121_828, 2: 129_924 } as const;

/** Behind the last byte of the request; chunks of audio come ten times as fast as they play. */
export const pace = {
  transcriptMs: 150,
  firstTokenMs: 200,
  tokenMs: 10,
  firstAudioMs: 120,
  audioChunkBytes: 4_800,
  audioChunkMs: 10,
} as const;
