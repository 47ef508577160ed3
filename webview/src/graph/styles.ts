// How the Graph view looks. Colours come from the editor's theme alone.
import { css } from 'lit';

export const styles = css`
  :host {
    display: flex;
    flex-direction: column;
    height: 100vh;
  }
  .toolbar,
  .status {
    align-items: center;
    border-bottom: 1px solid var(--vscode-panel-border, transparent);
    display: flex;
    flex: none;
    flex-wrap: wrap;
    gap: 6px 12px;
    padding: 6px 12px;
  }
  .toolbar label {
    align-items: center;
    display: flex;
    gap: 4px;
    min-height: 24px;
  }
  .status {
    border-bottom: 0;
    border-top: 1px solid var(--vscode-panel-border, transparent);
    color: var(--vscode-descriptionForeground);
  }
  input[type='search'],
  select {
    background: var(--vscode-input-background, var(--vscode-dropdown-background));
    border: 1px solid var(--vscode-input-border, var(--vscode-contrastBorder, var(--vscode-panel-border)));
    border-radius: 2px;
    box-sizing: border-box;
    color: var(--vscode-input-foreground, var(--vscode-foreground));
    font: inherit;
    max-width: 220px;
    min-height: 24px;
    padding: 1px 6px;
  }
  input[type='search'] {
    width: 200px;
  }
  input::placeholder {
    color: var(--vscode-input-placeholderForeground, var(--vscode-descriptionForeground));
    opacity: 1;
  }
  input[type='checkbox'] {
    accent-color: var(--vscode-button-background);
    height: 16px;
    margin: 0;
    width: 16px;
  }
  :is(button, input, select, aside):focus-visible {
    outline: 1px solid var(--vscode-focusBorder);
    outline-offset: -1px;
  }
  fieldset {
    border: 0;
    display: flex;
    flex-wrap: wrap;
    gap: 4px 10px;
    margin: 0;
    padding: 0;
  }
  legend {
    clip-path: inset(50%);
    height: 1px;
    overflow: hidden;
    position: absolute;
    width: 1px;
  }
  .dot {
    fill: var(--vscode-descriptionForeground);
    flex: none;
    height: 10px;
    width: 10px;
  }
  .colour-0 {
    fill: var(--vscode-charts-blue);
  }
  .colour-1 {
    fill: var(--vscode-charts-orange);
  }
  .colour-2 {
    fill: var(--vscode-charts-green);
  }
  .colour-3 {
    fill: var(--vscode-charts-purple);
  }
  .colour-4 {
    fill: var(--vscode-charts-yellow);
  }
  .colour-5 {
    fill: var(--vscode-charts-red);
  }
  .both {
    display: grid;
    flex: 1;
    grid-template-columns: minmax(0, 1fr) minmax(220px, 320px);
    min-height: 0;
  }
  aside {
    border-inline-start: 1px solid var(--vscode-panel-border, transparent);
    overflow: hidden auto;
    padding: 10px 12px;
  }
  aside h2,
  aside h3 {
    font-size: 1em;
    font-weight: 600;
    margin: 10px 0 2px;
    overflow-wrap: anywhere;
  }
  aside p {
    line-height: 1.5;
    margin: 2px 0 8px;
  }
  ul {
    list-style: none;
    margin: 0;
    padding: 0;
  }
  .link {
    background: transparent;
    border: 0;
    border-radius: 3px;
    color: inherit;
    cursor: pointer;
    font: inherit;
    min-height: 24px;
    overflow-wrap: anywhere;
    padding: 2px 4px;
    text-align: start;
    width: 100%;
  }
  .evidence .link {
    display: flex;
    flex-direction: column;
  }
  .link:disabled {
    cursor: default;
  }
  .link:hover:enabled {
    background: var(--vscode-list-hoverBackground);
  }
  q {
    border-inline-start: 2px solid var(--vscode-panel-border, transparent);
    padding-inline-start: 6px;
  }
  .facts {
    color: var(--vscode-descriptionForeground);
    font-size: 0.95em;
  }
`;
