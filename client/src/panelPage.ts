// A view's page in an editor panel of its own.
import { env, window, type ExtensionContext, type ViewColumn, type WebviewPanel } from 'vscode';
import type { z } from 'zod';
import type { Server } from './languageClient.ts';
import { openPage, type Page, type ViewDeclaration } from './webviewHost.ts';

export interface PanelPage<ToView> {
  readonly panel: WebviewPanel;
  readonly page: Page<ToView>;
}

/** What the page needs of the extension. */
export interface PanelOwner {
  readonly context: ExtensionContext;
  readonly server: Server;
}

/**
 * Opens the panel, titled as the view is.
 * @param closed hears that the writer closed it; the page is not heard any more then
 */
export function openPanel<ToView extends z.ZodType, FromView extends z.ZodType>(
  view: ViewDeclaration<ToView, FromView>,
  column: ViewColumn,
  { context, server }: PanelOwner,
  hear: (message: z.output<FromView>) => void,
  closed: () => void,
): PanelPage<z.output<ToView>> {
  const panel = window.createWebviewPanel(`preflexor.${view.name}`, view.title, column);
  const surroundings = {
    extensionUri: context.extensionUri,
    language: env.language,
    warn: (problem: string) => {
      server.log.warn(problem);
    },
  };
  const page = openPage(panel.webview, view, surroundings, hear);
  panel.onDidDispose(() => {
    page.listening.dispose();
    closed();
  });
  return { panel, page };
}
