import fc from 'fast-check';
import { ClauseSplitter, clausesOf } from '../../src/media/clauses.ts';

function split(text: string, tokenLength = 3, limit = 500): string[] {
  const splitter = new ClauseSplitter(limit);
  const pieces: string[] = [];
  for (let at = 0; at < text.length; at += tokenLength) pieces.push(...splitter.push(text.slice(at, at + tokenLength)));
  return [...pieces, ...splitter.end()];
}

describe('ClauseSplitter', () => {
  test('gives a first clause early, then whole sentences', () => {
    expect(split('We are open Monday to Friday, from nine to five, and on Saturday. Closed on Sunday, sorry. Anything else?')).toEqual([
      'We are open Monday to Friday,',
      'from nine to five, and on Saturday.',
      'Closed on Sunday, sorry.',
      'Anything else?',
    ]);
  });

  test('does not break at a comma after two words, nor inside a time', () => {
    expect(split('Yes, at 10.30 a slot is free. Fine?')[0]).toBe('Yes, at 10.30 a slot is free.');
  });

  test('stops at the limit, at a word', () => {
    const pieces = split(`Hello there. ${'word '.repeat(400)}`, 7, 100);
    expect(pieces.join(' ').length).toBeLessThanOrEqual(100);
    expect(pieces.join(' ')).toMatch(/word$/);
  });

  test('loses no word, however the tokens are cut', () => {
    const words = fc.array(fc.constantFrom('yes', 'no,', 'stop.', 'at 10.30', 'really?', 'well;'), { maxLength: 30 });
    fc.assert(
      fc.property(words, fc.integer({ min: 1, max: 9 }), (list, tokenLength) => {
        const text = list.join(' ');
        return split(text, tokenLength).join(' ') === text;
      }),
    );
  });
});

test('clausesOf cuts a whole text as it would have been cut while it came: the same pieces are synthesised already', () => {
  const text = 'On Tuesday, November 24 I have these times, and more later: 9 AM or 10 AM. What time would you like?';
  expect(clausesOf(text)).toEqual(split(text, 3, 10_000));
  expect(clausesOf('Goodbye!')).toEqual(['Goodbye!']);
});
