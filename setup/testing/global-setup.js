/**
 * Jest's hook before all tests. `npm test` has started the shared parts already; a Jest started by
 * hand (`node setup/run.mjs exec npx jest …`) starts its own here.
 */
export default async function globalSetup() {
  if (process.env['HOLDFAST_TEST_STACK'] || !process.env['HOLDFAST_PARTS']) return;
  const { startShared } = await import('./shared-parts.ts');
  const shared = await startShared();
  process.env['HOLDFAST_TEST_STACK'] = shared.file;
  globalThis.holdfastSharedParts = shared;
}
