/**
 * How long to wait after the caller fell silent before the turn counts as over. A complete-sounding
 * transcript ends soon; an unfinished one ("my number is…") or a dictation waits. Pure rules for
 * English; other languages fall back to the short delay until they have rules of their own.
 */
export interface EndpointingOptions {
  readonly shortDelayMs: number;
  readonly dictationDelayMs: number;
  readonly longDelayMs: number;
}

export const endpointingDefaults: EndpointingOptions = { shortDelayMs: 300, dictationDelayMs: 1_200, longDelayMs: 2_500 };

/** Words after which English goes on. */
const unfinished = new Set(
  (
    'a an the and or but because so if when that which with without for from to of in on at by about than as my your our his her their is are was ' +
    "i'd i'm um uh er hmm like maybe between would could can please"
  ).split(' '),
);
/** Ends that only look unfinished. */
const finishedEnds = [
  /\b(yes|no|okay|sure) please$/,
  /^please$/,
  /\bif you (can|could|would)$/,
  /\bi would like that$/,
  /\b(yes|no) (i|we|you) (can|could|would|is|are|was)$/,
];
const digitWords = new Set('zero oh one two three four five six seven eight nine double triple'.split(' '));

export type Completeness = 'complete' | 'dictation' | 'unfinished';

/** @param text a transcript as STT gives it: any case, with or without punctuation. */
export function completenessOf(text: string): Completeness {
  const trimmed = text.trim().toLowerCase();
  if (/[.!?]$/.test(trimmed)) return 'complete';
  const words = trimmed
    .replace(/[^\p{L}\p{N}' ]+/gu, ' ')
    .split(/\s+/)
    .filter(Boolean);
  const last = words.at(-1);
  if (last === undefined) return 'complete';
  const tail = words.slice(-3);
  if (tail.length === 3 && tail.every((word) => digitWords.has(word) || /^\d+$/.test(word))) return 'dictation';
  if (!unfinished.has(last)) return 'complete';
  const plain = words.join(' ');
  return finishedEnds.some((pattern) => pattern.test(plain)) ? 'complete' : 'unfinished';
}

export function endOfTurnDelayMs(text: string, options: EndpointingOptions = endpointingDefaults): number {
  const completeness = completenessOf(text);
  if (completeness === 'unfinished') return options.longDelayMs;
  return completeness === 'dictation' ? options.dictationDelayMs : options.shortDelayMs;
}

const backchannels = new Set([
  'mm',
  'mm-hm',
  'mhm',
  'mm hm',
  'uh-huh',
  'uh huh',
  'hm',
  'hmm',
  'yeah',
  'okay',
  'ok',
  'right',
  'i see',
  'sure',
  'ah',
  'oh',
]);

/** Words with which a listener says "go on", not "stop". */
export function isBackchannel(text: string): boolean {
  return backchannels.has(
    text
      .trim()
      .toLowerCase()
      .replace(/[.,!?]+$/, ''),
  );
}
