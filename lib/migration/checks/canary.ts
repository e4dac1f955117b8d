import * as z from "zod";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { Microseconds } from "../../base/time.ts";
import type { HomeEvent } from "../../event/index.ts";
import { canaryEntityOf } from "../canary-entity.ts";
import type { Check, CheckContext, CheckOutcome, OldSystem, State } from "../ports.ts";
import { failed, passed, secondsText, undecided } from "./results.ts";

/** One of our own events; its state is a whole number, which every OLD can hold. */
export interface Canary {
  readonly homeId: string;
  readonly entityId: string;
  /** Whole milliseconds. */
  readonly atUs: Microseconds;
  readonly state: string;
}

/** NEW from end to end. Both: @throws fate-`retry` service errors */
export interface CanaryWay {
  /** Puts it in where events come in: sealed, into the queue that `enrich` reads. */
  send(canary: Canary): Promise<void>;
  /** As NEW answers a reader; undefined: it is not there yet. */
  find(canary: Canary): Promise<Pick<HomeEvent, "state"> | undefined>;
  /** How OLD is handed it. */
  eventOf(canary: Canary): HomeEvent;
}

export interface CanaryDeps {
  readonly way: CanaryWay;
  readonly old: Pick<OldSystem, "write" | "scan" | "limits" | "name">;
  readonly clock: Pick<Clock, "nowMs" | "monotonicMs" | "sleep">;
}

const STATES: ReadonlySet<State> = new Set([
  ...(["prepared", "dual_write", "backfill", "shadow", "ramp"] as const),
  ...(["stabilise", "final_validation", "rampdown"] as const),
]);

/** Within the step that sends it it is looked for this long, at these distances; a later step goes on. */
const LOOK_MS = [250, 500, 1_000, 1_500, 2_000, 2_500, 3_000];
const MISSED_MAX = 5;
/** After one that never came, so many in a row must have come before it counts as over. */
const GOOD_AFTER_MISS = 3;

const sentSchema = z.object({
  atUs: z.number(),
  state: z.string(),
  /** When it was in the queue, and how long that took. */
  sentMs: z.number().optional(),
  queueMs: z.number().optional(),
  foundMs: z.number().optional(),
  oldWriteMs: z.number().optional(),
  oldFoundMs: z.number().optional(),
  oldProblem: z.string().optional(),
  isOldUnable: z.boolean().optional(),
});
type Sent = z.infer<typeof sentSchema>;
const memorySchema = z.object({
  sent: sentSchema.optional(),
  missed: z.array(sentSchema).max(MISSED_MAX).default([]),
  goodInRow: z.number().default(0),
});
type Memory = z.infer<typeof memorySchema>;

/**
 * `canary`: an event of our own through every hop of NEW, and to OLD and back. Each step looks for the one that was sent and, once that has come, sends the next; one that is late is no verdict, one that does not
 * come within the plan's lag is a loss.
 */
export const createCanaryCheck = (deps: CanaryDeps): Check => ({
  name: "canary",
  states: STATES,
  async run(context): Promise<CheckOutcome> {
    const before = memorySchema.safeParse(context.memory).data ?? { missed: [], goodInRow: 0 };
    const canaries = new Canaries(deps, context);
    if (!before.sent) {
      const sent = await canaries.watch(await canaries.send());
      return canaries.outcome({ ...before, sent });
    }
    const seen = await canaries.look(before.sent);
    const outcome = canaries.outcome({ ...before, sent: seen });
    if (!canaries.isSettled(seen)) return outcome;
    // The verdict is about the one that came; the next is on its way until the next step. That it cannot be sent is the next step's verdict.
    const next = await canaries.send().catch(() => undefined);
    return { ...outcome, memory: { ...(outcome.memory as Memory), sent: next } };
  },
});

class Canaries {
  readonly #deps: CanaryDeps;
  readonly #context: CheckContext;

  constructor(deps: CanaryDeps, context: CheckContext) {
    this.#deps = deps;
    this.#context = context;
  }

