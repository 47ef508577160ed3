import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ScriptedModel } from '../../../test/support/scriptedModel.ts';
import type { GenerateRequest } from '../protocol/index.ts';
import { criticBeside } from './critic.ts';
import type { LanguageModel } from './languageModel.ts';

const never = new AbortController().signal;
const request: GenerateRequest = {
  messages: [{ role: 'user', text: 'Why?' }],
  ...{ prefix: '', stop: [], maxTokens: 5, temperature: 0, seed: 1 },
};

function withAdapter(model: ScriptedModel, adapter: string | null): LanguageModel {
  return {
    load: async (signal) => ({ ...(await model.load(signal)), adapter }),
    generate: (wanted, signal) => model.generate(wanted, signal),
    tokenize: (text) => model.tokenize(text),
  };
}

async function spoken(model: LanguageModel): Promise<string> {
  let text = '';
  for await (const event of model.generate(request, never)) if (event.event === 'text') text += event.text;
  return text;
}

test('given a reasoner without an adapter, when the critic speaks, then it is the reasoner', async () => {
  const critic = criticBeside(
    withAdapter(new ScriptedModel(['reasoner']), null),
    new ScriptedModel(['base']),
  );
  assert.equal(await spoken(critic), 'reasoner');
});

test('given a reasoner with an adapter, when the critic speaks, then it is the model without it', async () => {
  const critic = criticBeside(
    withAdapter(new ScriptedModel(['reasoner']), 'mine'),
    new ScriptedModel(['base']),
  );
  assert.equal(await spoken(critic), 'base');
  assert.equal((await critic.load(never)).adapter, null);
});
