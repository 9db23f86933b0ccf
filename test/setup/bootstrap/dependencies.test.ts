import { upToDate } from '../../../setup/bootstrap/dependencies.mjs';

const zod = { version: '4.6.7', integrity: 'sha512-a' };
const wanted = {
  packages: { '': {}, 'node_modules/zod': zod, 'node_modules/fsevents': { version: '2.3.3', integrity: 'sha512-b', optional: true } },
};

describe('upToDate', () => {
  test('holds when everything but the packages of other platforms is there', () => {
    expect(upToDate(wanted, { packages: { 'node_modules/zod': zod } })).toBe(true);
  });

  test.each([
    ['nothing is installed', {}],
    ['a version differs', { 'node_modules/zod': { ...zod, version: '4.6.6' } }],
    ['the content differs', { 'node_modules/zod': { ...zod, integrity: 'sha512-c' } }],
  ])('does not hold when %s', (_name, packages) => {
    expect(upToDate(wanted, { packages })).toBe(false);
  });
});
