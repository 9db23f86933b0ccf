/** Import directions of ARCHITECTURE.md. `npm run check` runs them and counts the modules that were read. */

/** From a folder only these may be imported (and packages, and itself). */
const only = (from, allowed) => ({
  name: `${from.replace('^src/', '').replace('/', '')}-imports-only`,
  severity: 'error',
  from: { path: from },
  to: { path: '^(src|setup|temporal|asterisk|test)/', pathNot: [from, ...allowed] },
});

const runtime = { dependencyTypesNot: ['type-only'] };
const words = ['^src/domain/', '^src/contracts/'];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'only-declared-packages',
      severity: 'error',
      from: { path: '^(src|setup|temporal|asterisk)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-dev-packages-in-production',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/bin/dev\\.ts$' },
      to: { dependencyTypes: ['npm-dev'], ...runtime },
    },
    { name: 'domain-imports-nothing', severity: 'error', from: { path: '^src/domain/' }, to: { pathNot: '^src/domain/' } },
    only('^src/contracts/', ['^src/domain/']),
    only('^src/lib/', ['^src/domain/errors\\.ts$']),
    // Types of the activities, so that the proxies are checked; the next rule keeps their code out.
    only('^src/workflows/', [...words, '^src/activities/create-activities\\.ts$', '^src/activities/janitor/sweep-world\\.ts$']),
    {
      name: 'workflows-run-in-a-sandbox',
      comment: 'Only the workflow package at run time; types may come from anywhere they are allowed to.',
      severity: 'error',
      from: { path: '^src/workflows/' },
      to: {
        pathNot: ['^src/(workflows|domain|contracts)/', '^node_modules/@temporalio/(workflow|common)/', '^node_modules/zod/'],
        ...runtime,
      },
    },
    only('^src/db/', [...words, '^src/lib/']),
    only('^src/services/', ['^src/db/', ...words, '^src/lib/', '^src/telemetry\\.ts$']),
    only('^src/activities/', ['^src/services/', ...words, '^src/lib/', '^src/telemetry\\.ts$', '^src/config\\.ts$']),
    // A talk without its workflow is held by the very code that holds it for one.
    only('^src/stand-in/', [
      '^src/activities/(deps|finalize-call|progress|relay|talk)\\.ts$',
      ...words,
      '^src/lib/',
      '^src/telemetry\\.ts$',
    ]),
    {
      name: 'stand-ins-need-no-temporal',
      severity: 'error',
      from: { path: '^src/stand-in/' },
      to: { path: '@temporalio/', reachable: true },
    },
    only('^src/api/', ['^src/services/', ...words, '^src/lib/', '^src/telemetry\\.ts$', '^src/config\\.ts$']),
    only('^src/media/', [...words, '^src/providers/ports\\.ts$', '^src/lib/', '^src/telemetry\\.ts$', '^src/config\\.ts$']),
    only('^src/telephony/', [...words, '^src/lib/', '^src/telemetry\\.ts$', '^src/media/legs/', '^src/media/call-control\\.ts$']),
    only('^src/providers/', [...words, '^src/lib/', '^src/telemetry\\.ts$', '^src/config\\.ts$']),
    {
      name: 'vendors-are-leaves',
      comment: 'A vendor folder is imported by the registry, its own files and bin; never by another vendor.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/bin/', '^src/providers/registry\\.ts$', '^src/providers/([^/]+)/'] },
      to: { path: '^src/providers/[^/]+/' },
    },
    {
      name: 'no-vendor-imports-another',
      severity: 'error',
      from: { path: '^src/providers/([^/]+)/' },
      to: { path: '^src/providers/[^/]+/', pathNot: '^src/providers/$1/' },
    },
    {
      name: 'media-knows-no-storage',
      severity: 'error',
      from: { path: '^src/media/' },
      to: { path: '^src/(db|services|api|workflows|activities)/' },
    },
    { name: 'nobody-imports-bin', severity: 'error', from: { pathNot: '^src/bin/' }, to: { path: '^src/bin/' } },
    {
      name: 'product-imports-no-setup',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/bin/dev\\.ts$' },
      to: { path: '^(setup|test)/' },
    },
    {
      name: 'nobody-imports-tests',
      severity: 'error',
      from: { path: '^(src|setup|temporal|asterisk)/', pathNot: '^setup/testing/' },
      to: { path: '^test/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
