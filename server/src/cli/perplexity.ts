// preflexor perplexity: how well a model, or an adapter on it, predicts plain texts.
import { beginningToken, perplexities, tokensOfFile } from '../training/index.ts';
import type { Context } from './context.ts';
import { withTrainingTools } from './training.ts';

export interface PerplexityCommandOptions {
  readonly first?: number;
  readonly window: number;
}

export async function perplexityCommand(
  files: readonly string[],
  options: PerplexityCommandOptions,
  context: Context,
): Promise<void> {
  const { output, signal } = context;
  const results = await withTrainingTools(context, async (tools) => {
    const adapter = await tools.choose(context.options.adapter);
    const wishes = {
      first: options.first ?? null,
      window: Math.min(options.window, tools.shape.trainedContext),
    };
    const texts = await tools.withTokenizer(async (tokenizer) => {
      const read = [];
      for (const file of files) read.push(await tokensOfFile(file, tokenizer, wishes, signal));
      return read;
    });
    output.progress('Computing');
    return await perplexities(
      tools.trainer,
      texts,
      {
        model: tools.model.file,
        adapter: adapter && (await adapter.peft(signal)),
        threads: tools.threads,
        window: wishes.window,
        beginning: await beginningToken(tools.model.file, signal),
      },
      tools.scratch,
      signal,
    );
  });
  output.result(
    results,
    results
      .map(
        ({ file, tokens, perplexity }) => `${perplexity.toFixed(2).padStart(8)}  ${file} (${tokens} tokens)`,
      )
      .join('\n'),
  );
}
