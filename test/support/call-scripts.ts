/** Talks that a scripted media node holds. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Script, ScriptedSession } from './scripted-media-node.ts';

const PAUSE_MS = 60;

function greet(session: ScriptedSession): void {
  session.answer();
  session.say('agent', session.plan.agent.greeting);
  session.emit({ kind: 'state', state: 'listening' });
}

async function exchange(session: ScriptedSession, number: number): Promise<void> {
  await sleep(PAUSE_MS);
  session.say('caller', `Question ${number} of the caller`);
  session.emit({ kind: 'state', state: 'speaking' });
  await sleep(PAUSE_MS);
  session.say('agent', `Answer ${number} of the agent`, { responseMs: 600 + number * 10, interrupted: number === 4 });
  session.emit({ kind: 'state', state: 'listening' });
}

/** Greeting, ten questions and answers, goodbye: 22 utterances. */
export const tenTurnCall: Script = async (session) => {
  greet(session);
  for (let number = 1; number <= 10; number++) await exchange(session, number);
  session.say('agent', 'Goodbye!');
  session.end('completed', 'end_call');
};

/** Talks until the worker asks for the end; then says goodbye, as the real node does. */
export const talkUntilHangup: Script = async (session) => {
  greet(session);
  await exchange(session, 1);
  await session.until(() => session.hangups.length > 0);
  session.say('agent', 'Goodbye!');
  session.end('operator_hangup', 'operator');
};

/** Three questions, then `meanwhile`, three more, the end: 13 utterances. */
export function interruptedTalk(meanwhile: (session: ScriptedSession) => Promise<void>): Script {
  return async (session) => {
    greet(session);
    for (let number = 1; number <= 3; number++) await exchange(session, number);
    await meanwhile(session);
    for (let number = 4; number <= 6; number++) await exchange(session, number);
    session.end('caller_hangup', 'hangup');
  };
}

/** What a test expects of interruptedTalk in PostgreSQL. */
export function interruptedTalkTexts(greeting: string): string[] {
  const numbers = [1, 2, 3, 4, 5, 6];
  return [greeting, ...numbers.flatMap((number) => [`Question ${number} of the caller`, `Answer ${number} of the agent`])];
}
