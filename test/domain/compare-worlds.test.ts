import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compareWorlds } from '../../src/domain/compare-worlds.ts';
import { graceMs, NEVER_STARTED_MS, TERMINATE_AFTER_MS, YOUNG_CALL_MS, type FindingKind } from '../../src/domain/findings.ts';
import type { SeenWorkflow, World } from '../../src/domain/world.ts';

const T0 = 1_790_000_000_000;
const LOOKS_APART_MS = 5_000;

/** One call as each of the four tells of it; what is left out is not there. */
interface CallFacts {
  readonly channel?: 'held' | 'elsewhere';
  readonly media?: number;
  readonly bridge?: boolean;
  readonly session?: number;
  readonly workflow?: SeenWorkflow['status'];
  readonly openForMs?: number;
  readonly live?: 'speaking' | 'ended' | 'for ever';
}

/** Everything visible. Calls are asked for in Temporal unless `workflow` is left out. */
function worldOf(calls: Readonly<Record<string, CallFacts>>, atMs: number): World {
  const each = <T>(pick: (callId: string, facts: CallFacts) => T | null): T[] =>
    Object.entries(calls)
      .map(([callId, facts]) => pick(callId, facts))
      .filter((seen) => seen !== null);
  return {
    atMs,
    silentNodes: [],
    pbx: {
      callers: each((callId, { channel }) => (channel ? { channelId: `chan-${callId}`, callId, held: channel === 'held' } : null)),
      media: each((callId, { media }) => (media ? { channelId: `media-${callId}-${media}`, callId, epoch: media } : null)),
      bridges: each((callId, { bridge }) => (bridge ? { bridgeId: `bridge-${callId}`, callId } : null)),
    },
    sessions: each((callId, { session }) => (session === undefined ? null : { callId, nodeId: 'media-1', epoch: session })),
    openCalls: each((callId, { openForMs }) =>
      openForMs === undefined ? null : { callId, tenantId: 'tenant', startedAtMs: atMs - openForMs },
    ),
    workflows: new Map(each((callId, { workflow }) => (workflow ? ([callId, { status: workflow }] as const) : null))),
    liveStates: each((callId, { live }) =>
      live ? { callId, state: live === 'ended' ? 'ended' : 'speaking', expires: live !== 'for ever' } : null,
    ),
  };
}

const talking: CallFacts = {
  channel: 'held',
  media: 1,
  bridge: true,
  session: 1,
  workflow: 'running',
  openForMs: 120_000,
  live: 'speaking',
};

/** Both looks show the same, `forMs` after it was first suspected. */
function standing(facts: CallFacts, forMs = LOOKS_APART_MS) {
  const first = worldOf({ c: facts }, T0);
  const suspects = compareWorlds(first, worldOf({ c: facts }, T0 + 1)).suspects;
  const laterMs = T0 + forMs - LOOKS_APART_MS;
  return compareWorlds(worldOf({ c: facts }, laterMs), worldOf({ c: facts }, T0 + forMs), suspects);
}
const found = (facts: CallFacts, forMs?: number) => standing(facts, forMs).due.map(({ kind, repair }) => `${kind}: ${repair}`);

