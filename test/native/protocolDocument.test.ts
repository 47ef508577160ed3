// native/PROTOCOL.md against server/src/protocol/trainer.ts: whatever the code declares is described.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { it } from 'node:test';
import {
  LoraTarget,
  TrainerCommand,
  TrainerLine,
  TrainerLoss,
  TrainerRecord,
  TrainerScoreConfig,
  TrainerTrainConfig,
  trainerProtocolVersion,
} from '../../server/src/protocol/trainer.ts';
import { repository } from './support/trainer.ts';

it('given the declared lines, fields, losses and commands, when looked up, then PROTOCOL.md has them', async () => {
  const text = await readFile(path.join(repository, 'native/PROTOCOL.md'), 'utf8');
  assert.match(text, new RegExp(`^# The trainer's protocol, version ${trainerProtocolVersion}$`, 'm'));
  const words = new Set(text.split(/[^A-Za-z_-]+/));
  const fields = [TrainerRecord, TrainerScoreConfig, TrainerTrainConfig].flatMap((schema) =>
    Object.keys(schema.shape),
  );
  const lines = TrainerLine.options.flatMap((schema) => Object.keys(schema.shape));
  const declared = [
    ...TrainerLine.options.map((schema) => schema.shape.event.value),
    ...lines.map((name) => (name.startsWith('rewards/') ? 'rewards' : name)),
    ...fields,
    ...TrainerLoss.options,
    ...TrainerCommand.options,
    ...LoraTarget.options,
  ];
  assert.deepEqual(
    declared.filter((name) => !words.has(name)),
    [],
  );
});
