// The one place that makes a webview's page and talks to it: a strict content security policy, and every
// message decoded in both directions. Knows no view in particular, and of VS Code only types (so that the
// browser tests serve the very same page).
import type { Disposable, Uri, Webview } from 'vscode';
import { z } from 'zod';

/** Where the bundled pages and their fonts are, below the extension's folder. */
export const pagesFolder = 'dist/webview';

/** What one page needs. */
export interface PageParts {
  /** The origin that resources are served from: `webview.cspSource`. */
  readonly source: string;
  /** Fresh for each page. */
  readonly nonce: string;
  readonly title: string;
  readonly language: string;
  readonly script: string;
  readonly style: string;
  readonly codicons: string;
  /** Whether the page reads files of the extension itself. */
  readonly fetches?: boolean;
}

/** Nothing is allowed but our own script, style sheets and icon font: no inline code, no eval, no other host. */
export function contentSecurityPolicy({
  source,
  nonce,
  fetches = false,
}: Pick<PageParts, 'source' | 'nonce' | 'fetches'>): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${source}`,
    `font-src ${source}`,
    ...(fetches ? [`connect-src ${source}`] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

/** The page that holds one view. */
export function pageHtml(parts: PageParts): string {
  const { title, language, script, style, codicons, nonce } = parts;
  return `<!DOCTYPE html>
<html lang="${attribute(language)}">
  <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="${attribute(contentSecurityPolicy(parts))}">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${attribute(title)}</title>
    <link rel="stylesheet" href="${attribute(codicons)}" id="vscode-codicon-stylesheet">
    <link rel="stylesheet" href="${attribute(style)}">
  </head>
  <body>
    <script nonce="${attribute(nonce)}" src="${attribute(script)}"></script>
  </body>
</html>
`;
}

/** A view's page and the messages that it takes and sends. */
export interface ViewDeclaration<ToView extends z.ZodType, FromView extends z.ZodType> {
  /** The bundle's name in `dist/webview`. */
  readonly name: string;
  readonly title: string;
  readonly toView: ToView;
  readonly fromView: FromView;
  /** Whether its page reads files of the extension itself (character maps). */
  readonly fetches?: boolean;
}

export interface WebviewSurroundings {
  readonly extensionUri: Uri;
  readonly language: string;
  /** Hears what could not be read, from either side. */
  readonly warn: (problem: string) => void;
}

/** The open end of a page. */
export interface Page<ToView> {
  send(message: ToView): void;
  /** The address of a file in the pages' folder, for the page. */
  address(file: string): string;
  readonly listening: Disposable;
}

/** Fills a webview with a view's page, and hears it. */
export function openPage<ToView extends z.ZodType, FromView extends z.ZodType>(
  webview: Webview,
  view: ViewDeclaration<ToView, FromView>,
  surroundings: WebviewSurroundings,
  hear: (message: z.output<FromView>) => void,
): Page<z.output<ToView>> {
  const folder = below(surroundings.extensionUri, pagesFolder);
  const address = (file: string): string => webview.asWebviewUri(below(folder, file)).toString();
  webview.options = { enableScripts: true, enableCommandUris: false, localResourceRoots: [folder] };
  const listening = webview.onDidReceiveMessage((message: unknown) => {
    const decoded = view.fromView.safeParse(message);
    if (decoded.success) hear(decoded.data);
    else surroundings.warn(`A message of ${view.title} could not be read. ${z.prettifyError(decoded.error)}`);
  });
  webview.html = pageHtml({
    source: webview.cspSource,
    nonce: newNonce(),
    title: view.title,
    language: surroundings.language,
    script: address(`${view.name}.js`),
    style: address(`${view.name}.css`),
    codicons: address('codicon.css'),
    fetches: view.fetches ?? false,
  });
  return {
    listening,
    address,
    send: (message) => {
      // Resolves to false while the page is hidden or gone: it asks for a snapshot when it is back.
      void webview.postMessage(message);
    },
  };
}

function below(uri: Uri, path: string): Uri {
  return uri.with({ path: `${uri.path.replace(/\/$/, '')}/${path}` });
}

function newNonce(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(18));
  return Buffer.from(bytes).toString('base64url');
}

function attribute(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
