/** Number words → digits: "twenty second" → "22nd", "ten thirty" → "10 30", "oh five" → "05". */

const units = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve'];
const teens = ['thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen', 'nineteen'];
const tens: Readonly<Record<string, number>> = { twenty: 20, thirty: 30, forty: 40, fourty: 40, fifty: 50 };
const cardinals = new Map([...units, ...teens].map((word, value) => [word, value]));

const ordinalWords = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth', 'tenth', 'eleventh', 'twelfth'];
const ordinals = new Map([
  ...ordinalWords.map((word, index): [string, number] => [word, index + 1]),
  ...teens.map((word, index): [string, number] => [`${word}th`, index + 13]),
  ['twentieth', 20],
  ['thirtieth', 30],
]);

/** @param words normalised text. */
export function digits(words: string): string {
  const tokens = words.split(' ');
  const out: string[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const word = tokens[i] ?? '';
    const next = tokens[i + 1] ?? '';
    const ten = tens[word];
    const [unit, ordinal] = [cardinals.get(next), ordinals.get(next)];
    if (ten !== undefined && unit !== undefined && unit > 0 && unit < 10) out.push(String(ten + unit));
    else if (ten !== undefined && ordinal !== undefined && ordinal < 10) out.push(`${ten + ordinal}th`);
    else if ((word === 'oh' || word === 'o') && unit !== undefined && unit < 10) out.push(`0${unit}`);
    else {
      out.push(single(word));
      continue;
    }
    i++;
  }
  return out.join(' ').replace(/\b(\d{1,2})(?:st|nd|rd)\b/g, '$1th');
}

function single(word: string): string {
  const ordinal = ordinals.get(word);
  if (ordinal !== undefined) return `${ordinal}th`;
  const value = cardinals.get(word) ?? tens[word];
  return value === undefined ? word : String(value);
}
