// Renders a chat with the model's own template and turns it into tokens.
// Message text is data: whatever it contains, it never becomes a control token.
import type {
  BuiltinSpecialTokenValue,
  ChatHistoryItem,
  ChatWrapper,
  LlamaModel,
  LlamaText,
  Token,
  Tokenizer,
} from 'node-llama-cpp';
import { PreflexorError } from '../../errors.ts';
import type { ChatMessage } from '../../protocol/index.ts';
import type { Library } from './library.ts';

/** `embedded`: the template in the model file. */
export const embeddedTemplate = 'embedded';

/** How one model's chats are written. */
export interface ChatFormat {
  /** The chat up to where the model goes on, `prefix` being how its answer begins. */
  tokens(messages: readonly ChatMessage[], prefix: string): Token[];
  /** Tokens that end the model's turn, besides those that the vocabulary marks as ends. */
  readonly endTokens: ReadonlySet<Token>;
  /** The token with which a finished turn is written; null where the vocabulary has none. */
  readonly endOfTurn: Token | null;
}

/**
 * The chat format that `chatTemplate` names: `embedded`, or a built-in wrapper of node-llama-cpp.
 * @throws PreflexorError `bad-input` for an unknown name
 */
export function chatFormat(
  library: Library,
  model: LlamaModel,
  chatTemplate: string,
  log: (text: string) => void,
): ChatFormat {
  const { wrapper, opensAnswer } = resolveWrapper(library, model, chatTemplate, log);
  const tokenizer = dataTokenizer(model);
  const endTokens = endTokensOf(wrapper, model);
  return {
    tokens(messages, prefix) {
      const history = messages.map(historyItem);
      const chat = opensAnswer
        ? continued(library, render(wrapper, history), prefix)
        : render(wrapper, [...history, { type: 'model', response: [prefix] }]);
      return tokensOf(library, model, tokenizer, chat, opensAnswer);
    },
    endTokens,
    endOfTurn: endOfTurnOf(endTokens, model),
  };
}

function render(wrapper: ChatWrapper, chatHistory: ChatHistoryItem[]): LlamaText {
  try {
    return wrapper.generateContextState({ chatHistory }).contextText;
  } catch (error) {
    throw new PreflexorError('engine-failed', "The model's chat template cannot write this conversation.", {
      remedy: 'Choose another model.',
      cause: error,
    });
  }
}

function historyItem({ role, text }: ChatMessage): ChatHistoryItem {
  return role === 'assistant' ? { type: 'model', response: [text] } : { type: role, text };
}

/**
 * `prefix` without the beginning with which `rendered` already ends: templates of thinking models open the
 * thinking section themselves. White space alone is no overlap.
 */
export function withoutOverlap(rendered: string, prefix: string): string {
  for (let length = Math.min(rendered.length, prefix.length); length > 0; length -= 1) {
    const start = prefix.slice(0, length);
    if (start.trim() !== '' && rendered.endsWith(start)) return prefix.slice(length);
  }
  return prefix;
}

interface ResolvedWrapper {
  readonly wrapper: ChatWrapper;
  /** A template opens the answer after the last message; a built-in wrapper only continues an answer. */
  readonly opensAnswer: boolean;
}

function resolveWrapper(
  library: Library,
  model: LlamaModel,
  chatTemplate: string,
  log: (text: string) => void,
): ResolvedWrapper {
  if (chatTemplate !== embeddedTemplate) {
    const type = library.specializedChatWrapperTypeNames.find((name) => name === chatTemplate);
    const wrapper = type && library.resolveChatWrapper(model, { type });
    if (!wrapper) {
      throw new PreflexorError('bad-input', `There is no chat template named "${chatTemplate}".`, {
        remedy: `Use "${embeddedTemplate}" or one of: ${library.specializedChatWrapperTypeNames.join(', ')}.`,
      });
    }
    return { wrapper, opensAnswer: false };
  }
  const template = model.fileInfo.metadata.tokenizer.chat_template;
  if (template !== undefined && template.trim() !== '') {
    try {
      const wrapper = new library.JinjaTemplateChatWrapper({
        template,
        tokenizer: model.tokenizer,
        additionalRenderParameters: { add_generation_prompt: true },
      });
      return { wrapper, opensAnswer: true };
    } catch (error) {
      log(`The chat template in the file cannot be used, a built-in one takes its place: ${String(error)}`);
    }
  }
  return { wrapper: library.resolveChatWrapper(model, { noJinja: true }), opensAnswer: false };
}

