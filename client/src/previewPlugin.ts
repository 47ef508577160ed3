// A markdown-it plug-in: our callouts (`> [!thinking]- …`) become `<details>`, folded as their sign says, no script.
// What a model wrote in them stays markdown, but brings no HTML, no picture and no command link into the page.
// Pure; of markdown-it it knows only the few shapes below, as the editor brings its own version.

interface Token {
  type: string;
  tag: string;
  attrs: [string, string][] | null;
  map: [number, number] | null;
  nesting: number;
  children: Token[] | null;
  content: string;
  block: boolean;
  attrGet(name: string): string | null;
  attrSet(name: string, value: string): void;
}

interface State {
  tokens: Token[];
  readonly Token: new (type: string, tag: string, nesting: 1 | 0 | -1) => Token;
}

/** A markdown-it of whatever version. */
export interface MarkdownItLike {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- each version has a state type of its own
  readonly core: { readonly ruler: { after(other: string, name: string, rule: (state: any) => void): void } };
}

const header = /^\[!(thinking|reflection|answer)\]([+-]?)[ \t]*([^\n]*)(?:\n|$)/;
const names = { thinking: 'Thinking', reflection: 'Reflection', answer: 'Suggestion' } as const;
type Kind = keyof typeof names;

const opened = 'preflexor_callout_open';
const closed = 'preflexor_callout_close';

/** Adds the two rules: one on blocks, before inline text is read, one on what was read and linked. */
export function showAnnotationsFolded(markdownIt: MarkdownItLike): void {
  markdownIt.core.ruler.after('block', 'preflexor_callouts', (state: State) => {
    state.tokens = foldCallouts(state);
  });
  markdownIt.core.ruler.after('linkify', 'preflexor_plain', (state: State) => {
    within(state.tokens, (token) => {
      if (token.children) token.children = token.children.map((child) => plain(child, state));
    });
  });
}

function foldCallouts(state: State): Token[] {
  const { tokens } = state;
  const result: Token[] = [];
  /** For each quote that is open: whether it is one of ours. */
  const quotes: boolean[] = [];
  for (let index = 0; index < tokens.length; index += 1) {
    const token = tokens[index];
    if (!token) break;
    if (token.type === 'blockquote_open') {
      const found = calloutAt(tokens, index);
      quotes.push(found !== null);
      if (found) {
        result.push(asDetails(token, found.kind, found.isOpen), ...summary(state, found.title));
        index += found.consumed;
        continue;
      }
    } else if (token.type === 'blockquote_close' && quotes.pop()) {
      token.type = closed;
      token.tag = 'details';
    } else if (token.type === 'html_block' && quotes.includes(true)) {
      result.push(...paragraph(state, token));
      continue;
    }
    result.push(token);
  }
  return result;
}

interface Callout {
  readonly kind: Kind;
  readonly isOpen: boolean;
  readonly title: string;
  /** Tokens after the quote's opening that hold nothing but the header. */
  readonly consumed: number;
}

/** Reads the header off the first paragraph of a quote, and takes it away there. */
function calloutAt(tokens: readonly Token[], index: number): Callout | null {
  const [first, inline] = tokens.slice(index + 1, index + 3);
  // Text of a model that begins with `===` makes a heading of the line above it.
  if (!inline || (first?.type !== 'paragraph_open' && first?.type !== 'heading_open')) return null;
  const match = header.exec(inline.content);
  if (!match) return null;
  const [whole, kind, sign, title] = match as unknown as [string, Kind, string, string];
  inline.content = inline.content.slice(whole.length);
  const consumed = inline.content.trim() === '' ? 3 : 0;
  return { kind, isOpen: sign !== '-', title: title.trim() || names[kind], consumed };
}

function asDetails(token: Token, kind: Kind, isOpen: boolean): Token {
  token.type = opened;
  token.tag = 'details';
  token.attrSet('class', `preflexor-callout preflexor-${kind}`);
  if (isOpen) token.attrSet('open', '');
  return token;
}

function summary({ Token }: State, title: string): Token[] {
  const start = new Token('preflexor_summary_open', 'summary', 1);
  const text = new Token('text', '', 0);
  const end = new Token('preflexor_summary_close', 'summary', -1);
  start.block = true;
  end.block = true;
  text.content = title;
  return [start, text, end];
}

/** HTML that a model wrote, as the text that it is. */
function paragraph({ Token }: State, html: Token): Token[] {
  const start = new Token('paragraph_open', 'p', 1);
  const text = new Token('text', '', 0);
  const end = new Token('paragraph_close', 'p', -1);
  start.block = true;
  end.block = true;
  start.map = html.map;
  text.content = html.content;
  return [start, text, end];
}

function within(tokens: readonly Token[], change: (token: Token) => void): void {
  let depth = 0;
  for (const token of tokens) {
    if (token.type === opened) depth += 1;
    else if (token.type === closed) depth -= 1;
    else if (depth > 0) change(token);
  }
}

function plain(token: Token, { Token }: State): Token {
  if (token.type === 'html_inline') return written(new Token('text', '', 0), token.content);
  if (token.type === 'image') {
    // A picture's address would tell its host what was written here.
    return written(new Token('text', '', 0), `![${token.content}](${token.attrGet('src') ?? ''})`);
  }
  if (token.type === 'link_open' && !isHarmless(token.attrGet('href') ?? '')) {
    token.attrs = token.attrs?.filter(([name]) => name !== 'href') ?? null;
  }
  return token;
}

function written(token: Token, content: string): Token {
  token.content = content;
  return token;
}

/** Web, mail, and places in the workspace; no `command:`, no `vscode:` and the like. */
function isHarmless(href: string): boolean {
  const scheme = /^\s*([a-z][a-z0-9+.-]*):/i.exec(href)?.[1];
  return scheme === undefined || ['http', 'https', 'mailto'].includes(scheme.toLowerCase());
}
