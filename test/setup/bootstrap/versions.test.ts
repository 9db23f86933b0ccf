import { atLeast } from '../../../setup/bootstrap/versions.mjs';

describe('atLeast', () => {
  test.each([
    ['22.10.1', '22.8', true],
    ['22.10.1+dfsg+~cs6.17', '22.8', true],
    ['22.8', '22.8', true],
    ['22.8.0', '22.8', true],
    ['23', '22.8', true],
    ['22.7.9', '22.8', false],
    ['20.9.3', '22.8', false],
    ['22', '22.8', false],
    ['v24.21.0', '24.0', true],
    ['20.20.2', '24.0', false],
    ['', '1', false],
    ['is not installed', '1.28', false],
  ])('%s against %s is %s', (found, wanted, expected) => {
    expect(atLeast(found, wanted)).toBe(expected);
  });
});
