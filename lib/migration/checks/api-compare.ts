import { hash } from "node:crypto";
import * as z from "zod";
import { type Random, seededRandom } from "../../base/random.ts";
import { formatIsoUs, type Microseconds } from "../../base/time.ts";
import type { DeviceIndex } from "../../devices/ports.ts";
import type { EventStore } from "../../store/ports.ts";
import {
  type Comparison,
  compareAnswers,
  ENRICHMENT,
  type FieldDifference,
  SECRETS,
  wholeAnswer,
} from "../compare-apis/answers.ts";
import { type ApiRequest, type Askable, drawRequest, withinBoth } from "../compare-apis/requests.ts";
import type { Check, CheckContext, CheckOutcome, CheckResult, OldLimits, OldSystem, State } from "../ports.ts";
import { lagOfOld } from "./newest.ts";
import { failed, passed, someOf, undecided } from "./results.ts";

export interface ApiCompareDeps {
  readonly old: Pick<OldSystem, "range" | "scan" | "describe" | "limits">;
  /** NEW itself, not what the pointer chooses. */
  readonly events: Pick<EventStore, "range">;
  readonly index: Pick<DeviceIndex, "seen">;
  /** NEW keeps nothing older; absent: everything. */
  readonly keptFromUs?: () => Microseconds;
  /** Entities that NEW does not keep by its settings; absent: none. */
  readonly isLeftOut?: (entityId: string) => boolean;
}

const NAME = "api-compare";
const STATES: ReadonlySet<State> = new Set(["shadow", "ramp", "stabilise", "final_validation"]);
/** Of one step; and how many must have been compared before it can pass. */
const REQUESTS_MAX = 25;
const REQUESTS_MIN = 20;
/** Requests that differ and are asked again, step by step. */
const OPEN_MAX = 20;
const EVENTS_OF_ENTITY = 50;

const openSchema = z.object({
  request: z.unknown(),
  sinceUs: z.number(),
  isConfirmed: z.boolean(),
  example: z.string(),
});
const memorySchema = z.object({
  version: z.literal(1),
  round: z.int(),
  requests: z.int(),
  rows: z.int(),
  fields: z.int(),
  known: z.record(z.string(), z.int()),
  open: z.array(openSchema),
});
type Memory = z.infer<typeof memorySchema>;
const EMPTY: Memory = { version: 1, round: 0, requests: 0, rows: 0, fields: 0, known: {}, open: [] };

/**
 * `api-compare`: the same requests to both sides, over entities and times drawn by chance (the same for the same step, so that a step that was killed asks the same), compared field by field. What OLD
 * cannot hold is counted by its name. Any other difference is asked for again after `recheckSeconds`, and fails when it is still there; when it is gone later, so is the failure.
 */
export const createApiCompare = (deps: ApiCompareDeps): Check => ({
  name: NAME,
  states: STATES,
  run: (context) => run(deps, context),
});

async function run(deps: ApiCompareDeps, context: CheckContext): Promise<CheckOutcome> {
  const { migration, nowUs, signal } = context;
  const { plan } = migration;
  const before = memorySchema.safeParse(context.memory).data ?? EMPTY;
  const there = await askableOf(deps, context);
  if (!there)
    return {
      results: [
        undecided(NAME, "The home has no events that both sides have had time to keep: there is nothing to ask for.", {
          sampleSize: 0,
        }),
      ],
    };
  const tally = { ...before, known: { ...before.known }, round: before.round + 1 };
  const ask = (request: ApiRequest) => compare(deps, request);

  const open: Memory["open"] = [];
  for (const one of before.open) {
    const isDue = nowUs - one.sinceUs >= plan.recheckSeconds * 1e6;
    if (!isDue || signal.aborted) open.push(one);
    else {
      const request = withinBoth(one.request as ApiRequest, there);
      const [still] = (await ask(request)).different;
      if (still) open.push({ ...one, isConfirmed: true, example: wordsOf(request, still) });
    }
  }
  const random = randomOf(migration.salt, before.round);
  const wanted = Math.min(plan.probesPerStep, REQUESTS_MAX);
  for (let asked = 0; asked < wanted && !signal.aborted; asked++) {
    const request = await drawRequest(there, random);
    const found = await ask(request);
    tally.requests += 1;
    tally.rows += found.rows;
    tally.fields += found.fields;
    for (const [name, count] of Object.entries(found.known)) tally.known[name] = (tally.known[name] ?? 0) + count;
    const [first] = found.different;
    if (first && open.length < OPEN_MAX)
      open.push({ request, sinceUs: nowUs, isConfirmed: false, example: wordsOf(request, first) });
  }
  const memory = { ...tally, open };
  return { results: [judge(memory, deps.old.limits)], memory };
}