  async send(): Promise<Sent> {
    const { way, clock } = this.#deps;
    const { migration } = this.#context;
    const atUs = clock.nowMs() * 1000;
    const sent: Sent = { atUs, state: String(migration.revision) };
    const beganMs = clock.monotonicMs();
    await way.send(this.#canary(sent));
    const queued = { ...sent, sentMs: clock.nowMs(), queueMs: clock.monotonicMs() - beganMs };
    return this.#toOld(queued);
  }

  async #toOld(sent: Sent): Promise<Sent> {
    const { old, way, clock } = this.#deps;
    const beganMs = clock.monotonicMs();
    try {
      const { refused } = await old.write([way.eventOf(this.#canary(sent))]);
      const [first] = refused;
      if (first) return { ...sent, isOldUnable: true, oldProblem: first.reason };
      return { ...sent, oldWriteMs: clock.monotonicMs() - beganMs };
    } catch (thrown) {
      return { ...sent, oldProblem: messageOf(thrown) };
    }
  }

  /** Looks again and again for a while: so that most canaries come within their own step. */
  async watch(sent: Sent): Promise<Sent> {
    let seen = await this.look(sent);
    for (const waitMs of LOOK_MS) {
      if (this.#isThere(seen) || isForTheNextStep(seen) || this.#context.signal.aborted) break;
      await this.#deps.clock.sleep(waitMs, this.#context.signal);
      seen = await this.look(seen);
    }
    return seen;
  }

  async look(sent: Sent): Promise<Sent> {
    const { way, clock } = this.#deps;
    let seen = sent;
    if (seen.foundMs === undefined) {
      const found = await way.find(this.#canary(seen));
      if (found?.state === seen.state) seen = { ...seen, foundMs: clock.nowMs() };
    }
    if (seen.isOldUnable || seen.oldFoundMs !== undefined) return seen;
    if (seen.oldWriteMs === undefined) seen = await this.#toOld(seen);
    return this.#inOld(seen);
  }

  async #inOld(sent: Sent): Promise<Sent> {
    const { old, clock } = this.#deps;
    if (sent.oldWriteMs === undefined) return sent;
    const { entityId, atUs, state } = this.#canary(sent);
    const fromUs = Math.floor(atUs / old.limits.precisionUs) * old.limits.precisionUs;
    const { oldProblem: _, ...well } = sent;
    try {
      let other: string | null | undefined;
      for await (const rows of old.scan({ entityIds: [entityId], fromUs, toUs: atUs + 1 })) {
        const own = rows.filter((row) => row.entityId === entityId);
        if (own.some((row) => Number(row.state) === Number(state))) return { ...well, oldFoundMs: clock.nowMs() };
        other = own.at(-1)?.state ?? other;
      }
      const gives =
        other === undefined
          ? "does not give it back"
          : `gives it back as ${JSON.stringify(other)} instead of "${state}"`;
      return { ...sent, oldProblem: `it took the event and ${gives}` };
    } catch (thrown) {
      return { ...sent, oldProblem: messageOf(thrown) };
    }
  }

  #canary({ atUs, state }: Sent): Canary {
    const { homeId, id } = this.#context.migration;
    return { homeId, entityId: canaryEntityOf(id), atUs, state };
  }

  #isThere = (sent: Sent): boolean =>
    sent.foundMs !== undefined && (sent.oldFoundMs !== undefined || sent.isOldUnable === true);

  #isLate({ sentMs = 0 }: Sent): boolean {
    return this.#deps.clock.nowMs() - sentMs > this.#context.migration.plan.thresholds.lagSeconds * 1000;
  }

  isSettled = (sent: Sent): boolean => this.#isThere(sent) || this.#isLate(sent);

  outcome({ sent, missed, goodInRow }: Memory): CheckOutcome {
    if (!sent) return { results: [] };
    const settled = { sent: undefined, missed, goodInRow };
    if (this.#isThere(sent)) {
      const good = goodInRow + 1;
      const still = good >= GOOD_AFTER_MISS ? [] : missed;
      const memory: Memory = { ...settled, missed: still, goodInRow: good };
      if (still.length > 0) return { results: [missedResult(still, good)], memory };
      return { results: [arrived(sent, this.#deps.old.name)], memory };
    }
    if (!this.#isLate(sent)) {
      const age = secondsText((this.#deps.clock.nowMs() - (sent.sentMs ?? 0)) / 1000);
      const words = `An event of our own is under way for ${age}: ${this.#whereItIs(sent)}.`;
      return { results: [undecided("canary", words)], memory: { sent, missed, goodInRow } };
    }
    if (sent.foundMs === undefined) {
      const lost = [...missed, sent].slice(-MISSED_MAX);
      return { results: [missedResult(lost, 0)], memory: { ...settled, missed: lost, goodInRow: 0 } };
    }
    const words = `An event of our own came through NEW, but OLD has not got it: ${sent.oldProblem ?? "it is not there"}. OLD's own trouble takes nothing back.`;
    return { results: [failed("canary", words)], memory: settled };
  }

  #whereItIs({ foundMs, oldFoundMs, oldProblem }: Sent): string {
    const inNew = foundMs === undefined ? "not in NEW yet" : "in NEW";
    const inOld = oldFoundMs === undefined ? `not in OLD yet${oldProblem ? ` (${oldProblem})` : ""}` : "in OLD";
    return `${inNew}, ${inOld}`;
  }
}

/** NEW has it, and OLD, which does not take it now, is asked again by the next step: that is not waited for here. */
const isForTheNextStep = ({ foundMs, oldWriteMs, oldProblem }: Sent): boolean =>
  foundMs !== undefined && oldWriteMs === undefined && oldProblem !== undefined;

function missedResult(missed: readonly Sent[], good: number) {
  const at = missed.map(({ atUs }) => new Date(atUs / 1000).toISOString()).join(", ");
  const since = good > 0 ? ` Of those after it ${good} came.` : "";
  return failed(
    "canary",
    `An event of our own that was taken by the queue never came to NEW's reading (${at}).${since}`,
    {
      trigger: "loss",
      sampleSize: missed.length + good,
    },
  );
}

function arrived(sent: Sent, oldName: string) {
  const { sentMs = 0, queueMs = 0, foundMs = 0, oldWriteMs = 0, oldFoundMs, oldProblem } = sent;
  const totalMs = Math.max(0, foundMs - sentMs) + queueMs;
  const inNew = `into the queue ${Math.round(queueMs)} ms, enriched, stored and read back at most ${Math.max(0, foundMs - sentMs)} ms`;
  const inOld =
    oldFoundMs === undefined
      ? `${oldName} cannot hold such an event: ${oldProblem}`
      : `${oldName} took it in ${Math.round(oldWriteMs)} ms and gives it back`;
  return passed("canary", `An event of our own came through every hop: ${inNew}; ${inOld}.`, { observed: totalMs });
}
