import * as z from "zod";
import type { Clock } from "../../base/clock.ts";
import type { Microseconds } from "../../base/time.ts";
import type { EventStore, RangeQuery } from "../../store/ports.ts";
import type { Check, CheckContext, CheckOutcome, OldSystem, State } from "../ports.ts";
import { passed, undecided } from "./results.ts";

export interface BenchmarkDeps {
  readonly old: Pick<OldSystem, "range" | "counts">;
  readonly events: Pick<EventStore, "range" | "tiles">;
  readonly clock: Pick<Clock, "monotonicMs">;
}

const NAME = "benchmark";
const STATES: ReadonlySet<State> = new Set(["stabilise", "final_validation"]);
/** How often each query is asked of each side, and how many at once: people and programs do not queue up. */
const ROUNDS = 5;
const AT_ONCE = 4;
const HOUR_US = 3_600_000_000;
const DAY_US = 24 * HOUR_US;
/** Entities that are asked for: the busiest of the last events. */
const ENTITIES = 4;

interface Query {
  readonly name: string;
  readonly old: (entityId: string) => Promise<unknown>;
  readonly new: (entityId: string) => Promise<unknown>;
}

/** Of one query: milliseconds of both, of all that were answered. */
interface BenchmarkRow {
  readonly name: string;
  readonly old: Times;
  readonly new: Times;
}
const timesSchema = z.object({
  count: z.int(),
  failed: z.int(),
  medianMs: z.number(),
  p95Ms: z.number(),
  perSecond: z.number(),
});
type Times = z.infer<typeof timesSchema>;

const memorySchema = z.object({
  version: z.literal(1),
  state: z.string(),
  rows: z.array(z.object({ name: z.string(), old: timesSchema, new: timesSchema })),
});

/**
 * `benchmark`: a small set of standard queries, some at once, of both sides in turn; the figures stand beside each other in the explanation, and in the check's memory as `rows`. It judges nothing
 * (`performance.*` do, from pairs): it passes when both were measured. Once a state.
 */
export const createBenchmark = (deps: BenchmarkDeps): Check => ({
  name: NAME,
  states: STATES,
  run: (context) => run(deps, context),
});

async function run(deps: BenchmarkDeps, { migration, memory, nowUs, signal }: CheckContext): Promise<CheckOutcome> {
  const before = memorySchema.safeParse(memory).data;
  if (before?.state === migration.state) return { results: [resultOf(before.rows)] };
  const { homeId, plan } = migration;
  const toUs = nowUs - plan.settleSeconds * 1e6;
  const recent = await deps.events.range({ homeId, toUs, order: "desc", limit: 1_000 });
  const byEntity = Map.groupBy(recent.events, ({ entityId }) => entityId);
  const busiest = [...byEntity].toSorted(([, a], [, b]) => b.length - a.length).slice(0, ENTITIES);
  if (busiest.length === 0) return { results: [undecided(NAME, "There are no events to ask for.", { sampleSize: 0 })] };
  const entityIds = busiest.map(([entityId]) => entityId);
  const rows: BenchmarkRow[] = [];
  for (const query of queriesOf(deps, homeId, toUs)) {
    // Neither side is measured on the other's heels only: who begins changes with each query.
    const sides = rows.length % 2 === 0 ? (["old", "new"] as const) : (["new", "old"] as const);
    const times: { old?: Times; new?: Times } = {};
    for (const side of sides) {
      if (signal.aborted)
        return { results: [undecided(NAME, "There was no time to ask everything.", { sampleSize: rows.length })] };
      times[side] = await measure((entityId) => query[side](entityId), entityIds, deps.clock);
    }
    if (times.old && times.new) rows.push({ name: query.name, old: times.old, new: times.new });
  }
  const isMeasured = rows.every(({ old, new: fresh }) => old.count > 0 && fresh.count > 0);
  // Without an answer of one of the two there is nothing beside the other: asked again at the next step.
  return { results: [resultOf(rows)], ...(isMeasured && { memory: { version: 1, state: migration.state, rows } }) };
}

function queriesOf({ old, events }: BenchmarkDeps, homeId: string, toUs: Microseconds): Query[] {
  const range = (name: string, of: (entityId: string) => RangeQuery): Query => ({
    name,
    old: (entityId) => old.range(of(entityId)),
    new: (entityId) => events.range(of(entityId)),
  });
  const base = { homeId, toUs, order: "desc" as const };
  const hourUs = Math.floor(toUs / HOUR_US) * HOUR_US;
  const day = { fromUs: hourUs - DAY_US, toUs: hourUs, widthUs: HOUR_US };
  return [
    range("latest", (entityId) => ({ ...base, entityIds: [entityId], limit: 1 })),
    range("entity-hour", (entityId) => ({ ...base, entityIds: [entityId], fromUs: toUs - HOUR_US, limit: 1_000 })),
    range("entity-day", (entityId) => ({ ...base, entityIds: [entityId], fromUs: toUs - DAY_US, limit: 1_000 })),
    range("home-page", () => ({ ...base, fromUs: toUs - HOUR_US, limit: 100 })),
    { name: "day-counts", old: () => old.counts(day), new: () => events.tiles({ homeId, ...day }) },
  ];
}

async function measure(
  ask: (entityId: string) => Promise<unknown>,
  entityIds: readonly string[],
  clock: Pick<Clock, "monotonicMs">,
): Promise<Times> {
  const tookMs: number[] = [];
  let failed = 0;
  const startedMs = clock.monotonicMs();
  const one = async (entityId: string) => {
    const fromMs = clock.monotonicMs();
    try {
      await ask(entityId);
      tookMs.push(clock.monotonicMs() - fromMs);
    } catch {
      // Counted; why is for `errors` to say.
      failed += 1;
    }
  };
  for (let round = 0; round < ROUNDS; round++)
    await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => one(entityIds[(round + i) % entityIds.length] ?? "")));
  const seconds = Math.max(1e-6, (clock.monotonicMs() - startedMs) / 1000);
  const sorted = tookMs.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const rounded = (value: number) => Math.round(value * 100) / 100;
  return {
    count: sorted.length,
    failed,
    medianMs: rounded(at(0.5)),
    p95Ms: rounded(at(0.95)),
    perSecond: rounded(sorted.length / seconds),
  };
}

function resultOf(rows: readonly BenchmarkRow[]) {
  const sampleSize = rows.reduce((sum, { old, new: fresh }) => sum + old.count + fresh.count, 0);
  const side = ({ count, failed, medianMs, p95Ms, perSecond }: Times) =>
    count === 0
      ? `no answer of ${failed}`
      : `${medianMs}/${p95Ms} ms, ${perSecond} a second${failed > 0 ? `, ${failed} failed` : ""}`;
  const text = rows.map(({ name, old, new: fresh }) => `${name}: OLD ${side(old)}, NEW ${side(fresh)}`).join("; ");
  const explanation = `Median/p95, ${AT_ONCE} at once. ${text}.`;
  const isMeasured = rows.every(({ old, new: fresh }) => old.count > 0 && fresh.count > 0);
  return isMeasured ? passed(NAME, explanation, { sampleSize }) : undecided(NAME, explanation, { sampleSize });
}
