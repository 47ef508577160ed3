// How the curation board looks. Colours come from the editor's theme alone.
import { css } from 'lit';
import { diffStyles } from '../shared/diffText.ts';

const board = css`
  :host {
    display: flex;
    flex-direction: column;
    height: 100vh;
  }
  .toolbar,
  .marked-bar,
  .status {
    align-items: center;
    border-bottom: 1px solid var(--vscode-panel-border, transparent);
    display: flex;
    flex: none;
    flex-wrap: wrap;
    gap: 6px 10px;
    padding: 6px 12px;
  }
  .search {
    display: flex;
    flex: 1 1 180px;
    gap: 2px;
    max-width: 340px;
  }
  input,
  select,
  textarea {
    background: var(--vscode-input-background, var(--vscode-dropdown-background));
    border: 1px solid var(--vscode-input-border, var(--vscode-contrastBorder, var(--vscode-panel-border)));
    border-radius: 2px;
    box-sizing: border-box;
    color: var(--vscode-input-foreground, var(--vscode-foreground));
    font: inherit;
    min-height: 24px;
    padding: 1px 6px;
  }
  input,
  textarea {
    width: 100%;
  }
  textarea {
    line-height: 1.5;
    padding: 6px 8px;
    resize: vertical;
  }
  input::placeholder {
    color: var(--vscode-input-placeholderForeground, var(--vscode-descriptionForeground));
    opacity: 1;
  }
  input:focus-visible,
  select:focus-visible,
  textarea:focus-visible,
  button:focus-visible,
  .rows:focus-visible {
    outline: 1px solid var(--vscode-focusBorder);
    outline-offset: -1px;
  }
  .toolbar label {
    align-items: center;
    color: var(--vscode-descriptionForeground);
    display: flex;
    gap: 4px;
  }
  .toolbar select {
    max-width: 150px;
  }
  .toggle,
  .place,
  button.tag {
    align-items: center;
    background: transparent;
    border: 1px solid transparent;
    border-radius: 3px;
    color: inherit;
    cursor: pointer;
    display: inline-flex;
    font: inherit;
    gap: 4px;
    min-height: 24px;
    min-width: 24px;
    padding: 0 4px;
  }
  .toggle:hover,
  .place:hover,
  button.tag:hover {
    background: var(--vscode-toolbar-hoverBackground, var(--vscode-list-hoverBackground));
  }
  .toggle[aria-pressed='true'] {
    border-color: var(--vscode-focusBorder);
  }
  .place:disabled {
    cursor: default;
    text-decoration: line-through;
  }
  .count {
    color: var(--vscode-descriptionForeground);
    font-variant-numeric: tabular-nums;
    margin-inline-start: auto;
  }
  .remark {
    align-items: start;
    border-bottom: 1px solid var(--vscode-panel-border, transparent);
    display: flex;
    flex: none;
    gap: 6px;
    line-height: 18px;
    margin: 0;
    padding: 6px 12px;
  }
  vscode-icon {
    color: inherit;
    flex: none;
  }
  .both {
    display: grid;
    flex: 1;
    grid-template-columns: minmax(220px, 2fr) minmax(320px, 5fr);
    min-height: 0;
  }
  .rows {
    border-inline-end: 1px solid var(--vscode-panel-border, transparent);
    contain: strict;
    overflow: hidden auto;
  }
  .space {
    position: relative;
  }
  /* The height of a row is list.ts's too. */
  .row {
    box-sizing: border-box;
    contain: strict;
    cursor: pointer;
    display: flex;
    gap: 6px;
    height: 58px;
    inset-inline: 0;
    padding: 4px 8px;
    position: absolute;
    top: 0;
  }
  .row:hover {
    background: var(--vscode-list-hoverBackground);
  }
  .row.focused {
    background: var(--vscode-list-inactiveSelectionBackground);
    color: var(--vscode-list-inactiveSelectionForeground, inherit);
    outline: 1px dotted var(--vscode-contrastActiveBorder, transparent);
    outline-offset: -1px;
  }
  .rows:focus .row.focused {
    outline: 1px solid var(--vscode-focusBorder);
  }
  .row.marked {
    border-inline-start: 3px solid var(--vscode-focusBorder);
    padding-inline-start: 5px;
  }
  .row.excluded .text {
    text-decoration: line-through;
  }
  .texts {
    flex: 1;
    line-height: 17px;
    min-width: 0;
  }
  .row .text,
  .row .facts {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .row .rejected,
  .row .facts,
  .facts,
  .hint,
  time {
    color: var(--vscode-descriptionForeground);
  }
  .row.focused .rejected,
  .row.focused .facts {
    color: inherit;
  }
  .row .facts {
    display: flex;
    font-size: 0.9em;
    gap: 6px;
  }
  .row .note {
    margin-inline-start: auto;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .row .finding {
    color: var(--vscode-list-warningForeground, var(--vscode-editorWarning-foreground, inherit));
  }
  .row.focused .finding {
    color: inherit;
  }
  .tag {
    border: 1px solid var(--vscode-panel-border);
    border-radius: 8px;
    padding: 0 6px;
  }
  .pair {
    overflow: hidden auto;
    padding: 8px 14px 14px;
  }
  .head p {
    align-items: start;
    display: flex;
    flex-wrap: wrap;
    gap: 6px;
    line-height: 18px;
    margin: 0 0 6px;
    overflow-wrap: anywhere;
  }
  .head .finding vscode-icon {
    color: var(--vscode-list-warningForeground, var(--vscode-editorWarning-foreground, inherit));
  }
  .head .finding span {
    flex: 1;
  }
  .typing {
    border: 1px solid var(--vscode-focusBorder);
    border-radius: 4px;
    margin: 4px 0 10px;
    padding: 8px 10px;
  }
  .typing label {
    display: block;
  }
  .typing .field {
    margin-top: 4px;
  }
  .buttons {
    align-items: center;
    display: flex;
    flex-wrap: wrap;
    gap: 6px;
    margin-top: 8px;
  }
  .sides {
    display: grid;
    gap: 14px;
    grid-template-columns: 1fr 1fr;
    margin: 0 6px 8px 9px;
  }
  .side {
    border-inline-start: 2px solid var(--vscode-panel-border);
    min-width: 0;
    padding-inline-start: 10px;
  }
  .side.chosen {
    border-color: var(--vscode-charts-green, var(--vscode-focusBorder));
  }
  .side.rejected {
    border-color: var(--vscode-charts-red, var(--vscode-errorForeground));
  }
  h2,
  h3 {
    color: var(--vscode-descriptionForeground);
    font-size: 0.95em;
    font-weight: 600;
    margin: 2px 0 4px;
  }
  .pair .text {
    line-height: 1.5;
    overflow-wrap: anywhere;
    user-select: text;
    white-space: pre-wrap;
  }
  .pair .one {
    margin: 0 6px 8px 9px;
  }
  .lone {
    align-items: center;
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    margin: 0 0 8px;
  }
  .history {
    list-style: none;
    margin: 0 6px 8px 9px;
    padding: 0;
  }
  .history li {
    align-items: center;
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    min-height: 28px;
  }
  .history .what {
    flex: 1;
    overflow-wrap: anywhere;
  }
  .status {
    border-bottom: 0;
    border-top: 1px solid var(--vscode-panel-border, transparent);
    justify-content: space-between;
    min-height: 18px;
    padding: 4px 12px;
  }
  .empty {
    line-height: 1.5;
    padding: 14px 6px;
  }
  .help {
    background: var(--vscode-editorWidget-background, var(--vscode-sideBar-background));
    border: 1px solid
      var(--vscode-editorWidget-border, var(--vscode-contrastBorder, var(--vscode-panel-border)));
    border-radius: 6px;
    bottom: 40px;
    max-height: 80vh;
    overflow: auto;
    padding: 12px 16px;
    position: absolute;
    right: 16px;
  }
  .help dl {
    margin: 0 0 10px;
  }
  .help dl div {
    display: flex;
    gap: 12px;
    line-height: 20px;
  }
  .help dt {
    flex: none;
    font-weight: 600;
    width: 72px;
  }
  .help dd {
    margin: 0;
  }
  @media (max-width: 620px) {
    .both {
      grid-template-columns: 1fr;
      grid-template-rows: 40% 1fr;
    }
    .sides {
      grid-template-columns: 1fr;
    }
  }
`;

export const styles = [diffStyles, board];
