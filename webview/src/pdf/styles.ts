// How the page of a PDF looks. Colours are the theme's; the page itself is as it was printed.
import { css } from 'lit';

export const styles = css`
  :host {
    display: flex;
    flex-direction: column;
    height: 100vh;
  }
  .toolbar {
    align-items: center;
    background: var(--vscode-editor-background);
    border-bottom: 1px solid var(--vscode-panel-border, transparent);
    display: flex;
    flex: none;
    gap: 4px;
    padding: 4px 8px;
  }
  .toolbar .space {
    flex: 1;
  }
  button {
    align-items: center;
    background: transparent;
    border: 1px solid transparent;
    border-radius: 3px;
    color: var(--vscode-foreground);
    cursor: pointer;
    display: inline-flex;
    font: inherit;
    gap: 4px;
    min-height: 24px;
    min-width: 24px;
    padding: 0 4px;
  }
  button:hover:not(:disabled) {
    background: var(--vscode-toolbar-hoverBackground);
  }
  button:disabled {
    cursor: default;
    opacity: 0.5;
  }
  :is(button, input, .scroll):focus-visible {
    outline: 1px solid var(--vscode-focusBorder);
    outline-offset: -1px;
  }
  input {
    background: var(--vscode-input-background);
    border: 1px solid var(--vscode-input-border, transparent);
    color: var(--vscode-input-foreground);
    font: inherit;
    min-height: 22px;
    text-align: end;
    width: 4em;
  }
  .message {
    padding: 16px;
  }
  .notice {
    color: var(--vscode-descriptionForeground);
    flex: none;
    margin: 0;
    padding: 4px 12px;
  }
  .scroll {
    flex: 1;
    overflow: auto;
    padding: 12px;
  }
  .page {
    box-shadow: 0 0 4px var(--vscode-widget-shadow, transparent);
    margin: 0 auto;
    position: relative;
    width: fit-content;
  }
  canvas {
    display: block;
  }
  .text {
    --min-font-size: 1;
    --min-font-size-inv: calc(1 / var(--min-font-size));
    --scale-round-x: 1px;
    --scale-round-y: 1px;
    --text-scale-factor: calc(var(--total-scale-factor) * var(--min-font-size));
    inset: 0;
    line-height: 1;
    /* So that a mark colours the page below the letters, as a pen does. */
    mix-blend-mode: multiply;
    overflow: clip;
    position: absolute;
    text-align: initial;
    text-size-adjust: none;
    transform-origin: 0 0;
  }
  .text :is(span, br) {
    color: transparent;
    cursor: text;
    position: absolute;
    transform-origin: 0% 0%;
    white-space: pre;
  }
  .text > :not(.markedContent),
  .text .markedContent span:not(.markedContent) {
    --font-height: 0;
    --rotate: 0deg;
    --scale-x: 1;
    font-size: calc(var(--text-scale-factor) * var(--font-height));
    transform: rotate(var(--rotate)) scaleX(var(--scale-x)) scale(var(--min-font-size-inv));
  }
  .text .markedContent {
    display: contents;
  }
  mark {
    background: rgb(255 226 122);
    border-bottom: 1px solid rgb(160 110 0);
    color: transparent;
  }
  @media (forced-colors: active) {
    .text {
      mix-blend-mode: normal;
    }
    mark {
      background: transparent;
      border: 2px solid Highlight;
      forced-color-adjust: none;
    }
  }
`;
