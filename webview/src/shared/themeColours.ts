// The editor's colours, for what is drawn on a canvas: style sheets don't reach there.

/** Colours of curves and kinds, told apart in any theme; the editor may lack some. */
const chartColours = ['blue', 'orange', 'green', 'purple', 'yellow', 'red'] as const;

export interface ThemeColours {
  readonly foreground: string;
  readonly faint: string;
  readonly lines: string;
  readonly background: string;
  readonly focus: string;
  readonly charts: readonly string[];
  readonly font: string;
}

export function themeColours(): ThemeColours {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string): string => style.getPropertyValue(`--vscode-${name}`).trim();
  const foreground = of('foreground') || 'currentColor';
  const named = chartColours.map((name) => of(`charts-${name}`)).filter((colour) => colour !== '');
  return {
    foreground,
    faint: of('descriptionForeground') || foreground,
    lines: of('charts-lines') || of('panel-border') || foreground,
    background: of('editor-background') || of('sideBar-background') || 'transparent',
    focus: of('focusBorder') || foreground,
    charts: named.length > 0 ? named : [foreground],
    font: of('font-family') || 'sans-serif',
  };
}

/** Hears when the editor's theme changes. @returns a function that ends the listening */
export function onThemeChange(hear: () => void): () => void {
  const observer = new MutationObserver(hear);
  // The editor gives its colours as a style of the root, and names the theme's kind on the body.
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style', 'class'] });
  observer.observe(document.body, { attributes: true, attributeFilter: ['class'] });
  return () => {
    observer.disconnect();
  };
}
