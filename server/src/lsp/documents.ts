// Open notes and edits to them. An edit is sent for the version it was worked out on; the editor refuses it when
// the writer has typed meanwhile, and then it is worked out again: the writer's edit always wins.
import { dirname, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Connection, TextDocuments } from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { PreflexorError } from '../errors.ts';
import { readBlocks } from '../notes/index.ts';
import type { Range, TextEdit } from '../protocol/index.ts';
import { workspaceOf } from '../state/index.ts';
import type { Note } from '../workflow/index.ts';

/** How often an edit is worked out anew when the writer keeps typing. */
const editAttempts = 8;
const retryDelayMs = 150;

export class Notes {
  readonly #connection: Connection;
  readonly #documents: TextDocuments<TextDocument>;
  readonly #home: string;
  #folders: string[] = [];

  constructor(connection: Connection, documents: TextDocuments<TextDocument>, home: string) {
    this.#home = home;
    this.#connection = connection;
    this.#documents = documents;
  }

  /** @param uris the editor's workspace folders */
  setFolders(uris: readonly string[]): void {
    this.#folders = uris.filter((uri) => uri.startsWith('file:')).map((uri) => fileURLToPath(uri));
  }

  /** Absolute paths of the editor's workspace folders. */
  get folders(): readonly string[] {
    return this.#folders;
  }

  /** @throws PreflexorError `note-missing` when the note is not open here */
  document(uri: string): TextDocument {
    const document = this.#documents.get(uri);
    if (!document) {
      throw new PreflexorError('note-missing', 'This note is not open in the editor.', {
        remedy: 'Open it as markdown and try again.',
      });
    }
    return document;
  }

  /** What the editor holds of a file; null: it is not open here. */
  textOf(uri: string): string | null {
    return this.#documents.get(uri)?.getText() ?? null;
  }

  isOpen(uri: string): boolean {
    return this.#documents.get(uri) !== undefined;
  }

  /**
   * The note as it stands in the editor, with its workspace folder.
   * @throws PreflexorError `note-missing` when it is not open, or was never saved
   */
  async note(uri: string): Promise<Note> {
    const document = this.document(uri);
    if (!uri.startsWith('file:')) {
      throw new PreflexorError('note-missing', 'This note has not been saved yet.', {
        remedy: 'Save it first: its decisions and runs are kept in the folder that it lies in.',
      });
    }
    const file = fileURLToPath(uri);
    return { text: document.getText(), file, root: await this.rootOf(file) };
  }

  /** The innermost workspace folder that holds the file, else what the file's own place says. */
  async rootOf(file: string): Promise<string> {
    return this.folderOf(file) ?? (await workspaceOf({ note: file, home: this.#home }));
  }

  /** The innermost workspace folder that holds the file, or null. */
  folderOf(file: string): string | null {
    const holding = this.#folders
      .filter(
        (folder) => file.startsWith(folder.endsWith(sep) ? folder : folder + sep) || dirname(file) === folder,
      )
      .sort((a, b) => b.length - a.length);
    return holding[0] ?? null;
  }

  /**
   * Applies what `edits` works out of the note's present text as one undoable edit.
   * @returns the text that the edit was applied to, or null when `edits` found nothing to do
   * @throws PreflexorError `note-missing`, `read-only` when the editor refuses for good; what `edits` throws
   */
  async apply(
    uri: string,
    label: string,
    edits: (text: string) => Promise<readonly TextEdit[] | null>,
  ): Promise<string | null> {
    let refusal: string | undefined;
    for (let attempt = 0; attempt < editAttempts; attempt += 1) {
      const document = this.document(uri);
      const { version } = document;
      const text = document.getText();
      const wanted = await edits(text);
      if (!wanted || wanted.length === 0) return null;
      const response = await this.#connection.workspace.applyEdit({
        label,
        edit: {
          documentChanges: [
            {
              textDocument: { uri, version },
              edits: wanted.map((edit) => ({
                range: { start: document.positionAt(edit.start), end: document.positionAt(edit.end) },
                newText: edit.text,
              })),
            },
          ],
        },
      });
      if (response.applied) return text;
      refusal = response.failureReason;
      await new Promise((resolve) => setTimeout(resolve, retryDelayMs));
    }
    throw new PreflexorError(
      'read-only',
      `The editor did not take the edit${refusal ? `: ${refusal}` : ''}.`,
      {
        remedy: 'Is the note read-only? The note is unchanged.',
      },
    );
  }

  /** The range of a block that was just inserted, as soon as the editor has sent the change; null if it never does. */
  async waitForBlock(uri: string, id: string): Promise<Range | null> {
    for (let attempt = 0; attempt < editAttempts; attempt += 1) {
      const document = this.#documents.get(uri);
      const found = document && readBlocks(document.getText()).blocks.find((block) => block.id === id);
      if (found) return { start: document.positionAt(found.start), end: document.positionAt(found.end) };
      await new Promise((resolve) => setTimeout(resolve, retryDelayMs));
    }
    return null;
  }
}
