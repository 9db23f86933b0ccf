import { expect, test } from '@jest/globals';
import { DeterminismViolationError } from '@temporalio/workflow';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { loadWorkflowBundle } from '../../temporal/workflow-bundle.ts';
import { savedHistories } from '../support/saved-histories.ts';

// The last test is meant to make it complain.
Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'OFF' } } });

const histories = await savedHistories();

test('every shape of a call has a saved history', () => {
  expect(histories.map(({ shape }) => shape)).toEqual(['completed', 'hung-up', 'media-node-lost', 'missed', 'refused', 'worker-lost']);
});

test.each(histories)('inboundCall replays a call that was $shape', async ({ history }) => {
  await Worker.runReplayHistory({ workflowBundle: await loadWorkflowBundle() }, history);
});

test('a replay notices a workflow that does something else', async () => {
  const { history: completed } = histories.find(({ shape }) => shape === 'completed') ?? {};
  for (const { activityTaskScheduledEventAttributes: scheduled } of completed?.events ?? []) {
    if (scheduled?.activityType) scheduled.activityType.name = 'somethingElse';
  }
  await expect(Worker.runReplayHistory({ workflowBundle: await loadWorkflowBundle() }, completed)).rejects.toBeInstanceOf(
    DeterminismViolationError,
  );
});
