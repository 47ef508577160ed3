// WordPiece as BERT's own tokenizer does it. llama.cpp's differs from it for Korean, for the vowel signs of Indian
// scripts, for enclosing marks and for words of more than 100 characters; vectors would differ with the tokens.
// Pure: the vocabulary is handed in. Special tokens in a text are ordinary text.

export interface WordPieceVocabulary {
  /** By id, as GGUF files have them: words begin with U+2581, continuations with nothing. */
  readonly tokens: readonly string[];
  /** llama.cpp's token types by id; 1 are ordinary ones, and only those are made of text. */
  readonly types: readonly number[];
  readonly unknown: number;
  readonly lowercase: boolean;
  readonly stripAccents: boolean;
}

const wordStart = '\u2581';
const ordinary = 1;
/** A longer word is unknown as a whole, in characters. */
const longestWord = 100;

// Source: BertNormalizer and BertPreTokenizer of huggingface/tokenizers.
const ignored = /[\p{C}\uFFFD]/gu;
const spaces = /\p{White_Space}+/u;
const chinese =
  /[\u4E00-\u9FFF\u3400-\u4DBF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B920}-\u{2CEAF}\uF900-\uFAFF\u{2F800}-\u{2FA1F}]/gu;
const accents = /\p{Mn}/gu;
const onlyAscii = /^\p{ASCII}*$/u;
/** Every character of ASCII that is no letter, digit or space counts. */
const punctuation = /([!-/:-@[-`{-~]|\p{P})/u;

export class WordPiece {
  readonly #starts = new Map<string, number>();
  readonly #continuations = new Map<string, number>();
  readonly #unknown: number;
  readonly #lowercase: boolean;
  readonly #stripAccents: boolean;
  /** In UTF-16 code units. */
  readonly #longest: number;

  constructor({ tokens, types, unknown, lowercase, stripAccents }: WordPieceVocabulary) {
    let longest = 0;
    for (const [id, token] of tokens.entries()) {
      if (types[id] !== ordinary) continue;
      const start = token.startsWith(wordStart);
      const text = start ? token.slice(1) : token;
      (start ? this.#starts : this.#continuations).set(text, id);
      longest = Math.max(longest, text.length);
    }
    this.#longest = longest;
    this.#unknown = unknown;
    this.#lowercase = lowercase;
    this.#stripAccents = stripAccents;
  }

  /** The token ids of `text`, without those that begin and end an input. */
  tokens(text: string): number[] {
    const ids: number[] = [];
    for (const piece of this.#normalised(text).split(spaces)) {
      for (const word of piece.split(punctuation)) if (word !== '') this.#addWord(word, ids);
    }
    return ids;
  }

  #normalised(text: string): string {
    // Tabs and line ends are control characters and count as spaces all the same.
    let normal = text.replace(/[\t\n\r]/g, ' ').replace(ignored, '');
    if (!onlyAscii.test(normal)) {
      normal = normal.replace(chinese, ' $& ');
      if (this.#stripAccents) normal = normal.normalize('NFD').replace(accents, '');
      // Lower case goes character by character: a sigma at the end of a word is no other one.
      if (this.#lowercase) normal = normal.replaceAll('Σ', 'σ');
    }
    return this.#lowercase ? normal.toLowerCase() : normal;
  }

  /** The longest token first, then the longest continuation; a word that does not come out is unknown. */
  #addWord(word: string, ids: number[]): void {
    const first = ids.length;
    if (word.length > longestWord && Array.from(word).length > longestWord) {
      ids.push(this.#unknown);
      return;
    }
    for (let at = 0; at < word.length;) {
      const known = at === 0 ? this.#starts : this.#continuations;
      let end = Math.min(word.length, at + this.#longest);
      let id = known.get(word.slice(at, end));
      while (id === undefined && end > at + 1) {
        end -= 1;
        id = known.get(word.slice(at, end));
      }
      if (id === undefined) {
        ids.splice(first, Infinity, this.#unknown);
        return;
      }
      ids.push(id);
      at = end;
    }
  }
}
