// How the Training view looks. Colours come from the editor's theme alone.
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
  .toolbar label,
  .curve {
    align-items: center;
    display: flex;
    gap: 4px;
    min-height: 24px;
  }
  .toolbar .end {
    display: flex;
    gap: 6px;
    margin-inline-start: auto;
  }
  .status {
    border-bottom: 0;
    border-top: 1px solid var(--vscode-panel-border, transparent);
    color: var(--vscode-descriptionForeground);
    min-height: 18px;
  }
  select {
    background: var(--vscode-dropdown-background, var(--vscode-sideBar-background));
    border: 1px solid
      var(--vscode-dropdown-border, var(--vscode-contrastBorder, var(--vscode-panel-border, transparent)));
    border-radius: 2px;
    color: var(--vscode-dropdown-foreground, var(--vscode-foreground));
    font: inherit;
    min-height: 24px;
  }
  input[type='checkbox'] {
    accent-color: var(--vscode-button-background);
    height: 16px;
    margin: 0;
    width: 16px;
  }
  button.name,
  button.compare,
  button.more,
  button.pair {
    background: transparent;
    border: 0;
    border-radius: 3px;
    color: inherit;
    cursor: pointer;
    font: inherit;
    min-height: 24px;
    padding: 2px 6px;
    text-align: start;
  }
  button.compare,
  button.more {
    color: var(--vscode-textLink-foreground);
  }
  button.name {
    align-items: center;
    display: flex;
    font-weight: 600;
    gap: 6px;
    width: 100%;
  }
  button:hover {
    background: var(--vscode-list-hoverBackground);
  }
  button:focus-visible,
  select:focus-visible,
  input:focus-visible,
  .log:focus-visible,
  main:focus-visible {
    outline: 1px solid var(--vscode-focusBorder);
    outline-offset: -1px;
  }
  vscode-icon {
    color: inherit;
    flex: none;
  }
  .both {
    display: grid;
    flex: 1;
    grid-template-columns: minmax(200px, 260px) minmax(0, 1fr);
    min-height: 0;
  }
  .runs {
    border-inline-end: 1px solid var(--vscode-panel-border, transparent);
    overflow: hidden auto;
  }
  ul,
  ol {
    list-style: none;
    margin: 0;
    padding: 0;
  }
  .run {
    border-bottom: 1px solid var(--vscode-panel-border, transparent);
    padding: 6px 6px 8px;
  }
  .run.chosen {
    background: var(--vscode-list-inactiveSelectionBackground);
  }
  .run > .facts {
    margin: 0 6px 4px 28px;
  }
  .curve {
    margin-inline-start: 28px;
  }
  .facts {
    color: var(--vscode-descriptionForeground);
    font-size: 0.95em;
  }
  .run.chosen .facts {
    color: inherit;
  }
  .curve .facts {
    margin-inline-start: auto;
    text-align: end;
  }
  .part {
    flex: none;
  }
  .swatch {
    flex: none;
    height: 4px;
    stroke: var(--vscode-foreground);
    stroke-width: 3;
    width: 16px;
  }
  .colour-0 {
    stroke: var(--vscode-charts-blue);
  }
  .colour-1 {
    stroke: var(--vscode-charts-orange);
  }
  .colour-2 {
    stroke: var(--vscode-charts-green);
  }
  .colour-3 {
    stroke: var(--vscode-charts-purple);
  }
  .colour-4 {
    stroke: var(--vscode-charts-yellow);
  }
  .colour-5 {
    stroke: var(--vscode-charts-red);
  }
  main {
    overflow: hidden auto;
    padding: 10px 14px 20px;
  }
  .charts {
    display: grid;
    gap: 12px 20px;
    grid-template-columns: repeat(auto-fit, minmax(280px, 1fr));
    margin-bottom: 8px;
  }
  .section {
    line-height: 1.5;
    margin: 2px 8px 12px 22px;
  }
  .section h3,
  .section h4 {
    font-size: 1em;
    font-weight: 600;
    margin: 10px 0 2px;
  }
  .section p {
    margin: 2px 0;
  }
  .checks li {
    align-items: start;
    display: flex;
    gap: 6px;
  }
  table {
    border-collapse: collapse;
  }
  th,
  td {
    border-bottom: 1px solid var(--vscode-panel-border, transparent);
    font-weight: inherit;
    padding: 3px 14px 3px 0;
    text-align: start;
    vertical-align: top;
  }
  thead th {
    color: var(--vscode-descriptionForeground);
  }
  .number {
    font-variant-numeric: tabular-nums;
    text-align: end;
    white-space: nowrap;
  }
  tr.doubtful th,
  tr.failed th {
    font-weight: 600;
  }
  .sides {
    display: grid;
    gap: 16px;
    grid-template-columns: 1fr 1fr;
  }
  .text {
    border-inline-start: 2px solid var(--vscode-panel-border, transparent);
    overflow-wrap: anywhere;
    padding-inline-start: 8px;
    user-select: text;
    white-space: pre-wrap;
  }
  .pairs {
    max-height: 360px;
    overflow: hidden auto;
  }
  .pair {
    display: flex;
    flex-direction: column;
    width: 100%;
  }
  .pair .question {
    font-weight: 600;
  }
  .log {
    max-height: 360px;
    overflow: hidden auto;
    user-select: text;
  }
  .log .failed,
  .log .warning {
    font-weight: 600;
  }
  .empty {
    line-height: 1.5;
    margin: 20px;
    max-width: 60em;
  }
`;
