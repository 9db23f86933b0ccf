export default async function globalTeardown() {
  await globalThis.holdfastSharedParts?.[Symbol.asyncDispose]();
}
