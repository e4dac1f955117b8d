import * as z from "zod";
import { completeUpTo, gapsOf, isImport, type LedgerRow } from "../../ingest/index.ts";
import type { Check, CheckContext, CheckOutcome, State } from "../ports.ts";
import { failed, passed, secondsText, someOf, undecided } from "./results.ts";

/** What was set aside of a home's events and is still there. */
export interface DeadLetterLook {
  /** How many messages with events of this home, and some of them in words. @throws fate-`retry` service errors */
  of(homeId: string): Promise<{ readonly count: number; readonly examples: readonly string[] }>;
}

export interface LossDeps {
  readonly ledger: { rows(homeId: string): Promise<readonly LedgerRow[]> };
  readonly deadLetters: DeadLetterLook;
}

const STATES: ReadonlySet<State> = new Set([
  ...(["dual_write", "backfill", "shadow", "ramp"] as const),
  ...(["stabilise", "final_validation", "rampdown"] as const),
]);

const countsSchema = z.object({
  /** Numbers that the relay has given up. */
  lost: z.number(),
  rejected: z.number(),
  unnumbered: z.number(),
  otherSinks: z.number(),
});
type Counts = z.infer<typeof countsSchema>;
const gapSchema = z.object({ first: z.number(), sinceUs: z.number() });
type OpenGap = z.infer<typeof gapSchema>;
const memorySchema = z.object({
  /** By relay: when this check first saw it. */
  begin: z.record(z.string(), countsSchema),
  dead: z.number(),
  /** By relay: the first missing number and since when it was seen. */
  gaps: z.record(z.string(), gapSchema),
});
type Memory = z.infer<typeof memorySchema>;

const NOTHING: Counts = { lost: 0, rejected: 0, unnumbered: 0, otherSinks: 0 };

/**
 * `loss`: the ledger has every number, and nothing of this home was given up, refused or set aside since the migration began. Any event that is lost fails it; a hole that does not close within the
 * plan's lag is a loss. What OLD alone has lost is told.
 */
export const createLossCheck = ({ ledger, deadLetters }: LossDeps): Check => ({
  name: "loss",
  states: STATES,
  async run(context): Promise<CheckOutcome> {
    const { homeId } = context.migration;
    const rows = (await ledger.rows(homeId)).filter(({ relayId }) => !isImport(relayId));
    const dead = await deadLetters.of(homeId);
    const known = memorySchema.safeParse(context.memory).data;
    // A relay that is new since then begins with nothing: what it has lost it has lost since.
    const begin = known
      ? { ...Object.fromEntries(rows.map(({ relayId }) => [relayId, NOTHING])), ...known.begin }
      : Object.fromEntries(rows.map((row) => [row.relayId, countsOf(row)]));
    const gaps = Object.fromEntries(
      rows.flatMap((row) => {
        const gap = openGap(row, context.nowUs, known?.gaps[row.relayId]);
        return gap ? [[row.relayId, gap] as const] : [];
      }),
    );
    const memory: Memory = { begin, dead: Math.min(known?.dead ?? dead.count, dead.count), gaps };
    return { results: [judged({ context, rows, memory, dead })], memory };
  },
});

interface Found {
  readonly context: CheckContext;
  readonly rows: readonly LedgerRow[];
  readonly memory: Memory;
  readonly dead: Awaited<ReturnType<DeadLetterLook["of"]>>;
}

const countsOf = ({ lost, counts, notes }: LedgerRow): Counts => ({
  lost: lost.reduce((sum, { count }) => sum + count, 0),
  rejected: counts.rejected,
  unnumbered: notes.unnumberedLost.totals.events,
  otherSinks: notes.otherSinksLost.totals.events,
});

function openGap({ ranges }: LedgerRow, nowUs: number, before: OpenGap | undefined): OpenGap | undefined {
  const [gap] = gapsOf(ranges);
  if (!gap) return undefined;
  const [first] = gap;
  return { first, sinceUs: before?.first === first ? before.sinceUs : nowUs };
}

function judged({ context, rows, memory, dead }: Found) {
  const { nowUs, migration } = context;
  const limit = migration.plan.thresholds.lagSeconds;
  const losses: string[] = [];
  const open: string[] = [];
  let [events, byOld] = [0, 0];
  for (const row of rows) {
    const [now, begin] = [countsOf(row), memory.begin[row.relayId] ?? NOTHING];
    const add = (count: number, words: string) => {
      if (count <= 0) return;
      events += count;
      losses.push(`${count} ${words}`);
    };
    const last = row.lost.at(-1);
    add(
      now.lost - begin.lost,
      `given up by the relay${last ? `, the last of them number ${last.first} to ${last.last}: ${last.reason}` : ""}`,
    );
    add(now.unnumbered - begin.unnumbered, "lost by the relay before they had a number");
    add(now.rejected - begin.rejected, "refused as malformed");
    byOld += Math.max(0, now.otherSinks - begin.otherSinks);
    const gap = memory.gaps[row.relayId];
    if (!gap) continue;
    const missing = gapsOf(row.ranges).reduce((sum, [first, until]) => sum + until - first + 1, 0);
    const seconds = (nowUs - gap.sinceUs) / 1e6;
    const words = `missing from number ${gap.first} on, for ${secondsText(seconds)}`;
    if (seconds > limit) add(missing, words);
    else open.push(`${missing} ${words}`);
  }
  const set = dead.count - memory.dead;
  if (set > 0) {
    events += set;
    losses.push(`${set} messages set aside (${someOf(dead.examples, 3)})`);
  }
  const old = byOld > 0 ? ` OLD alone has lost ${byOld}: that is OLD's loss.` : "";
  const upTo = rows.map(({ relayId, ranges }) => `${relayId.slice(0, 8)} up to ${completeUpTo(ranges)}`).join(", ");
  const sampleSize = rows.reduce((sum, { ranges }) => sum + completeUpTo(ranges), 0);
  const more = { sampleSize, observed: events, limit: 0 };
  if (losses.length > 0)
    return failed("loss", `Events were lost since the migration began: ${someOf(losses)}.${old}`, {
      ...more,
      trigger: "loss",
    });
  if (open.length > 0) return undecided("loss", `Numbers are still on their way: ${someOf(open)}.${old}`, more);
  if (rows.length === 0)
    return undecided("loss", "Nothing has arrived of this home yet: there is no ledger to look into.");
  return passed("loss", `Every number has arrived (${upTo}).${old}`, { ...more, ...(byOld > 0 && { isAlert: true }) });
}
