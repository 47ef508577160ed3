// The tokens of an encoder's inputs: text into ids, special tokens around them, and all cut at the model's limit.
// Runs in the engine host.
import type { LlamaModel, Token } from 'node-llama-cpp';
import { badModel, readGgufHeader, type GgufValue } from '../models/index.ts';
import { WordPiece } from './wordPiece.ts';

export interface EncoderTokens {
  /** The whole input for one text, special tokens included, `maxTokens` long at most. */
  input(text: string): Token[];
  /** Query and text for ranking, cut so that they and what is put between them fit. The text is cut first. */
  pair(query: string, text: string): { query: Token[]; text: Token[] };
  /** Ids of a text alone. */
  ids(text: string): number[];
}

/** A query may take this share of what an encoder reads, where its text is long. */
const queryShare = 0.5;

/** Special tokens that ranking puts around a pair at most: beginning, end of the query, separator, end. */
const specialTokensOfPair = 4;

/** @throws PreflexorError `bad-model` when the file's vocabulary cannot be understood */
export async function encoderTokens(
  file: string,
  model: LlamaModel,
  maxTokens: number,
  signal: AbortSignal,
): Promise<EncoderTokens> {
  const wordPiece = await wordPieceOf(file, signal);
  const ids = (text: string): Token[] =>
    wordPiece === null ? model.tokenize(text) : (wordPiece.tokens(text) as Token[]);
  const { bos, eos, sep } = model.tokens;
  // As llama.cpp puts them; node-llama-cpp leaves out what is put by `add_bos_token` before UGM vocabularies.
  const begin = wordPiece !== null || model.tokens.shouldPrependBosToken ? bos : null;
  const end = wordPiece !== null ? sep : model.tokens.shouldAppendEosToken ? eos : null;
  const around = Number(begin !== null) + Number(end !== null);
  const room = maxTokens - specialTokensOfPair;
  return {
    ids,
    input: (text) => [
      ...(begin === null ? [] : [begin]),
      ...ids(text).slice(0, maxTokens - around),
      ...(end === null ? [] : [end]),
    ],
    pair: (query, text) => {
      const [all, others] = [ids(query), ids(text)];
      const most = Math.max(Math.floor(room * queryShare), room - others.length);
      const asked = all.slice(0, most);
      const answer = others.slice(0, Math.max(0, room - asked.length));
      // The library ends a pair by the end-of-text token; BERT's has none, and is trained with a separator there.
      return { query: asked, text: eos === null && sep !== null ? [...answer, sep] : answer };
    },
  };
}

const keys = {
  model: 'tokenizer.ggml.model',
  tokens: 'tokenizer.ggml.tokens',
  types: 'tokenizer.ggml.token_type',
  unknown: 'tokenizer.ggml.unknown_token_id',
  lowercase: 'tokenizer.ggml.normalizer.lowercase',
  stripAccents: 'tokenizer.ggml.normalizer.strip_accents',
} as const;

/** llama.cpp's number for BERT's unknown token where a file does not give it. */
const usualUnknown = 100;

/** The file's WordPiece vocabulary; null when it has another kind, which is left to the model library. */
async function wordPieceOf(file: string, signal: AbortSignal): Promise<WordPiece | null> {
  const { metadata } = await readGgufHeader(file, { signal, keep: [keys.tokens, keys.types] });
  if (metadata.get(keys.model) !== 'bert') return null;
  const tokens = arrayOf(metadata.get(keys.tokens))?.strings;
  const types = arrayOf(metadata.get(keys.types))?.numbers ?? tokens?.map(() => 1);
  const unknown = metadata.get(keys.unknown) ?? usualUnknown;
  if (tokens === undefined || types?.length !== tokens.length || typeof unknown !== 'number') {
    throw badModel(file, 'its vocabulary cannot be understood');
  }
  const lowercase = metadata.get(keys.lowercase) !== false;
  const stripAccents = metadata.get(keys.stripAccents) ?? lowercase;
  return new WordPiece({ tokens, types, unknown, lowercase, stripAccents: stripAccents === true });
}

function arrayOf(value: GgufValue | undefined) {
  return typeof value === 'object' ? value : null;
}
