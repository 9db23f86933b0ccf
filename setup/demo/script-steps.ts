/** The vocabulary of a scripted caller: what it does, what it notices, what it has done for it. */

export type Step =
  /** Speaks; where the agent is to be interrupted, an `interrupt` step comes before. */
  | { readonly do: 'say'; readonly text: string }
  /** Waits until the agent has spoken since the last `say` and is quiet, and its words match. */
  | {
      readonly do: 'hear';
      readonly what: string;
      readonly expect?: RegExp;
      readonly answers?: readonly FollowUp[];
      readonly timeoutMs?: number;
      /** How often the line before is said in all, until the words match; three times unless told. */
      readonly tries?: number;
    }
  /** Waits until the agent has been speaking for so long. */
  | { readonly do: 'interrupt'; readonly afterMs: number }
  | { readonly do: 'dtmf'; readonly digits: string }
  | { readonly do: 'silence'; readonly forMs: number }
  /** Says nothing until it is told to go on. */
  | { readonly do: 'wait'; readonly name: string }
  /** Ends the call; nothing can follow. */
  | { readonly do: 'hangup' }
  /** Waits for the agent to end the call. */
  | { readonly do: 'await_hangup'; readonly timeoutMs?: number };

/** When the agent's words match `when`, the caller says `say` and goes on waiting. */
export interface FollowUp {
  readonly when: RegExp;
  readonly say: string;
}

export type ScriptEvent =
  | { readonly kind: 'tick'; readonly atMs: number }
  /** The agent's energy began or ended. */
  | { readonly kind: 'agent_on' | 'agent_off'; readonly atMs: number }
  /** The line that was being said is over. */
  | { readonly kind: 'spoken'; readonly atMs: number }
  /** What the agent said, as text; `startedAtMs` is when it began to say it. */
  | { readonly kind: 'agent_words'; readonly atMs: number; readonly startedAtMs: number; readonly text: string }
  /** The wait of this name is over. */
  | { readonly kind: 'go'; readonly atMs: number; readonly name: string }
  | { readonly kind: 'ended'; readonly atMs: number };

export type ScriptCommand =
  | { readonly do: 'say'; readonly text: string }
  | { readonly do: 'dtmf'; readonly digits: string }
  | { readonly do: 'waiting'; readonly name: string }
  | { readonly do: 'hangup' };
