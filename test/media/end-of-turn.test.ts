import { completenessOf, isBackchannel } from '../../src/media/end-of-turn.ts';

describe('completenessOf', () => {
  test.each(['what are your opening hours', 'yes please', 'Book it for Monday.', 'monday at ten', 'if you could', ''])(
    '%j is complete',
    (text) => {
      expect(completenessOf(text)).toBe('complete');
    },
  );
  test.each(['my number is', 'i would like to', 'monday and', 'um', 'could you tell me the'])('%j goes on', (text) => {
    expect(completenessOf(text)).toBe('unfinished');
  });
  test.each(['five five five', 'my number is two zero two', '2 0 2'])('%j is a dictation', (text) => {
    expect(completenessOf(text)).toBe('dictation');
  });
});

test.each([
  ['Mm-hm.', true],
  ['okay', true],
  ['okay but stop', false],
])('isBackchannel(%j) is %s', (text, expected) => {
  expect(isBackchannel(text)).toBe(expected);
});