async function askableOf(
  { old, events, index, keptFromUs, isLeftOut = () => false }: ApiCompareDeps,
  { migration, nowUs }: CheckContext,
): Promise<Askable | undefined> {
  const { homeId, plan } = migration;
  const at = { nowUs, lagUs: plan.thresholds.lagSeconds * 1e6 };
  const [seen, { oldestUs }, lag = 0] = await Promise.all([
    index.seen(homeId),
    old.describe(),
    lagOfOld(homeId, { store: events, old }, at),
  ]);
  // What is newer than OLD's newest row may still be in the hands of whoever feeds it.
  const toUs = Math.floor(nowUs - Math.max(plan.settleSeconds, lag) * 1e6);
  const entityIds = [...seen.keys()].filter((entityId) => !isLeftOut(entityId)).sort();
  const fromUs = Math.min(Math.max(plan.fromUs ?? 0, oldestUs ?? 0, keptFromUs?.() ?? 0), toUs);
  if (entityIds.length === 0 || fromUs >= toUs) return undefined;
  const eventsOf = async (entityId: string) =>
    (await events.range({ homeId, entityIds: [entityId], toUs, order: "desc", limit: EVENTS_OF_ENTITY })).events;
  return { homeId, entityIds, fromUs, toUs, eventsOf };
}

async function compare(
  { old, events, isLeftOut = () => false }: ApiCompareDeps,
  { query }: ApiRequest,
): Promise<Comparison> {
  const [theirs, ours] = await Promise.all([
    wholeAnswer((one) => old.range(one), query),
    wholeAnswer((one) => events.range(one), query),
  ]);
  const kept = theirs.events.filter(({ entityId }) => !isLeftOut(entityId));
  return compareAnswers(query, { old: { ...theirs, events: kept }, new: ours }, old.limits);
}

/** The same for the same step of the same migration. */
const randomOf = (salt: string, round: number): Random =>
  seededRandom(hash("sha256", `${salt}\n${round}`, "buffer").readUInt32BE(0));

function wordsOf({ kind, query }: ApiRequest, { field, entityId, atUs, ...values }: FieldDifference): string {
  // What is compared with attributes is JSON already.
  const side = (value: string | undefined) =>
    value === undefined ? "nothing" : value.startsWith('"') ? value : JSON.stringify(value);
  const of = `${kind}, ${query.order}, pages of ${query.limit}`;
  return `${field} of ${entityId} at ${formatIsoUs(atUs)} (${of}): OLD ${side(values.old)}, NEW ${side(values.new)}`;
}

function judge({ requests, rows, fields, known, open }: Memory, limits: OldLimits): CheckResult {
  const confirmed = open.filter(({ isConfirmed }) => isConfirmed);
  const names = Object.entries(known).toSorted(([, a], [, b]) => b - a);
  const listed = names.map(([name, count]) => `${name} ${count} (${limitWords(name, limits)})`);
  const what = `${requests} requests were asked of both sides and ${rows} events with ${fields} fields compared`;
  const limitsText = listed.length === 0 ? "" : ` Known differences: ${listed.join("; ")}`;
  const figures = { observed: confirmed.length, limit: 0, sampleSize: requests };
  if (confirmed.length > 0) {
    const examples = someOf(
      confirmed.map(({ example }) => example),
      3,
    );
    return failed(NAME, `${what}; ${confirmed.length} still differ: ${examples}.${limitsText}`, {
      ...figures,
      trigger: "inconsistency",
    });
  }
  if (open.length > 0) {
    const examples = someOf(
      open.map(({ example }) => example),
      3,
    );
    return undecided(NAME, `${what}; ${open.length} differ and are asked again: ${examples}.`, figures);
  }
  if (requests < REQUESTS_MIN)
    return undecided(NAME, `${what}; wanted are ${REQUESTS_MIN} requests.`, {
      ...figures,
      samplesWanted: REQUESTS_MIN - requests,
    });
  return passed(NAME, `${what}; none differs.${limitsText}`, figures);
}

const OF_NEW: Readonly<Record<string, string>> = {
  [ENRICHMENT]: "What NEW adds to an event OLD does not have.",
  [SECRETS]: 'Passwords and tokens do not leave the home: "[secret]" stands in their place.',
};
const limitWords = (name: string, { words }: OldLimits): string => words[name] ?? OF_NEW[name] ?? "By design of OLD.";