test.each<[string, CallFacts, string[], number?]>([
  [
    'a caller in the hands of nobody goes to the fallback, the rest is removed',
    { channel: 'held', media: 1, bridge: true, workflow: 'closed' },
    ['caller_unserved: give_back', 'media_channel_orphan: hang_up_media', 'bridge_orphan: destroy_bridge'],
  ],
  ['a caller whose call is on no record and unknown to Temporal', { channel: 'held', workflow: 'missing' }, ['caller_unserved: give_back']],
  ['a media channel alone', { media: 3, workflow: 'closed' }, ['media_channel_orphan: hang_up_media']],
  ['a media channel of an epoch that is over', { ...talking, session: 2 }, ['media_channel_orphan: hang_up_media']],
  ['an empty bridge', { bridge: true, workflow: 'closed' }, ['bridge_orphan: destroy_bridge']],
  [
    'a talk whose workflow was terminated ends with a goodbye',
    { ...talking, workflow: 'closed' },
    ['session_unattended: end_session'],
    graceMs.session_unattended,
  ],
  [
    'a workflow whose call is nowhere is cancelled',
    { workflow: 'running', openForMs: 300_000 },
    ['workflow_stuck: cancel_workflow'],
    graceMs.workflow_stuck,
  ],
  [
    'a workflow that does not follow its cancellation is terminated',
    { workflow: 'running' },
    ['workflow_stuck: terminate_workflow'],
    TERMINATE_AFTER_MS,
  ],
  ['a record whose workflow was terminated is closed', { workflow: 'closed', openForMs: 70_000 }, ['call_without_end: close_record']],
  [
    'a record without a workflow is reported',
    { workflow: 'missing', openForMs: YOUNG_CALL_MS + LOOKS_APART_MS },
    ['call_without_workflow: report'],
  ],
  [
    'a record that never gets a workflow is closed in the end',
    { workflow: 'missing', openForMs: NEVER_STARTED_MS },
    ['call_without_end: close_record'],
  ],
  ['a state in Redis that outlived its call', { workflow: 'closed', live: 'speaking' }, ['live_state_stale: forget_live_state']],
  ['a state in Redis that would stay for ever', { workflow: 'closed', live: 'for ever' }, ['live_state_stale: forget_live_state']],
])('compareWorlds finds %s', (...[, facts, expected, forMs]) => {
  expect(found(facts, forMs)).toEqual(expected);
});

test('compareWorlds gives a caller back whom a running workflow does not bring to a node, but only after the takeover had its time', () => {
  const facts: CallFacts = { channel: 'held', bridge: true, workflow: 'running', openForMs: 40_000 };
  expect(standing(facts, graceMs.caller_waiting - 1)).toMatchObject({ due: [], watched: [{ kind: 'caller_waiting' }] });
  expect(found(facts, graceMs.caller_waiting)).toEqual(['caller_waiting: give_back']);
});

test.each<[string, CallFacts]>([
  ['that is young', { workflow: 'closed', openForMs: YOUNG_CALL_MS - LOOKS_APART_MS - 1 }],
  ['whose talk goes on', { ...talking, workflow: 'closed' }],
])('compareWorlds closes no record %s', (_, facts) => {
  expect(found(facts)).toEqual([]);
});

test('compareWorlds names a silent node', () => {
  const silent = (atMs: number): World => ({ ...worldOf({}, atMs), sessions: null, silentNodes: ['media-2'] });
  expect(compareWorlds(silent(T0), silent(T0 + LOOKS_APART_MS)).due).toMatchObject([
    { kind: 'node_silent', subject: 'media-2', repair: 'report' },
  ]);
});

/** A call in order may look like any of these; which one, may change between two looks. */
const healthy: Record<string, CallFacts> = {
  ringing: { channel: 'elsewhere', workflow: 'missing' },
  admitted: { channel: 'elsewhere', workflow: 'running', openForMs: 50 },
  'waiting for its plan': { channel: 'held', session: 0, workflow: 'running', openForMs: 200 },
  connecting: { channel: 'held', session: 1, bridge: true, workflow: 'running', openForMs: 300 },
  talking,
  'talking, admitted without Temporal': { ...talking, workflow: 'missing' },
  'losing its node': { channel: 'held', media: 1, bridge: true, workflow: 'running', openForMs: 90_000, live: 'speaking' },
  'taken over': { ...talking, session: 2, media: 2 },
  'being given back': { channel: 'elsewhere', workflow: 'running', openForMs: 90_000 },
  'hung up, not written yet': { workflow: 'running', openForMs: 100_000, live: 'ended' },
  'written, not closed yet': { workflow: 'running', live: 'ended' },
  over: { workflow: 'closed', live: 'ended' },
};

const ill: Record<string, CallFacts> = {
  unserved: { channel: 'held', media: 1, bridge: true, workflow: 'closed', openForMs: 100_000, live: 'speaking' },
  leaked: { media: 1, bridge: true, workflow: 'missing' },
  'never ended': { workflow: 'closed', openForMs: 100_000 },
  'live for ever': { workflow: 'closed', live: 'for ever' },
};

