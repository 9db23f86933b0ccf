/** Prints one call's conversation while it goes on. */
import type { AgentWords, CallerMoment, WordSource } from './caller.ts';
import { formatTalkLine, TalkLines } from './live-terminal.ts';

const VIEW_REFRESH_MS = 200;

export interface LiveView {
  moment(moment: CallerMoment): void;
  words(words: AgentWords & { readonly interrupted: boolean }): void;
  /** Keeps asking for words, so that the lines come while the call goes on. */
  watch(source: WordSource): void;
  /** Prints what is still held back. */
  end(): void;
}

export interface LiveViewOptions {
  readonly calling: string;
  readonly print: (line: string) => void;
  readonly colour: boolean;
}

export function liveView({ calling, print, colour }: LiveViewOptions): LiveView {
  const lines = new TalkLines();
  let answeredAtMs = 0;
  const flush = (everything: boolean): void => {
    for (const line of lines.take(Date.now() - answeredAtMs, everything)) print(formatTalkLine(line, colour));
  };
  let words: WordSource | undefined;
  const timer = setInterval(() => {
    words?.ask();
    flush(false);
  }, VIEW_REFRESH_MS);
  print(`  Calling ${calling} …`);
  return {
    moment(moment: CallerMoment): void {
      if (moment.kind === 'answered') answeredAtMs = moment.atMs;
      const atMs = moment.atMs - answeredAtMs;
      if (moment.kind === 'agent_on') lines.agentOn(atMs);
      if (moment.kind === 'agent_off') lines.agentOff(atMs);
      if (moment.kind === 'say') lines.callerSays(moment.text, atMs, moment.interrupting);
      if (moment.kind === 'spoken') lines.callerFinished(atMs);
    },
    words({ text, startedAtMs, interrupted }): void {
      if (text !== '') lines.agentWords(text, startedAtMs - answeredAtMs, interrupted);
    },
    watch(source) {
      words = source;
    },
    end(): void {
      clearInterval(timer);
      flush(true);
    },
  };
}
