import { unpack } from "../../../lib/adapters/dynamodb/packed.ts";
import type { Item } from "../../../lib/adapters/dynamodb/wire-item.ts";
import {
  type AuditEntry,
  type CheckResult,
  ENDED,
  type Migration,
  STEP,
  type State,
} from "../../../lib/migration/types.ts";
import type { People } from "./people.ts";
import { COMPARES, lackingOf, ORDER, SOAKS, verdictOf } from "./wanted.ts";
import { isIn } from "./weather.ts";
import { atMsOf, lacks, type World } from "./world.ts";

/** How old the relay's word may be on which a step goes on, and how long a step takes. */
const STEP_MS = 240_000;
const WORD_MS = 420_000 + STEP_MS;
/** A part that is not well for so long has been looked at since. */
const NOTICED_MS = 150_000;

/** Between the look and the row that tells of it. */
const COMMIT_SECONDS = 10;
/** So many pairs as the bounds want until they say so. */
const JUDGED_MS = 240_000;

const readersOf = ({ readers }: Migration): string => JSON.stringify(readers);

const ALARMS: Readonly<Record<string, readonly string[]>> = {
  "lossy-new": ["loss", "inconsistency"],
  "lossy-old": ["inconsistency"],
  down: ["part-down"],
  "bad-new": ["performance", "errors"],
};

/** What every write of the row must keep. */
export class RowRules {
  readonly #world: World;
  readonly #people: People;
  row: Migration | undefined;
  endedMs: number | undefined;
  looks = 0;
  /** By epoch: the row that made it. */
  readonly rows = new Map<number, Migration>();
  /** Since when every look of this stage has passed, as far as one can say at most. */
  #good: { readonly nowMs: number; readonly aheadMs: number } | undefined;
  #enteredMs = 0;
  #pausedAt: Migration | undefined;

  constructor(world: World, people: People) {
    this.#world = world;
    this.#people = people;
  }

  onRow(item: Item, beforeItem: Item | undefined): void {
    const row = unpack(item.packed)[0] as Migration;
    const before = beforeItem && (unpack(beforeItem.packed)[0] as Migration);
    if (before) {
      if (row.revision !== before.revision + 1)
        this.#wrong("a write rests on the one before it", `revision ${row.revision} over ${before.revision}`);
      if (row.epoch !== before.epoch && row.epoch !== before.epoch + 1)
        this.#wrong("an epoch follows the one before it", `${row.epoch} over ${before.epoch}`);
      if (ENDED.has(before.state)) this.#wrong("what has ended stays", `${before.state} became ${row.state}`);
      this.#onLook(row, before);
      if (row.epoch !== before.epoch && row.lastChange) this.#onChange(row, before, row.lastChange);
    }
    if (row.epoch !== before?.epoch) {
      this.#people.onChange();
      this.#world.epochsMade += 1;
    }
    this.row = row;
    this.rows.set(row.epoch, row);
    this.#world.state = row.state;
    if (ENDED.has(row.state)) this.endedMs ??= this.#world.sim.nowMs;
  }

