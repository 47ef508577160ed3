// docs/lsp-extensions.md and the protocol can't drift apart: one section per method, examples that decode.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { notifications, requests } from '../../server/src/protocol/index.ts';

const document = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'lsp-extensions.md'), 'utf8');
const sections = new Map(
  document
    .split(/^## (?=`)/m)
    .slice(1)
    .map((section) => [/^`([^`]+)`/.exec(section)?.[1] ?? '', section]),
);

/** The JSON after a label such as `Params:`. */
function example(section: string, label: string): unknown {
  const match = new RegExp(`^${label}:\\n\\n\`\`\`json\\n([\\s\\S]*?)\\n\`\`\``, 'm').exec(section);
  assert.ok(match?.[1], `the section has no example after "${label}:"`);
  return JSON.parse(match[1]);
}

function decodes(schema: z.ZodType, value: unknown): void {
  const decoded = schema.safeParse(value);
  assert.ok(decoded.success, decoded.success ? '' : z.prettifyError(decoded.error));
  // What the schema does not know would be silently dropped: such an example documents nothing.
  assert.deepEqual(decoded.data, value);
}

test('given the protocol, when the document is read, then each method has a section and each section a method', () => {
  const methods = [...requests, ...notifications].map(({ method }) => method);
  assert.deepEqual([...sections.keys()].sort(), [...methods].sort());
});

for (const request of requests) {
  test(`given ${request.method}, when its examples are decoded, then they are what the protocol says`, () => {
    const section = sections.get(request.method) ?? '';
    decodes(request.params, example(section, 'Params'));
    decodes(request.result, example(section, 'Result'));
    if (request.partial) decodes(request.partial, example(section, 'Partial result'));
  });
}

for (const notification of notifications) {
  test(`given ${notification.method}, when its example is decoded, then it is what the protocol says`, () => {
    decodes(notification.params, example(sections.get(notification.method) ?? '', 'Params'));
  });
}
