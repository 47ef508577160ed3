// How the words by which two texts differ are drawn: by colour, and by line for those who don't see the colour.
import { css, html, type TemplateResult } from 'lit';
import type { Piece } from './wordDiff.ts';

export const diffStyles = css`
  ins,
  del {
    color: inherit;
  }
  ins {
    background: var(--vscode-diffEditor-insertedTextBackground);
    outline: 1px solid var(--vscode-diffEditor-insertedTextBorder, transparent);
    text-decoration: underline;
  }
  del {
    background: var(--vscode-diffEditor-removedTextBackground);
    outline: 1px solid var(--vscode-diffEditor-removedTextBorder, transparent);
    text-decoration: line-through;
  }
`;

export function pieceTemplate({ kind, text }: Piece): TemplateResult | string {
  if (kind === 'same') return text;
  return kind === 'added' ? html`<ins>${text}</ins>` : html`<del>${text}</del>`;
}
