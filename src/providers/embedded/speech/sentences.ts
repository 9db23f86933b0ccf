/** Text → pieces that are spoken one after the other; the first one short, for a fast first byte. */

const LONGEST = 240;

/** Splits at sentence ends, then at commas where a sentence is very long. Nothing but whitespace is lost. */
export function splitSentences(text: string): string[] {
  const sentences = speakable(text).split(/(?<=[.!?])\s+/);
  return sentences.flatMap(shorten).filter((sentence) => /[\p{L}\p{N}]/u.test(sentence));
}

function shorten(sentence: string): string[] {
  if (sentence.length <= LONGEST) return [sentence];
  const head = sentence.slice(0, LONGEST);
  const at = Math.max(head.lastIndexOf(', '), head.lastIndexOf('; '));
  const cut = at > 40 ? at + 1 : head.lastIndexOf(' ') > 0 ? head.lastIndexOf(' ') : LONGEST;
  return [sentence.slice(0, cut).trim(), ...shorten(sentence.slice(cut).trim())];
}

/** flite reads "9:30 AM" as "nine thirty a m" once the letters stand apart, and stumbles over typographic signs. */
function speakable(text: string): string {
  return text
    .replace(/[‘’]/g, "'")
    .replace(/[“”"*_#`]/g, ' ')
    .replace(/\s*[–—]\s*/g, ', ')
    .replace(
      /\b(\d{1,2}(?::\d{2})?)\s*([AaPp])(?:\.[Mm]\b\.?|[Mm]\b)/g,
      (_, time: string, half: string) => `${time} ${half.toLowerCase()} m`,
    )
    .replace(/\p{Cc}+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}
