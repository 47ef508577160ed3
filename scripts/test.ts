// `npm test`: runs the stages one after the other (two cores are the measure), or only those that are named,
// as in `npm test -- unit server`; stages that take long to prepare run only by their names. The last line is `N passed, N failed`, the exit code says the same.
import { Preparation } from './testing/prepare.ts';
import { failure, report, type Results, type StageResults } from './testing/results.ts';
import { stages, type Stage } from './testing/stages.ts';
import { explain } from './setup/errors.ts';

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !stages.some((stage) => stage.name === name));
  if (unknown.length > 0) {
    console.error(`There is no stage ${unknown.join(', ')}. The stages are:`);
    for (const { name, about } of stages) console.error(`  ${name.padEnd(12)}${about}`);
    console.log('0 passed, 1 failed');
    return 2;
  }
  const preparation = new Preparation();
  const results: StageResults[] = [];
  for (const stage of stages) {
    if (names.length > 0 ? !names.includes(stage.name) : stage.onlyByName === true) continue;
    const started = Date.now();
    console.log(`\n━━ ${stage.name}: ${stage.about}`);
    const outcome = await runStage(stage, preparation);
    results.push({ stage: stage.name, milliseconds: Date.now() - started, ...outcome });
  }
  console.log(report(results));
  return results.every(({ failures }) => failures.length === 0) ? 0 : 1;
}

async function runStage(stage: Stage, preparation: Preparation): Promise<Results> {
  const obstacle = await preparation.obstacle(stage.needs);
  if (obstacle !== undefined) return failure(`could not be run: ${obstacle}`);
  try {
    return await stage.run(preparation.environment());
  } catch (error) {
    console.error(explain(error));
    return failure(error instanceof Error ? error.message : String(error));
  }
}

process.exitCode = await main(process.argv.slice(2));
if (process.connected) process.disconnect();
