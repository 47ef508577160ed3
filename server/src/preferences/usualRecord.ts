// A quick look at a ledger line: whether it surely is what the schema allows. It knows the usual shape only and says yes
// to nothing that the schema refuses (a property test holds the two together); whatever it does not know is left to the
// schema, which also says what is wrong. Replaying a long ledger spends its time here.
import { DecisionKind, type LedgerRecord } from '../protocol/index.ts';

const ulid = /^[0-9A-HJKMNP-TV-Z]{26}$/;
const device = /^[0-9a-z]{8,32}$/;
const block = /^[0-9a-z]{6,32}$/;
/** As `toISOString` writes it; days that not every month has are left to the schema. */
const time = /^[1-9]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;
const kinds: ReadonlySet<unknown> = new Set(DecisionKind.options);
/** Fields of some kinds only. */
const rare = ['rating', 'over', 'hunk', 'recording', 'compared', 'curation'];

type Fields = Readonly<Record<string, unknown>>;

export function isUsualRecord(value: unknown): value is LedgerRecord {
  return (
    isFields(value) &&
    value['schema'] === 1 &&
    fits(value['id'], ulid) &&
    fits(value['time'], time) &&
    fits(value['device'], device) &&
    fits(value['block'], block) &&
    (value['run'] === null || fits(value['run'], ulid)) &&
    kinds.has(value['kind']) &&
    isCount(value['iteration']) &&
    areTexts(value['texts']) &&
    isPlace(value['note']) &&
    (value['provenance'] === null || isProvenance(value['provenance'])) &&
    !rare.some((name) => name in value)
  );
}

function areTexts(value: unknown): boolean {
  return (
    isFields(value) &&
    isText(value['question']) &&
    isText(value['paragraph']) &&
    isText(value['thinking']) &&
    isText(value['reflection']) &&
    isText(value['offered']) &&
    (value['result'] === null || isText(value['result'])) &&
    (value['reason'] === null || isText(value['reason']))
  );
}

function isPlace(value: unknown): boolean {
  if (!isFields(value) || !isText(value['path']) || !isText(value['hash'])) return false;
  const range = value['range'];
  if (!isFields(range)) return false;
  const { start, end } = range;
  return isCount(start) && isCount(end) && end >= start;
}

function isProvenance(value: unknown): boolean {
  if (!isFields(value) || 'critic' in value) return false;
  const { model, sampler, threads } = value;
  return (
    isFields(model) &&
    isText(model['id']) &&
    isText(model['file']) &&
    isText(model['sha256']) &&
    (value['adapter'] === null || isText(value['adapter'])) &&
    isText(value['promptVersion']) &&
    isText(value['prompt']) &&
    isText(value['backend']) &&
    isText(value['version']) &&
    isFields(sampler) &&
    isSampler(sampler) &&
    isFields(threads) &&
    isPositive(threads['prompt']) &&
    isPositive(threads['generation'])
  );
}

function isSampler(value: Fields): boolean {
  return (
    isCount(value['seed']) &&
    typeof value['temperature'] === 'number' &&
    value['temperature'] >= 0 &&
    Number.isFinite(value['temperature']) &&
    isPositive(value['thinkingTokens']) &&
    isPositive(value['reflectionTokens']) &&
    isPositive(value['answerTokens']) &&
    (value['avoidLoops'] === undefined || typeof value['avoidLoops'] === 'boolean') &&
    !('criticTemperature' in value)
  );
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function fits(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isPositive(value: unknown): boolean {
  return isCount(value) && value > 0;
}
