import type { HomeEvent } from "../../event/index.ts";
import type { EventStore } from "../../store/ports.ts";
import type { Difference, OldRow, OldSystem } from "../ports.ts";
import type { ComparableLimits } from "./comparable.ts";
import { compare, countedOf } from "./compare.ts";
import { TILE_US } from "./kept-tiles.ts";
import { placePast } from "./place-past.ts";
import { newSide, oldSide, type Sides } from "./sides.ts";

/** Somebody who may still have an event that NEW lacks; asked in order, the best source first: the spool, the recorder. Errors as of what is behind it. */
export interface RepairSource {
  /** For people: `spool`, `recorder`. */
  readonly name: string;
  /** The event of exactly that entity and time; undefined: it has none. */
  find(entityId: string, atUs: number): Promise<HomeEvent | undefined>;
}

export interface RepairOptions {
  readonly homeId: string;
  readonly old: OldSystem;
  readonly events: EventStore;
  readonly limits: ComparableLimits;
  /** Before OLD itself, which always is the last one. */
  readonly sources: readonly RepairSource[];
  /** An event of a row of OLD; what OLD does not hold is filled. */
  readonly eventOfRow: (row: OldRow, homeId: string) => HomeEvent;
  /** Gives events to NEW on the way that every event takes. Idempotent by natural key. */
  readonly giveToNew: (events: readonly HomeEvent[]) => Promise<void>;
}

export interface RepairAction {
  readonly difference: Difference;
  readonly to: "old" | "new";
  /** Who had it. */
  readonly from: string;
  readonly event: HomeEvent;
}

export interface RepairPlan {
  readonly actions: readonly RepairAction[];
  /** What is left to a person, each with its reason. */
  readonly left: readonly { readonly difference: Difference; readonly reason: string }[];
  /** For people: what `apply` would do. */
  readonly words: readonly string[];
}

export interface RepairOutcome {
  /** Sent, and there at the look afterwards. */
  readonly repaired: readonly Difference[];
  /** Sent, and still not there: under way, or refused. */
  readonly open: readonly { readonly difference: Difference; readonly reason: string }[];
  /** Where the next call goes on; undefined: all actions were done. */
  readonly next?: number;
}

export interface Repair {
  /** Reads, and changes nothing: the dry run. */
  plan(differences: readonly Difference[]): Promise<RepairPlan>;
  /** At most `BATCH` actions, from `start` on; may be repeated. Errors as of both sides: what was sent before is safe to send again. */
  apply(plan: Pick<RepairPlan, "actions">, start?: number): Promise<RepairOutcome>;
  /** Whether these are differences now: each row of both sides is read again. Changes nothing. */
  look(
    differences: readonly Difference[],
  ): Promise<{ readonly there: readonly Difference[]; readonly open: readonly Difference[] }>;
}

const BATCH = 200;

/** Sends again what one side lacks. What differs in a value is for a person: nobody but he knows which one is right. */
export function createRepair(options: RepairOptions): Repair {
  const { homeId, old, events, limits } = options;
  const sides: Sides = { old: oldSide(old), new: newSide(events, homeId), limits };
  return {
    plan: async (differences) => {
      const actions: RepairAction[] = [];
      const left: { difference: Difference; reason: string }[] = [];
      for (const difference of differences) {
        const found = await actionOf(difference, options);
        if (typeof found === "string") left.push({ difference, reason: found });
        else actions.push(found);
      }
      return { actions, left, words: wordsOf(actions, left) };
    },
    apply: async ({ actions }, start = 0) => {
      const batch = actions.slice(start, start + BATCH);
      const of = (side: RepairAction["to"]) => batch.filter(({ to }) => to === side).map(({ event }) => event);
      if (of("new").length > 0) await options.giveToNew(of("new"));
      const { refused } = of("old").length > 0 ? await old.write(of("old")) : { refused: [] };
      const repaired: Difference[] = [];
      const open: { difference: Difference; reason: string }[] = [];
      for (const { difference, event } of batch) {
        const why = refused.find((each) => each.event === event)?.reason;
        if (await isThere(sides, difference)) repaired.push({ ...difference, isRepaired: true });
        else open.push({ difference, reason: why ?? "sent, and not there yet" });
      }
      const next = start + batch.length;
      return { repaired, open, ...(next < actions.length && { next }) };
    },
    look: async (differences) => {
      const there: Difference[] = [];
      const open: Difference[] = [];
      for (const difference of differences)
        if (await isThere(sides, difference)) there.push({ ...difference, isRepaired: true });
        else open.push(difference);
      return { there, open };
    },
  };
}

