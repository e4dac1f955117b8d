import type { Random } from "../../base/random.ts";
import type { Microseconds } from "../../base/time.ts";
import { type Asked, askedAggregate, askedRange } from "../reads/asking.ts";

/** What probes read: like people, pages and programs do, of entities that exist. */
export interface Mix {
  readonly homeId: string;
  /** At least one. */
  readonly entityIds: readonly string[];
  /** Where everything ends: what is younger may be on its way. */
  readonly toUs: Microseconds;
}

const MINUTE_US = 60_000_000;
const HOUR_US = 60 * MINUTE_US;
const HOURS_A_DAY = 24;
/** A page as the API gives it by default, and one of a program that fetches all. */
const PAGE = 100;
const LARGE_PAGE = 1_000;

/** How often each is drawn, of a hundred. */
const SHARES = { latest: 40, hour: 20, day: 10, page: 10, aggregate: 20 } as const;
type Kind = keyof typeof SHARES;
export const KINDS = Object.keys(SHARES) as readonly Kind[];

/** One read of the kind, or of a kind that is drawn as often as in `SHARES`. */
export function drawn(kind: Kind | undefined, mix: Mix, random: Random): Asked<unknown> {
  const { homeId, entityIds, toUs } = mix;
  const entityId = entityIds[Math.floor(random() * entityIds.length)] ?? "";
  const one = { homeId, entityIds: [entityId], toUs };
  switch (kind ?? drawnKind(random)) {
    case "latest":
      return askedRange({ ...one, order: "desc", limit: 1 });
    case "hour":
      return askedRange({ ...one, fromUs: toUs - HOUR_US, order: "desc", limit: PAGE });
    case "day":
      return askedRange({ ...one, fromUs: toUs - HOURS_A_DAY * HOUR_US, order: "asc", limit: LARGE_PAGE });
    case "page":
      return askedRange({ homeId, fromUs: toUs - 5 * MINUTE_US, toUs, order: "desc", limit: PAGE });
    case "aggregate": {
      const endUs = toUs - (toUs % HOUR_US);
      const edges = Array.from({ length: HOURS_A_DAY + 1 }, (_, i) => endUs - (HOURS_A_DAY - i) * HOUR_US);
      return askedAggregate({ homeId, entityIds: [entityId], edges });
    }
  }
}

function drawnKind(random: Random): Kind {
  let left = random() * Object.values(SHARES).reduce((sum, share) => sum + share, 0);
  for (const kind of KINDS) {
    left -= SHARES[kind];
    if (left < 0) return kind;
  }
  return "latest";
}
