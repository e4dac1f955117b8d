import type { HomeEvent } from "../../../lib/event/index.ts";

/** One thing that has happened in the home: what the single perfect store would hold. Its state says which it is. */
export interface Happened {
  readonly id: number;
  readonly entityId: string;
  readonly atUs: number;
  /** When each side came to hold it, on the world's clock. */
  newMs?: number;
  oldMs?: number;
  /** By a fault of the weather: not the migration's doing. */
  lostByNew?: true;
  lostByOld?: true;
}

export const HOME = "home";

export const eventOf = ({ id, entityId, atUs }: Happened, source: HomeEvent["source"] = "live"): HomeEvent => ({
  homeId: HOME,
  entityId,
  atUs,
  lastChangedUs: atUs,
  kind: "change",
  source,
  state: String(id),
  quality: "ok",
  domain: "sensor",
  localTime: "2026-11-22T07:00:00+01:00",
  dayPart: "morning",
  origin: "LOCAL",
  context: { id: `c${id}` },
  attributes: {},
});
