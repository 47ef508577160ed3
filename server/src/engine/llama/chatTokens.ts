// Turns a chat and completions of it into token ids with the text that each token completes: what training computes
// on is then, token by token, what generation evaluates and writes.
import { PreflexorError } from '../../errors.ts';
import type { ChatTokens, TokenizeChatRequest } from '../../protocol/index.ts';
import type { ChatFormat } from './chatPrompt.ts';
import { TokenDecoder } from './completionText.ts';

/** The part of a session that is needed. */
export interface TokenizingSession {
  readonly format: Pick<ChatFormat, 'endOfTurn'> & {
    tokens(...chat: Parameters<ChatFormat['tokens']>): readonly number[];
  };
  readonly model: { detokenize(tokens: readonly number[], specialTokens: boolean): string };
}

/**
 * The prompt's ids and each completion's, as the engine's own chat format gives them.
 * @throws PreflexorError `engine-failed`: the template writes the prompt otherwise when a completion follows, or
 * the vocabulary has no token that ends a turn
 */
export function tokenizeChat({ format, model }: TokenizingSession, request: TokenizeChatRequest): ChatTokens {
  const { messages, completions } = request;
  const { endOfTurn } = format;
  if (endOfTurn === null) throw unfit('its vocabulary has no token that ends a turn');
  const prompt = format.tokens(messages, '');
  return {
    prompt: [...prompt],
    endOfTurn,
    completions: completions.map((completion) => {
      const whole = format.tokens(messages, completion);
      if (!prompt.every((token, index) => whole[index] === token)) {
        throw unfit('its chat template writes the question otherwise once it has an answer');
      }
      const tokens = whole.slice(prompt.length);
      const decoder = new TokenDecoder((ids) => model.detokenize(ids, true), prompt);
      return { tokens, texts: tokens.map((token) => decoder.push(token) ?? '') };
    }),
  };
}

function unfit(why: string): PreflexorError {
  return new PreflexorError('engine-failed', `This model cannot be trained on chats: ${why}.`, {
    remedy: 'Choose another model.',
  });
}
