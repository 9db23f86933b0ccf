/** Compares dotted version numbers, as far as the wanted one goes: '22.10.1+dfsg' is at least '22.8'. */
export function atLeast(found, wanted) {
  const numbers = (version) => (/\d+(?:\.\d+)*/.exec(version)?.[0] ?? '').split('.').map(Number);
  const have = numbers(found);
  if (Number.isNaN(have[0]) || !/\d/.test(found)) return false;
  for (const [index, need] of numbers(wanted).entries()) {
    const part = have[index] ?? 0;
    if (part !== need) return part > need;
  }
  return true;
}
