/** Something of the grain of a language model's tokens: a word with the space before it, a sign, long words in two. */
const LONGEST = 8;

/** Joined again they are the text. */
export function splitTokens(text: string): string[] {
  const words = text.match(/\s*[\p{L}\p{N}']+|\s*[^\s\p{L}\p{N}']|\s+/gu) ?? [];
  return words.flatMap((word) => (word.length > LONGEST + 2 ? [word.slice(0, LONGEST), word.slice(LONGEST)] : [word]));
}

export const countTokens = (text: string): number => splitTokens(text).length;
