import type { Clock } from "../../base/clock.ts";
import type { Microseconds } from "../../base/time.ts";
import { liveRelay, OLD_SINK, type RelayStatuses, type SinkTurner, sinkOf } from "../checks/dual-write.ts";
import { lackingIn, type TwoSides } from "../checks/lacking.ts";
import { newestByEntity } from "../checks/newest.ts";
import type { Check, CheckResult, Migration, OldKind, OldSystem, State } from "../ports.ts";
import type { Finding } from "./journal.ts";
import type { SimplePorts } from "./run.ts";
import { untilSettled } from "./until.ts";

export interface SimpleParts {
  /** As it was planned. */
  readonly migration: Migration;
  readonly checks: Readonly<Record<"healthOld" | "healthNew" | "canary" | "cleanup" | "handover", Check>>;
  readonly store: TwoSides["store"];
  readonly old: Pick<OldSystem, "scan" | "limits" | "describe" | "name">;
  readonly relays: RelayStatuses;
  readonly sinks: Pick<SinkTurner, "turn">;
  readonly clock: Pick<Clock, "nowMs" | "sleep">;
  readonly signal: AbortSignal;
  /** NEW keeps nothing that is older. */
  readonly keptFromUs: Microseconds;
  /** Every reader's cache of the pointer is over. */
  readonly pointerMs: number;
  /** How long anything is waited for that a relay or a person does. */
  readonly withinMs: number;
  readonly backUp: () => Promise<string>;
  /** Writes the row's place and the pointer that follows; again is the same. */
  readonly move: (state: State, percent: 0 | 100, reason: string) => Promise<void>;
  readonly onWords?: (words: string) => void;
}

const EVERY_MS = 2_000;
const SLICE_US = 3_600_000_000;
/** OLD's clock may be ahead. */
const DAY_US = 86_400_000_000;

/** The simple way over the checks of the staged one: what they look at and how they recheck is the same. */
export function createSimplePorts(parts: SimpleParts): SimplePorts {
  const { migration, checks, clock, signal, old, store, withinMs, onWords } = parts;
  const { plan, homeId } = migration;
  const isByRelay = plan.old.fedBy === "relay";
  const settle = (check: Check, state: State) =>
    untilSettled(
      check,
      { ...migration, state, sinceUs: clock.nowMs() * 1000 },
      {
        ...{ clock, signal, withinMs, everyMs: EVERY_MS },
        ...(onWords && { onWords }),
      },
    );
  const must = async (check: Check, state: State) => {
    const { verdict, explanation } = await settle(check, state);
    if (verdict !== "pass") throw new Error(explanation);
  };

  async function count() {
    const { oldestUs } = await old.describe();
    const toUs = clock.nowMs() * 1000 - plan.settleSeconds * 1e6;
    let fromUs = Math.max(parts.keptFromUs, plan.fromUs ?? oldestUs ?? migration.createdUs);
    const counts = { old: 0, new: 0 };
    while (fromUs < toUs) {
      signal.throwIfAborted();
      const found = await lackingIn({ homeId, fromUs, toUs: Math.min(toUs, fromUs + SLICE_US) }, { store, old });
      counts.old += found.inOld;
      counts.new += found.inOld - found.byNew.count;
      fromUs = found.toUs;
    }
    return counts;
  }

  return {
    async check() {
      const health = await Promise.all([settle(checks.healthOld, "prepared"), settle(checks.healthNew, "prepared")]);
      const canary = await settle(checks.canary, "prepared");
      return [...health.map(findingOf), findingOf(canary), pastFinding(await count(), plan.old.kind)];
    },
    stopFeedingOld: () => must(checks.cleanup, "cleanup"),
    async feedOldAgain() {
      if (isByRelay) await turnOn(parts);
      else await awaitFeeding(parts);
      await must(checks.handover, "rolling_back");
    },
    backUp: parts.backUp,
    count,
    async point(to) {
      if (to === "new") await parts.move("final_validation", 100, "The simple way: all readers to NEW.");
      else await parts.move("rolling_back", 0, "The simple way: all readers back to OLD.");
      // Who has the pointer in hand goes by it for a while.
      await clock.sleep(parts.pointerMs);
    },
    async validate(before) {
      const found = [
        await settle(checks.healthNew, "final_validation"),
        await settle(checks.canary, "final_validation"),
      ];
      return [...found.map(findingOf), countFinding(before, await count())];
    },
    async validateOld() {
      await must(checks.healthOld, "rolling_back");
    },
    finish: (outcome, reason) =>
      parts.move(outcome === "done" ? "complete" : "rolled_back", outcome === "done" ? 100 : 0, reason),
  };
}

const findingOf = ({ name, verdict, explanation }: CheckResult): Finding => ({
  name,
  isGood: verdict === "pass",
  text: verdict === "inconclusive" ? `it came to no verdict: ${explanation}` : explanation,
});

interface Counts {
  readonly old: number;
  readonly new: number;
}

/** How the past comes into NEW beforehand. */
const IMPORTS: Readonly<Record<OldKind, string>> = {
  influxdb: "hearthline history import --influxdb URL",
  http: "hearthline history import --file FILE, or plan without --simple, which does it by itself",
};

const pastFinding = (now: Counts, kind: OldKind): Finding => ({
  name: "counts",
  isGood: now.new === now.old,
  text:
    now.new === now.old
      ? `NEW has all ${now.old} rows of OLD's that it keeps.`
      : `NEW has ${now.new} of ${now.old} rows of OLD's; bring the past over first: ${IMPORTS[kind]}.`,
});

const countFinding = (before: Counts, now: Counts): Finding => ({
  name: "counts",
  isGood: now.new === now.old && now.old >= before.old,
  text: `NEW has ${now.new} of ${now.old} rows of OLD's; before the switch ${before.new} of ${before.old}.`,
});

/** The relay's own word is what counts. */
async function turnOn({ migration, relays, sinks, clock, signal, withinMs, onWords }: SimpleParts): Promise<void> {
  const endMs = clock.nowMs() + withinMs;
  const isOn = async () => {
    const status = liveRelay(await relays.of(migration.homeId));
    return sinkOf(status, OLD_SINK)?.isOff === false;
  };
  if (await isOn()) return;
  await sinks.turn(migration.homeId, "on");
  onWords?.("The relay is asked to write to OLD again.");
  while (!(await isOn())) {
    if (clock.nowMs() >= endMs || signal.aborted)
      throw new Error("The relay was asked to write to OLD again and has not said that it does.");
    await clock.sleep(EVERY_MS, signal);
  }
}

/** Home Assistant's integration was removed by a person, and only a person can put it back. */
async function awaitFeeding({ old, clock, signal, withinMs, onWords }: SimpleParts): Promise<void> {
  const sinceUs = clock.nowMs() * 1000;
  const endMs = clock.nowMs() + withinMs;
  onWords?.("Put back into Home Assistant what writes to OLD (the integration that was removed), and restart it.");
  while ((await newestByEntity(old, sinceUs, clock.nowMs() * 1000 + DAY_US)).size === 0) {
    if (clock.nowMs() >= endMs || signal.aborted)
      throw new Error("OLD gets no rows: put back what writes to it, and run the command again.");
    await clock.sleep(EVERY_MS, signal);
  }
}
