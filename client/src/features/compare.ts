// Compare: a paragraph and the suggestion for it, side by side in the editor's own diff (preflexor/compare).
// The two texts are shown read-only; nothing here changes a note.
import { EventEmitter, Uri, commands, workspace } from 'vscode';
import { compareRequest } from '../../../server/src/protocol/index.ts';
import type { Releasable } from '../feature.ts';
import type { Server } from '../languageClient.ts';

const scheme = 'preflexor-compare';

/** A name and a text. */
export type NamedText = readonly [string, string];

export interface Compare {
  readonly disposables: readonly Releasable[];
  /** @throws RequestError */
  compare(uri: string, block: string): Promise<void>;
  /** Two texts side by side, each with its name. */
  show(title: string, key: string, left: NamedText, right: NamedText): Promise<void>;
}

export function activateCompare(server: Server): Compare {
  const texts = new Map<string, string>();
  const changed = new EventEmitter<Uri>();

  function keep(block: string, name: string, text: string): Uri {
    const uri = Uri.from({ scheme, path: `/${block}/${name}.md` });
    texts.set(uri.toString(), text);
    changed.fire(uri);
    return uri;
  }

  return {
    compare: async (uri, block) => {
      const { title, paragraph, answer } = await server.request(compareRequest, {
        textDocument: { uri },
        block,
      });
      const left = keep(block, 'Paragraph', paragraph);
      const right = keep(block, 'Suggestion', answer);
      await commands.executeCommand('vscode.diff', left, right, title);
    },
    show: async (title, key, left, right) => {
      const [one, other] = [left, right].map(([name, text]) => keep(key, name, text));
      await commands.executeCommand('vscode.diff', one, other, title);
    },
    disposables: [
      changed,
      workspace.registerTextDocumentContentProvider(scheme, {
        onDidChange: changed.event,
        provideTextDocumentContent: (uri) => texts.get(uri.toString()) ?? '',
      }),
      workspace.onDidCloseTextDocument(({ uri }) => {
        texts.delete(uri.toString());
      }),
    ],
  };
}