/** Single control tokens at which the template says that a turn ends. */
function endTokensOf(wrapper: ChatWrapper, model: LlamaModel): Set<Token> {
  const chatHistory: ChatHistoryItem[] = [
    { type: 'user', text: 'Hi' },
    { type: 'model', response: ['Hi'] },
  ];
  const ends = new Set<Token>();
  for (const trigger of wrapper.generateContextState({ chatHistory }).stopGenerationTriggers) {
    const tokens = trigger.tokenize(model.tokenizer);
    const [token] = tokens;
    if (tokens.length === 1 && token !== undefined && model.isSpecialToken(token)) ends.add(token);
  }
  return ends;
}

/** What the template writes comes first; of several, and where it writes none, what the vocabulary says. */
function endOfTurnOf(endTokens: ReadonlySet<Token>, { tokens }: LlamaModel): Token | null {
  const known = [tokens.eot, tokens.eos].filter((token) => token !== null);
  return known.find((token) => endTokens.has(token)) ?? [...endTokens, ...known][0] ?? null;
}

/** A chat whose template has just opened the answer, with how the answer begins. */
function continued(library: Library, chat: LlamaText, prefix: string): LlamaText {
  const opening = chat.values.at(-1);
  const rest = opening instanceof library.SpecialTokensText ? withoutOverlap(opening.value, prefix) : prefix;
  return library.LlamaText([chat, rest]);
}

/**
 * The tokens of a chat with one beginning-of-text token, or none: built-in wrappers always write one, also for
 * vocabularies that want none; templates write it or leave it to the tokenizer.
 */
function tokensOf(
  library: Library,
  model: LlamaModel,
  tokenizer: Tokenizer,
  chat: LlamaText,
  byTemplate: boolean,
): Token[] {
  const { bos, shouldPrependBosToken } = model.tokens;
  const [first, ...rest] = chat.values;
  const writes = first instanceof library.SpecialToken && first.value === 'BOS';
  const tokens = writes
    ? library.LlamaText(rest).tokenize(tokenizer, 'trimLeadingSpace')
    : chat.tokenize(tokenizer);
  const wanted = shouldPrependBosToken || (writes && byTemplate);
  return wanted && bos !== null && (writes || tokens[0] !== bos) ? [bos, ...tokens] : tokens;
}

/** The model's tokenizer, with a second lock on the door: plain text that came out as a control token is split. */
function dataTokenizer(model: LlamaModel): Tokenizer {
  const isControl = (token: Token) => model.isEogToken(token) || model.getTokenAttributes(token).control;
  function tokenize(text: string, special?: boolean, options?: 'trimLeadingSpace'): Token[];
  function tokenize(text: BuiltinSpecialTokenValue, special: 'builtin'): Token[];
  function tokenize(
    text: string,
    special: boolean | 'builtin' = false,
    options?: 'trimLeadingSpace',
  ): Token[] {
    if (special === 'builtin') return model.tokenize(text as BuiltinSpecialTokenValue, special);
    if (special) return model.tokenize(text, special, options);
    return plainTokens(text, isControl, (plain) => model.tokenize(plain, false, options));
  }
  return Object.assign(tokenize, {
    detokenize: (tokens: readonly Token[], special?: boolean, last?: readonly Token[]) =>
      model.detokenize(tokens, special, last),
    isSpecialToken: (token: Token) => model.isSpecialToken(token),
    isEogToken: (token: Token) => model.isEogToken(token),
  });
}

/**
 * Tokens of plain text without any control token: should the vocabulary have one that is matched even in plain
 * text, the text is taken apart into its characters.
 */
export function plainTokens<T extends number>(
  text: string,
  isControl: (token: T) => boolean,
  tokenize: (text: string) => T[],
): T[] {
  const tokens = tokenize(text);
  if (!tokens.some(isControl)) return tokens;
  return Array.from(text).flatMap((character) => tokenize(character).filter((token) => !isControl(token)));
}
