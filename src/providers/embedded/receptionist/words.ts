/** What the recogniser wrote, or a person typed, in one shape: lower case, no signs, known slips mended. */

/** Heard instead of what callers say, as measured with the embedded recogniser. Whole words only. */
const slips: readonly (readonly [RegExp, string])[] = [
  [/\bat him\b/g, 'at ten'],
  [/\b(?:an? )?(?:a point meant|appoint meant|a pointment|disappointment)\b/g, 'appointment'],
  [/\bopening (?:our|ours|are|hour)\b/g, 'opening hours'],
  [/\b(?:business|office) (?:our|ours|hour)\b/g, 'business hours'],
  [/\bgood (?:by|buy|bye)\b/g, 'goodbye'],
  [/\b(?:thank you|thanks) (?:by|buy)\b/g, 'thank you bye'],
  [/\b(?:when's|wends|whens|win's) day\b/g, 'wednesday'],
  [/\bthere's day\b/g, 'thursday'],
  [/\bfry day\b/g, 'friday'],
  [/\bto morrow\b/g, 'tomorrow'],
  [/\bhaircuts?\b|\bhair cut\b/g, 'haircut'],
  [/\bcheck ?up\b/g, 'checkup'],
  [/\bat (?:for|fore)(?= (?:in|on|oh|am|pm|please)\b|$)/g, 'at four'],
  [/\bat (?:to|too)(?= (?:in|on|oh|am|pm|please|thirty)\b|$)/g, 'at two'],
  [/\bat (?:won)\b/g, 'at one'],
  [/\bat (?:ate)\b/g, 'at eight'],
];

const contractions: readonly (readonly [RegExp, string])[] = [
  [/\bo'? ?clock\b/g, 'oclock'],
  [/\b([ap])\.? ?m\b\.?/g, '$1m'],
  [/\b(that|it|what|there|who|name|where|when|how)'s\b/g, '$1 is'],
  [/\bi'm\b/g, 'i am'],
  [/\b(i|we|you|they)'(?:d|ld)\b/g, '$1 would'],
  [/\b(i|we|you|they)'ll\b/g, '$1 will'],
  [/\b(i|we|you|they)'ve\b/g, '$1 have'],
  [/\b(we|you|they)'re\b/g, '$1 are'],
  [/\b(do|does|did|is|are|was|would|could|should)n'?t\b/g, '$1 not'],
  [/\bcan'?t\b/g, 'cannot'],
];

export function normalise(text: string): string {
  let words = text.toLowerCase().replace(/[‘’]/g, "'");
  for (const [from, to] of contractions) words = words.replace(from, to);
  words = words
    .replace(/(\d)[.](\d)/g, '$1:$2')
    .replace(/[^\p{L}\p{N}':]+|:(?!\d)|(?<!\p{L})'|'(?!\p{L})/gu, ' ')
    .replace(/\b(?:um+|uh+|er+m?|hm+|ah+)\b/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  for (const [from, to] of slips) words = words.replace(from, to);
  return words;
}
