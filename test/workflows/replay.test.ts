import { expect, test } from '@jest/globals';
import { DeterminismViolationError } from '@temporalio/workflow';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { loadWorkflowBundle } from '../../temporal/workflow-bundle.ts';
import { changedProject, markedChange, unmarkedChange } from '../support/changed-project.ts';
import { savedHistories } from '../support/saved-histories.ts';

// The last test is meant to make it complain.
Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'OFF' } } });

const histories = await savedHistories();
/** Refused, ended before a media node had the call, or no call at all. */
const neverTalked = ['janitor', 'missed', 'over-before-temporal', 'refused'];

test('every shape of a call, and the janitor, has a saved history', () => {
  expect(histories.map(({ shape }) => shape)).toEqual([
    'completed',
    'fail-open',
    'hung-up',
    'janitor',
    'media-node-lost',
    'missed',
    'over-before-temporal',
    'refused',
    'said',
    'takeover',
    'transferred',
    'worker-lost',
  ]);
});

test.each(histories)('the workflows replay the saved history "$shape"', async ({ history }) => {
  await Worker.runReplayHistory({ workflowBundle: await loadWorkflowBundle() }, history);
});

test('a change of the workflow that would break running calls does not get past the saved histories', async () => {
  await using next = await changedProject(unmarkedChange);
  const workflowBundle = await next.bundle();
  const broken: string[] = [];
  for (const { shape, history } of histories) {
    await Worker.runReplayHistory({ workflowBundle }, history).catch((error: unknown) => {
      expect(error).toBeInstanceOf(DeterminismViolationError);
      broken.push(shape);
    });
  }
  // Every call that had a talk; the others never came to where the change is.
  expect(broken).toEqual(histories.map(({ shape }) => shape).filter((shape) => !neverTalked.includes(shape)));
}, 30_000);

test('the same change behind its markers does', async () => {
  await using next = await changedProject(markedChange);
  const workflowBundle = await next.bundle();
  for (const { history } of histories) await Worker.runReplayHistory({ workflowBundle }, history);
}, 30_000);

test('a replay notices a workflow that does something else', async () => {
  const { history: completed } = histories.find(({ shape }) => shape === 'completed') ?? {};
  for (const { activityTaskScheduledEventAttributes: scheduled } of completed?.events ?? []) {
    if (scheduled?.activityType) scheduled.activityType.name = 'somethingElse';
  }
  await expect(Worker.runReplayHistory({ workflowBundle: await loadWorkflowBundle() }, completed)).rejects.toBeInstanceOf(
    DeterminismViolationError,
  );
});
