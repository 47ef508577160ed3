// Turns generated tokens into text: whole characters only, ended by stop strings that may straddle tokens.
// Knows neither the model library nor processes; decoding comes in as a function.

/** Text of token ids, in order; an incomplete character at the end shows as U+FFFD. */
export type Detokenize = (tokens: readonly number[]) => string;

const replacement = '\uFFFD';

/** A character is at most four bytes, so at most four tokens; more are a model that writes broken text. */
const mostTokensOfACharacter = 4;

/** Tokens before the new ones that are decoded with them, as some vocabularies need for the space between. */
const contextTokens = 4;

/** Decodes one token after the other. A token that ends inside a character waits for the next. */
export class TokenDecoder {
  readonly #detokenize: Detokenize;
  #context: number[];
  #waiting: number[] = [];

  /** `before`: the tokens that came before the first one (the end of the prompt). */
  constructor(detokenize: Detokenize, before: readonly number[] = []) {
    this.#detokenize = detokenize;
    this.#context = before.slice(-contextTokens);
  }

  /** The text that the token completes; null when it ends inside a character. */
  push(token: number): string | null {
    this.#waiting.push(token);
    const text = this.#decode();
    if (text.endsWith(replacement) && this.#waiting.length < mostTokensOfACharacter) return null;
    this.#context = [...this.#context, ...this.#waiting].slice(-contextTokens);
    this.#waiting = [];
    return text;
  }

  /** Ends the text: what waits is given without the half character at its end. */
  end(): string {
    const text = this.#waiting.length === 0 ? '' : this.#decode();
    this.#waiting = [];
    return text.replace(/\uFFFD+$/u, '');
  }

  #decode(): string {
    const before = this.#detokenize(this.#context);
    const all = this.#detokenize([...this.#context, ...this.#waiting]);
    return all.startsWith(before) ? all.slice(before.length) : this.#detokenize(this.#waiting);
  }
}

/** Text that is certain not to belong to a stop string, with the tokens it came from. */
export interface CompletionPiece {
  readonly text: string;
  readonly tokens: readonly number[];
  /** The stop string that ended the text; nothing comes after it. */
  readonly stop: string | null;
}

interface HeldToken {
  readonly token: number;
  /** Offsets of the token's text in everything decoded. */
  readonly start: number;
  readonly end: number;
}

/**
 * Looks for stop strings in text that comes in pieces. What may be the start of one is held back.
 * The first stop string to be complete ends the text, the longest of those that are complete at once; it does
 * not matter how the text was cut. Tokens whose text lies wholly in the stop string are left out.
 */
export class StopReader {
  readonly #stops: readonly string[];
  #held = '';
  /** Offset of the first held character. */
  #offset = 0;
  #tokens: HeldToken[] = [];

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** Takes the text of one or more tokens. Not to be called again after a stop. */
  push(text: string, tokens: readonly number[]): CompletionPiece {
    const start = this.#offset + this.#held.length;
    // Bytes of one character may have come in several tokens: all of them stand for the whole text.
    for (const token of tokens) this.#tokens.push({ token, start, end: start + text.length });
    const searched = this.#held.length;
    this.#held += text;
    const found = this.#find(searched);
    if (found) return { ...this.#release(found.start, true), stop: found.stop };
    return { ...this.#release(this.#held.length - this.#doubtful(), false), stop: null };
  }

  /** Ends the text: what was held back is given as it stands. */
  end(text: string, tokens: readonly number[]): CompletionPiece {
    const last = this.push(text, tokens);
    if (last.stop !== null) return last;
    const rest = this.#release(this.#held.length, false);
    return { text: last.text + rest.text, tokens: [...last.tokens, ...rest.tokens], stop: null };
  }

  /** The stop that is complete first; only those can be new that end after `searched`. */
  #find(searched: number): { start: number; stop: string } | null {
    let best: { start: number; end: number; stop: string } | null = null;
    for (const stop of this.#stops) {
      const start = this.#held.indexOf(stop, Math.max(0, searched - stop.length + 1));
      if (start < 0) continue;
      const end = start + stop.length;
      if (!best || end < best.end || (end === best.end && start < best.start)) best = { start, end, stop };
    }
    return best;
  }

  /** Length of the longest end of the held text that a stop string may begin with. */
  #doubtful(): number {
    let longest = 0;
    for (const stop of this.#stops) {
      const most = Math.min(stop.length - 1, this.#held.length);
      for (let length = most; length > longest; length -= 1) {
        if (this.#held.endsWith(stop.slice(0, length))) longest = length;
      }
    }
    return longest;
  }

  /** Gives out `length` characters and the tokens that end in them (or, at a stop, begin in them). */
  #release(length: number, stopped: boolean): Omit<CompletionPiece, 'stop'> {
    const text = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    this.#offset += length;
    const free = (token: HeldToken) =>
      token.end <= this.#offset || (stopped && token.start < this.#offset && token.start < token.end);
    const tokens = this.#tokens.filter(free).map(({ token }) => token);
    this.#tokens = this.#tokens.filter((token) => !free(token));
    return { text, tokens };
  }
}
