/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'esnext' }, module: { type: 'es6' } }],
  },
  globalSetup: '<rootDir>/setup/testing/global-setup.js',
  globalTeardown: '<rootDir>/setup/testing/global-teardown.js',
  reporters: ['<rootDir>/setup/testing/reporter.js'],
  // Two cores; the parts under test are processes of their own and want one of them.
  maxWorkers: 2,
  testTimeout: 30_000,
  watchman: false,
};
