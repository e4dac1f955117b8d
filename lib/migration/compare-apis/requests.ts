import type { Random } from "../../base/random.ts";
import type { Microseconds } from "../../base/time.ts";
import type { HomeEvent } from "../../event/index.ts";
import type { RangeQuery } from "../../store/ports.ts";

/** What is asked of both sides: a whole span, page by page. */
export interface ApiRequest {
  readonly kind: RequestKind;
  readonly query: Omit<RangeQuery, "after">;
}

/** - `bounds`: begins and ends at events, so that it shows who takes a bound for included. - `empty`: of an entity that nobody has. */
export const REQUEST_KINDS = ["hour", "day", "past", "several", "home", "newest", "bounds", "empty"] as const;
export type RequestKind = (typeof REQUEST_KINDS)[number];

/** What there is to ask for. */
export interface Askable {
  readonly homeId: string;
  /** At least one. */
  readonly entityIds: readonly string[];
  /** What is older need not be on both sides: the plan leaves it out, OLD begins later, or NEW keeps it no more. */
  readonly fromUs: Microseconds;
  /** What is younger may be on its way. */
  readonly toUs: Microseconds;
  /** Some events of an entity, newest first: real moments to begin and end at. */
  eventsOf(entityId: string): Promise<readonly HomeEvent[]>;
}

const HOUR_US = 3_600_000_000;
const DAY_US = 24 * HOUR_US;
const SEVERAL = 5;
const NOBODY = "sensor.hearthline_nobody";
/** Pages of uneven length, so that their ends fall everywhere. */
const PAGES = [1, 7, 100, 1_000] as const;

/** A request that leaves out what need not be on both sides. */
export const withinBoth = ({ kind, query }: ApiRequest, { fromUs }: Pick<Askable, "fromUs">): ApiRequest => ({
  kind,
  query: { ...query, fromUs: Math.max(fromUs, query.fromUs ?? 0) },
});

/** One request, drawn. Half of the moments are of the last day, where both are still being written. */
export const drawRequest = async (there: Askable, random: Random): Promise<ApiRequest> =>
  withinBoth(await drawn(there, random), there);

async function drawn(there: Askable, random: Random): Promise<ApiRequest> {
  const one = <T>(all: readonly [T, ...T[]] | readonly T[]): T | undefined => all[Math.floor(random() * all.length)];
  const kind = one(REQUEST_KINDS) ?? "hour";
  const entityId = one(there.entityIds) ?? "";
  const order = random() < 0.5 ? ("asc" as const) : ("desc" as const);
  const base = { homeId: there.homeId, order, limit: one(PAGES) ?? 100 };
  const entityIds = [entityId];
  const endUs = momentOf(there, random);
  switch (kind) {
    case "hour":
      return { kind, query: { ...base, entityIds, fromUs: endUs - HOUR_US, toUs: endUs } };
    case "day":
      return { kind, query: { ...base, entityIds, fromUs: endUs - DAY_US, toUs: endUs } };
    case "past":
      return { kind, query: { ...base, entityIds, toUs: endUs } };
    case "several": {
      const some = [...new Set([entityId, ...Array.from({ length: SEVERAL - 1 }, () => one(there.entityIds) ?? "")])];
      return { kind, query: { ...base, entityIds: some, fromUs: endUs - HOUR_US, toUs: endUs } };
    }
    case "home":
      return { kind, query: { ...base, fromUs: endUs - HOUR_US / 12, toUs: endUs } };
    case "newest":
      return { kind, query: { ...base, entityIds, order: "desc", limit: 1, toUs: there.toUs } };
    case "bounds": {
      const events = (await there.eventsOf(entityId)).filter(({ atUs }) => atUs >= there.fromUs && atUs < there.toUs);
      const [last, first] = [events[0], events[Math.floor(random() * events.length)]];
      if (!last || !first) return { kind: "newest", query: { ...base, entityIds, order: "desc", toUs: there.toUs } };
      return { kind, query: { ...base, entityIds, fromUs: first.atUs, toUs: last.atUs } };
    }
    case "empty":
      return { kind, query: { ...base, entityIds: [NOBODY], toUs: endUs } };
  }
}

function momentOf({ fromUs, toUs }: Askable, random: Random): Microseconds {
  const sinceUs = random() < 0.5 ? Math.max(fromUs, toUs - DAY_US) : fromUs;
  return Math.floor(sinceUs + random() * (toUs - sinceUs)) + 1;
}