const phaseOf = (phases: Record<string, CallFacts>) => fc.constantFrom(...Object.keys(phases)).map((name) => phases[name] as CallFacts);
const twoLooks = (phase: fc.Arbitrary<CallFacts>) => fc.array(fc.tuple(phase, phase), { maxLength: 6 });
const blind = fc.record({
  pbx: fc.boolean(),
  sessions: fc.boolean(),
  openCalls: fc.boolean(),
  workflows: fc.boolean(),
  liveStates: fc.boolean(),
});
const withBlindness = (world: World, unseen: Partial<Record<keyof World, boolean>>): World =>
  Object.fromEntries(Object.entries(world).map(([part, seen]) => [part, unseen[part as keyof World] === true ? null : seen])) as never;

function worldsOf(sound: readonly [CallFacts, CallFacts][], broken: readonly CallFacts[]): [World, World] {
  const at = (look: 0 | 1): World =>
    worldOf(
      Object.fromEntries([...sound.map((phases, i) => [`sound-${i}`, phases[look]]), ...broken.map((facts, i) => [`broken-${i}`, facts])]),
      T0 + look * LOOKS_APART_MS,
    );
  return [at(0), at(1)];
}

test('compareWorlds never touches a call that is in order, whatever lies around it and whatever cannot be seen', () => {
  fc.assert(
    fc.property(twoLooks(phaseOf(healthy)), fc.array(phaseOf(ill), { maxLength: 4 }), blind, blind, (sound, broken, unseen1, unseen2) => {
      const [first, second] = worldsOf(sound, broken);
      const { due } = compareWorlds(withBlindness(first, unseen1), withBlindness(second, unseen2));
      expect(due.filter(({ callId }) => callId?.startsWith('sound'))).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
});

test('compareWorlds finds every call that is broken, whatever is in order around it', () => {
  fc.assert(
    fc.property(twoLooks(phaseOf(healthy)), fc.array(phaseOf(ill), { minLength: 1, maxLength: 4 }), (sound, broken) => {
      const { due } = compareWorlds(...worldsOf(sound, broken));
      expect(new Set(due.map(({ callId }) => callId))).toEqual(new Set(broken.map((_, i) => `broken-${i}`)));
    }),
  );
});

test('compareWorlds concludes nothing more from seeing less', () => {
  fc.assert(
    fc.property(fc.array(phaseOf({ ...healthy, ...ill }), { maxLength: 6 }), blind, (calls, unseen) => {
      const [first, second] = worldsOf([], calls);
      const all = compareWorlds(first, second).due;
      const some = compareWorlds(withBlindness(first, unseen), withBlindness(second, unseen)).due;
      expect(all).toEqual(expect.arrayContaining(some as never[]));
    }),
  );
});

test('compareWorlds acts only on what both looks show, and forgets what is over', () => {
  fc.assert(
    fc.property(phaseOf(ill), phaseOf(healthy), (broken, sound) => {
      const lookAt = (facts: CallFacts, atMs: number): World => worldOf({ c: facts }, atMs);
      expect(compareWorlds(lookAt(sound, T0), lookAt(broken, T0 + LOOKS_APART_MS)).due).toEqual([]);
      const healed = compareWorlds(lookAt(broken, T0), lookAt({}, T0 + LOOKS_APART_MS));
      expect(healed).toEqual({ due: [], watched: [], suspects: {} });
    }),
  );
});

test('every kind of finding can be found', () => {
  const facts: CallFacts[] = [
    { channel: 'held', media: 1, bridge: true, workflow: 'closed' },
    { channel: 'held', workflow: 'running' },
    { ...talking, workflow: 'closed' },
    { workflow: 'running' },
    { workflow: 'closed', openForMs: 100_000, live: 'speaking' },
    { workflow: 'missing', openForMs: 100_000 },
  ];
  const kinds = facts.flatMap((each) => standing(each, TERMINATE_AFTER_MS).due.map(({ kind }) => kind));
  const all = Object.keys(graceMs) as FindingKind[];
  expect(new Set([...kinds, 'node_silent'])).toEqual(new Set(all));
});
