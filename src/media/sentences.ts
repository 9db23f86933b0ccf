/** White space behind a sentence's end; "10.30" and "a.m. on" go on. */
const SENTENCE_END = /[.!?]["')\]]?\s+(?=[A-Z0-9"'([])/g;

/** Index at which the sentence begins that holds the character at `at`; the next one when `at` is the end of a sentence. */
export function sentenceStart(text: string, at: number): number {
  let start = 0;
  for (const match of text.matchAll(SENTENCE_END)) {
    const next = match.index + match[0].length;
    // Only the white space is missing: the sentence was heard to its end.
    if (match.index + match[0].trimEnd().length > at) break;
    start = next;
  }
  return start;
}
