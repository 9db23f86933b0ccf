import { hmacSha256, secretsEqual } from '../../src/lib/digests.ts';
import { uuidV5 } from '../../src/lib/uuid.ts';

test('hmacSha256 agrees with RFC 4231, test case 2', () => {
  expect(hmacSha256(Buffer.from('Jefe'), 'what do ya want for nothing?')).toBe(
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  );
});

test.each([
  ['right-horse-battery', 'right-horse-battery', true],
  ['right-horse-battery', 'right-horse-batterz', false],
  ['', 'right-horse-battery', false],
  ['right-horse-battery-and-more', 'right-horse-battery', false],
])('secretsEqual compares "%s" with "%s": %s', (given, expected, equal) => {
  expect(secretsEqual(given, expected)).toBe(equal);
});

test('uuidV5 agrees with RFC 9562, appendix A.4', () => {
  expect(uuidV5('www.example.com', '6ba7b810-9dad-11d1-80b4-00c04fd430c8')).toBe('2ed6657d-e927-568b-95e1-2665a8aea6a2');
  expect(() => uuidV5('x', 'not-a-uuid')).toThrow(TypeError);
});
