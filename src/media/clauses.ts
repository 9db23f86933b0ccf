/**
 * A token stream → pieces to synthesise: the first one as early as it sounds natural (a clause),
 * then whole sentences. Text beyond the limit is dropped at a sentence end: nobody listens to a
 * page read aloud, and playback must stay bounded.
 */
const FIRST_CLAUSE_MIN_CHARACTERS = 24;

export class ClauseSplitter {
  readonly #maxCharacters: number;
  #buffer = '';
  #given = 0;

  constructor(maxCharacters: number) {
    this.#maxCharacters = maxCharacters;
  }

  /** True once the limit is reached: what follows is dropped. */
  get full(): boolean {
    return this.#given >= this.#maxCharacters;
  }

  push(text: string): string[] {
    this.#buffer += text;
    const pieces: string[] = [];
    for (let end = this.#boundary(); end > 0; end = this.#boundary()) {
      this.#take(end, pieces);
    }
    return pieces;
  }

  /** What is left when the stream has ended. */
  end(): string[] {
    const pieces: string[] = [];
    this.#take(this.#buffer.length, pieces);
    return pieces;
  }

  #take(end: number, into: string[]): void {
    const piece = this.#buffer.slice(0, end).trim();
    this.#buffer = this.#buffer.slice(end);
    if (piece === '' || this.full) return;
    const room = this.#maxCharacters - this.#given;
    const fitting = piece.length <= room ? piece : piece.slice(0, Math.max(piece.lastIndexOf(' ', room), 0));
    this.#given = piece.length <= room ? this.#given + piece.length : this.#maxCharacters;
    if (fitting !== '') into.push(fitting);
  }

  /** Index behind the next complete piece; 0 when none is complete yet. */
  #boundary(): number {
    // A sentence end counts only with white space behind it: "10.30" and "a.m." go on.
    const sentence = /[.!?]["')\]]?\s/.exec(this.#buffer);
    if (this.#given === 0) {
      const clause = /[,;:–—]\s/.exec(this.#buffer.slice(FIRST_CLAUSE_MIN_CHARACTERS));
      const clauseEnd = clause === null ? Infinity : FIRST_CLAUSE_MIN_CHARACTERS + clause.index + 1;
      const first = Math.min(clauseEnd, sentence === null ? Infinity : sentence.index + sentence[0].length);
      return Number.isFinite(first) ? first : 0;
    }
    return sentence === null ? 0 : sentence.index + sentence[0].length;
  }
}

/** A text that is known to its end, in the pieces it would be spoken in as it came. */
export function clausesOf(text: string): string[] {
  const splitter = new ClauseSplitter(Infinity);
  return [...splitter.push(text), ...splitter.end()];
}