const stampOf = ({ atUs }: Difference, { precisionUs }: ComparableLimits) => {
  const fromUs = Math.floor(atUs / precisionUs) * precisionUs;
  return { fromUs, toUs: fromUs + precisionUs };
};

async function actionOf(difference: Difference, options: RepairOptions): Promise<RepairAction | string> {
  const { entityId, atUs } = difference;
  const { homeId, limits, old, events, sources } = options;
  const span = { ...stampOf(difference, limits), entityIds: [entityId] };
  if (difference.isRepaired) return "it is repaired already";
  if (difference.class === "missing-in-new") {
    for (const source of sources) {
      const event = await source.find(entityId, atUs);
      if (event) return { difference, to: "new", from: source.name, event: await placed(event, options) };
    }
    for await (const rows of old.scan(span)) {
      const row = rows.find((each) => each.atUs === atUs && isMeant(each, difference, limits));
      if (row?.state === null) return "it is a removal, and OLD alone has it";
      if (row)
        return { difference, to: "new", from: "old", event: await placed(options.eventOfRow(row, homeId), options) };
    }
    return "nobody has it any more: neither OLD nor any other source";
  }
  if (difference.class === "missing-in-old") {
    for await (const found of events.scan({ homeId, ...span })) {
      const event = found.find((each) => each.atUs === atUs && matches(each, difference));
      if (event) return { difference, to: "old", from: "new", event };
    }
    return "NEW has it no more";
  }
  if (difference.class === "different") return "the two say different things, and a person must know which is right";
  return "it is no difference that counts";
}

/** Of several rows at one of OLD's cut stamps the one that was shown. */
const isMeant = ({ state }: OldRow, { old: shown }: Difference, { precisionUs }: ComparableLimits): boolean =>
  precisionUs === 1 || shown === undefined || shown === state;

/** At a cut stamp NEW may have another state already. */
async function placed(event: HomeEvent, { homeId, limits, events }: RepairOptions): Promise<HomeEvent> {
  const { entityId, atUs, state, attributes, lastChangedUs } = event;
  const row = { entityId, atUs, state, attributes, lastChangedUs };
  const [there = row] = await placePast([row], limits, (span) => events.scan({ homeId, ...span }));
  return there.atUs === atUs ? event : { ...event, atUs: there.atUs, lastChangedUs: there.lastChangedUs };
}

/** A removal and a state may share a moment. */
const matches = ({ kind }: HomeEvent, { new: shown }: Difference): boolean =>
  (kind === "removed") === (shown === "(removed)");

/** Looks at the row again as the check does. */
async function isThere(sides: Sides, difference: Difference): Promise<boolean> {
  const span = { ...stampOf(difference, sides.limits), entityIds: [difference.entityId] };
  return countedOf((await compare(sides, span, { tileUs: TILE_US, examplesMax: 1 })).counts) === 0;
}

function wordsOf(actions: RepairPlan["actions"], left: RepairPlan["left"]): string[] {
  const lines = Map.groupBy(actions, ({ to, from }) => `from ${from} to ${to}`);
  const reasons = Map.groupBy(left, ({ reason }) => reason);
  return [
    ...[...lines].map(([way, alike]) => `${alike.length} events are sent again ${way}.`),
    ...[...reasons].map(([reason, alike]) => `${alike.length} are left alone: ${reason}.`),
  ];
}
