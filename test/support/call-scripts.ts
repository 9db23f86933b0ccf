/** Talks that a scripted media node holds. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ScriptedSession } from './scripted-media-node.ts';

/** Greeting, ten questions and answers, goodbye: 22 utterances. */
export async function tenTurnCall(session: ScriptedSession): Promise<void> {
  session.answer();
  session.say('agent', session.plan.agent.greeting);
  for (let turn = 1; turn <= 10; turn++) {
    session.emit({ kind: 'state', state: 'listening' });
    await sleep(150);
    session.say('caller', `Question ${turn} of the caller`);
    session.emit({ kind: 'state', state: 'thinking' });
    session.emit({ kind: 'state', state: 'speaking' });
    await sleep(150);
    session.say('agent', `Answer ${turn} of the agent`, { responseMs: 600 + turn * 10, interrupted: turn === 4 });
  }
  session.say('agent', 'Goodbye!');
  session.end('completed', 'end_call');
}
