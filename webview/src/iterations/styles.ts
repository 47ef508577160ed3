// How the Iterations view looks. Colours come from the editor's theme alone.
import { css } from 'lit';

export const styles = css`
  :host {
    display: flex;
    flex-direction: column;
    height: 100vh;
  }
  .scroll {
    flex: 1;
    overflow: hidden auto;
    overflow-anchor: none;
    padding: 0 0 12px;
  }
  .scroll:focus-visible {
    outline: 1px solid var(--vscode-focusBorder);
    outline-offset: -1px;
  }
  .head {
    padding: 10px 14px 8px;
  }
  h1 {
    -webkit-box-orient: vertical;
    display: -webkit-box;
    font-size: 1.08em;
    font-weight: 600;
    -webkit-line-clamp: 5;
    line-height: 1.4;
    margin: 0;
    overflow: hidden;
    overflow-wrap: anywhere;
  }
  .paragraph {
    border-inline-start: 2px solid var(--vscode-textBlockQuote-border, var(--vscode-panel-border));
    -webkit-box-orient: vertical;
    color: var(--vscode-descriptionForeground);
    display: -webkit-box;
    font-size: 0.95em;
    -webkit-line-clamp: 2;
    line-height: 1.45;
    margin: 6px 0 0;
    overflow: hidden;
    overflow-wrap: anywhere;
    padding-inline-start: 8px;
  }
  .state {
    align-items: center;
    color: var(--vscode-descriptionForeground);
    display: flex;
    font-variant-numeric: tabular-nums;
    gap: 6px;
    line-height: 18px;
    margin: 8px 0 0;
  }
  .state vscode-icon {
    color: inherit;
    flex: none;
  }
  vscode-progress-bar {
    display: block;
  }
  .failure,
  .note {
    border: 1px solid var(--vscode-inputValidation-infoBorder, var(--vscode-panel-border));
    border-radius: 4px;
    line-height: 1.45;
    margin: 4px 14px 10px;
    overflow-wrap: anywhere;
    padding: 8px 10px;
  }
  .failure {
    border-color: var(--vscode-inputValidation-errorBorder, var(--vscode-errorForeground));
  }
  .failure p,
  .note p {
    margin: 0;
  }
  .failure p + p {
    margin-top: 4px;
  }
  .buttons {
    align-items: center;
    display: flex;
    flex-wrap: wrap;
    gap: 6px;
  }
  .failure .buttons {
    margin-top: 8px;
  }
  preflexor-disclosure.section {
    padding: 0 8px;
  }
  .iteration {
    padding: 0 0 4px;
  }
  preflexor-disclosure.whole {
    padding: 0 8px;
  }
  preflexor-disclosure.whole preflexor-disclosure.section {
    padding: 0 0 0 10px;
  }
  preflexor-stream {
    border-inline-start: 2px solid var(--section-colour, var(--vscode-panel-border));
    display: block;
    line-height: 1.5;
    margin: 2px 6px 8px 9px;
    overflow-wrap: anywhere;
    padding: 1px 0 1px 12px;
    user-select: text;
    white-space: pre-wrap;
  }
  preflexor-stream:empty {
    display: none;
  }
  .thinking preflexor-stream {
    --section-colour: var(--vscode-charts-blue, var(--vscode-textLink-foreground));
    color: var(--vscode-descriptionForeground);
  }
  .reflection preflexor-stream {
    --section-colour: var(--vscode-charts-yellow, var(--vscode-editorWarning-foreground));
    color: var(--vscode-descriptionForeground);
  }
  .answer preflexor-stream {
    --section-colour: var(--vscode-charts-green, var(--vscode-textLink-foreground));
  }
  .critique preflexor-stream {
    --section-colour: var(--vscode-charts-red, var(--vscode-errorForeground));
    color: var(--vscode-descriptionForeground);
  }
  /* The time line: a rail along the iterations, thicker at the best one. */
  preflexor-disclosure.whole {
    border-inline-start: 2px solid var(--vscode-panel-border);
    margin-inline-start: 10px;
    padding-inline-start: 2px;
  }
  preflexor-disclosure.whole.best {
    border-inline-start: 3px solid var(--vscode-charts-green, var(--vscode-focusBorder));
  }
  .sources,
  ul.measured {
    list-style: none;
    margin: 0 6px 6px 9px;
    padding: 0;
  }
  .measured {
    color: var(--vscode-descriptionForeground);
    font-variant-numeric: tabular-nums;
    line-height: 1.45;
    margin: 0 6px 6px 9px;
  }
  .feedback {
    border-inline-start: 2px solid var(--vscode-panel-border);
    margin: 0 6px 8px 9px;
    overflow-wrap: anywhere;
    padding-inline-start: 8px;
    white-space: pre-wrap;
  }
  .source,
  .thumb {
    align-items: center;
    background: transparent;
    border: 0;
    border-radius: 3px;
    color: inherit;
    cursor: pointer;
    display: flex;
    font: inherit;
    gap: 6px;
    min-height: 24px;
    min-width: 24px;
    padding: 0 4px;
    text-align: start;
  }
  .source:hover,
  .thumb:hover {
    background: var(--vscode-list-hoverBackground);
  }
  .source:focus-visible,
  .thumb:focus-visible {
    outline: 1px solid var(--vscode-focusBorder);
    outline-offset: -1px;
  }
  .source vscode-icon,
  .thumb vscode-icon {
    color: inherit;
    flex: none;
  }
  .thumbs {
    display: flex;
    gap: 2px;
    margin: -4px 6px 6px;
  }
  .choices {
    display: flex;
    flex-wrap: wrap;
    gap: 6px;
    margin: 4px 9px 10px;
  }
  .warnings {
    color: var(--vscode-descriptionForeground);
    list-style: none;
    margin: 0 0 6px;
    padding: 0 14px;
  }
  .warnings li {
    display: flex;
    gap: 6px;
    line-height: 18px;
    padding: 2px 0;
  }
  .warnings vscode-icon {
    color: var(--vscode-list-warningForeground, var(--vscode-editorWarning-foreground));
    flex: none;
    margin-top: 1px;
  }
  .history {
    border-top: 1px solid var(--vscode-sideBarSectionHeader-border, var(--vscode-panel-border, transparent));
    margin-top: 8px;
    padding: 6px 8px 0;
  }
  .history ul {
    list-style: none;
    margin: 0;
    padding: 0;
  }
  .entry {
    align-items: center;
    background: transparent;
    border: 0;
    border-radius: 3px;
    color: inherit;
    cursor: pointer;
    display: flex;
    font: inherit;
    gap: 6px;
    min-height: 24px;
    padding: 0 6px;
    text-align: start;
    width: 100%;
  }
  .entry:hover {
    background: var(--vscode-list-hoverBackground);
    color: var(--vscode-list-hoverForeground, inherit);
  }
  .entry[aria-current='true'] {
    background: var(--vscode-list-inactiveSelectionBackground);
    color: var(--vscode-list-inactiveSelectionForeground, inherit);
    outline: 1px dotted var(--vscode-contrastActiveBorder, transparent);
    outline-offset: -1px;
  }
  .entry:focus-visible {
    outline: 1px solid var(--vscode-focusBorder);
    outline-offset: -1px;
  }
  .entry vscode-icon {
    color: inherit;
    flex: none;
  }
  .entry .what {
    flex: 1;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .entry .when {
    color: var(--vscode-descriptionForeground);
    flex: none;
    font-size: 0.92em;
  }
  .entry[aria-current='true'] .when {
    color: inherit;
  }
  footer {
    background: var(--vscode-sideBar-background);
    border-top: 1px solid var(--vscode-sideBarSectionHeader-border, var(--vscode-panel-border, transparent));
    flex: none;
    padding: 8px 14px;
  }
  .toolbar {
    align-items: center;
    display: flex;
    flex-wrap: wrap;
    gap: 6px;
  }
  footer .decided {
    align-items: center;
    display: flex;
    gap: 6px;
  }
  footer .decided vscode-icon {
    color: inherit;
  }
  footer .tools {
    display: flex;
    gap: 2px;
    margin-inline-start: auto;
  }
  .empty {
    padding: 14px 20px;
  }
  .empty p {
    line-height: 1.5;
    margin: 0 0 12px;
  }
  .spoken {
    clip-path: inset(50%);
    height: 1px;
    overflow: hidden;
    position: absolute;
    white-space: nowrap;
    width: 1px;
  }
`;
