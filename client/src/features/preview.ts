// The built-in markdown preview: annotation blocks appear folded there (contributes `markdown.markdownItPlugins`).
import { showAnnotationsFolded, type MarkdownItLike } from '../previewPlugin.ts';

/** What VS Code's markdown extension asks an extension with plugins for. */
export interface MarkdownExtension {
  extendMarkdownIt<M extends MarkdownItLike>(markdownIt: M): M;
}

export function activatePreview(): MarkdownExtension {
  return {
    extendMarkdownIt: (markdownIt) => {
      showAnnotationsFolded(markdownIt);
      return markdownIt;
    },
  };
}
