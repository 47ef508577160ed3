// preflexor generate: the model's own continuation of a chat, with nothing enforced. Shows what training changed.
import { SegmentReader } from '../reasoning/index.ts';
import { settingsOf, withEngine, type Context } from './context.ts';

export async function generateCommand(
  prompt: string,
  options: { maxTokens: number; temperature: number },
  context: Context,
): Promise<void> {
  const { output, signal } = context;
  const result = await withEngine(context, settingsOf(context.options), async (model) => {
    const loaded = await model.load(signal, (reason) => {
      output.progress(reason);
    });
    const reader = new SegmentReader(loaded.markers);
    let text = '';
    let tokens = { prompt: 0, reused: 0, generated: 0 };
    const request = {
      messages: [{ role: 'user' as const, text: prompt }],
      prefix: '',
      stop: [],
      maxTokens: options.maxTokens,
      temperature: options.temperature,
      seed: context.options.seed ?? Math.floor(Math.random() * 2 ** 31),
    };
    for await (const event of model.generate(request, signal)) {
      if (event.event === 'text') {
        text += event.text;
        reader.push(event.text, event.tokens.length);
        output.write(event.text);
      } else if (event.event === 'end') {
        tokens = event.tokens;
      }
    }
    reader.end();
    const segments = reader.segments().map(({ kind, text: content, tokens: span, problems }) => ({
      kind,
      text: content,
      tokens: span,
      problems,
    }));
    return { text, segments, tokens };
  });
  output.result(result, '');
}