  #wrong(rule: string, words: string): void {
    this.#world.wrong(rule, words);
  }

  #onLook(row: Migration, before: Migration): void {
    if (row.lastStepUs === before.lastStepUs || row.lastStepUs === undefined) return;
    this.looks += 1;
    const verdict = verdictOf(before.state, row.checks);
    const { nowMs, aheadMs } = this.#world.sim;
    if (verdict === "fail") this.#good = undefined;
    else if (verdict === "pass") this.#good ??= { nowMs, aheadMs };
  }

  #onChange(row: Migration, before: Migration, change: AuditEntry): void {
    const place = (of: Migration) => `${of.state} ${of.stagePercent}`;
    if (change.from !== before.state || change.percentFrom !== before.stagePercent)
      this.#wrong("a change begins where the one before it ended", `${change.from} instead of ${place(before)}`);
    if (change.isForced && !this.#people.reasons.has(change.reason))
      this.#wrong("what is forced has its author's reason in the audit", change.reason);
    if (place(row) === place(before)) return;
    if (readersOf(row) !== readersOf(before))
      this.#wrong("a reader stays where a person has put him", `${readersOf(before)} became ${readersOf(row)}`);
    if (row.state === "paused") this.#pausedAt = before;
    if (before.state === "paused") this.#onResume(row);
    if (change.isForced) this.#world.forcedFrom.add(before.state);
    const isOn = ORDER.includes(before.state) && ORDER.indexOf(row.state) > ORDER.indexOf(before.state);
    if (isOn || (row.state === "ramp" && before.state === "ramp")) this.#onForward(row, before, change);
    if (row.state === "rolling_back" && change.trigger !== undefined) this.#onAlarm(change.trigger, change.reason);
    if (before.state === "rolling_back" && row.state === "rolled_back" && change.actor === STEP)
      this.#wantEvidence("rolling_back", change.evidence, "rolled_back");
    this.#good = undefined;
    this.#enteredMs = this.#world.sim.nowMs;
  }

  #onResume(row: Migration): void {
    const { state, stagePercent } = this.#pausedAt ?? {};
    const isBack = row.state === "rolling_back" || row.state === "rolled_back";
    if (!isBack && (row.state !== state || row.stagePercent !== stagePercent))
      this.#wrong("a pause ends where it began", `${state} ${stagePercent} became ${row.state} ${row.stagePercent}`);
  }

  /** One state, or one stage, on: everything that was wanted has passed, for long enough, and the world is so. */
  #onForward(row: Migration, before: Migration, { actor, evidence, isForced }: AuditEntry): void {
    const { weather, sim } = this.#world;
    const words = `${before.state} ${before.stagePercent} to ${row.state} ${row.stagePercent}`;
    this.#wantOneOn(row, before, words);
    if (isForced) return;
    this.#wantEvidence(before.state, evidence, words);
    const { plan } = row;
    const wantedSeconds = SOAKS.has(before.state)
      ? plan.soakSeconds
      : before.state === "stabilise"
        ? plan.stabiliseSeconds
        : 0;
    const { nowMs = Number.POSITIVE_INFINITY, aheadMs = 0 } = this.#good ?? {};
    const goodSeconds = (sim.nowMs - nowMs) / 1000;
    // By a clock that was set on meanwhile it was longer.
    const seemsSeconds = goodSeconds + (sim.aheadMs - aheadMs) / 1000;
    if (seemsSeconds < wantedSeconds - COMMIT_SECONDS)
      this.#wrong("a stage soaks", `${words} after ${goodSeconds.toFixed(0)} good seconds of ${wantedSeconds}`);
    const gate = row.state !== before.state && plan.gates.find((name) => name === row.state);
    if (gate && !this.#people.opened.has(gate)) this.#wrong("a gate is opened by hand", words);
    if (before.state !== "prepared" && row.state !== "complete") this.#wantInStep(row, before, words);
    if (row.state === "shadow" && !this.#world.isPastForced) this.#wantPast();
    if (before.state === "rampdown") this.#wantQuiet(plan.quietSeconds, words);
    if (actor === STEP && isIn(weather.illNew, sim.nowMs - NOTICED_MS) && isIn(weather.illNew, sim.nowMs))
      this.#wrong("nobody goes on while NEW is not well", words);
    if (COMPARES.has(before.state) && isIn(weather.bad, sim.nowMs - JUDGED_MS) && isIn(weather.bad, sim.nowMs))
      this.#wrong("nobody goes on while NEW answers slowly or not at all", words);
  }

  #wantOneOn(row: Migration, before: Migration, words: string): void {
    const stages = [0, ...row.plan.stages];
    const isState = row.state === before.state || ORDER.indexOf(row.state) === ORDER.indexOf(before.state) + 1;
    const isStage =
      row.state !== "ramp" || stages.indexOf(row.stagePercent) === stages.indexOf(before.stagePercent) + 1;
    if (!isState || !isStage || (row.state === "stabilise" && before.stagePercent !== 100))
      this.#wrong("one stage at a time", words);
  }

  #wantEvidence(state: State, evidence: readonly CheckResult[], words: string): void {
    const lacking = lackingOf(state, evidence);
    if (lacking.length > 0) this.#wrong("every check has passed", `${words} without ${lacking.join(", ")}`);
  }

  /** Neither side is further behind than the plan allows, as far as anybody could know. */
  #wantInStep(row: Migration, before: Migration, words: string): void {
    const { sim, happened } = this.#world;
    const limitMs = row.plan.thresholds.lagSeconds * 1000 + WORD_MS;
    const sides = ["rampdown", "cleanup"].includes(before.state) ? (["new"] as const) : (["new", "old"] as const);
    for (const side of sides) {
      const late = happened.find(
        (each) => each.oldMs !== 0 && lacks(each, side) && sim.nowMs - atMsOf(sim, each) > limitMs,
      );
      if (late) this.#wrong("no stage while a side is behind", `${words}; ${side} lacks ${late.id}`);
    }
  }

  #wantPast(): void {
    const lacking = this.#world.happened.filter((each) => each.oldMs === 0 && lacks(each, "new"));
    if (lacking.length > 0) this.#wrong("the whole past is in NEW after the back-fill", `${lacking.length} are not`);
  }

  #wantQuiet(quietSeconds: number, words: string): void {
    const { sim, lastOldReadMs, lastOldAskedMs, weather } = this.#world;
    // OLD may have stood in once more while the step that saw the quiet went on.
    const lastMs = sim.nowMs - lastOldReadMs < STEP_MS ? lastOldAskedMs : lastOldReadMs;
    const quietMs = sim.nowMs - Math.max(this.#enteredMs, lastMs);
    // Its hours are those of a clock that may have been set.
    if (quietMs < quietSeconds * 1000 - 2 * weather.skewMaxMs)
      this.#wrong("OLD is quiet before clean-up", `${words} after ${(quietMs / 1000).toFixed(0)} s`);
  }

  #onAlarm(trigger: string, reason: string): void {
    const { weather, isPastForced } = this.#world;
    if (isPastForced && trigger === "inconsistency") return;
    if (!ALARMS[weather.kind]?.includes(trigger)) this.#wrong("no alarm without a cause", `${trigger}: ${reason}`);
  }
}
