import { formatIsoUs, type Microseconds } from "../../base/time.ts";
import { GAP_REASONS, type GapCause, type GapReason, type GapRecord } from "../../event/index.ts";

const EXAMPLES_MAX = 20;
const DAY_US = 86_400_000_000;

/** A gap, before it is looked into. */
export interface Gap {
  /** Of the last-known table. */
  readonly number: number;
  readonly fromUs: Microseconds;
  readonly toUs: Microseconds;
  readonly cause: GapCause;
}

/** Collects what came of a gap. */
export class GapReport {
  readonly #gap: Gap;
  readonly #missing = new Map<GapReason, Set<string>>();
  readonly #entities: number;
  hasRestarted = false;
  recovered = 0;
  statistics = 0;

  /** `entities`: how many moved. */
  constructor(gap: Gap, entities: number) {
    this.#gap = gap;
    this.#entities = entities;
  }

  miss(reason: GapReason, entityId: string): void {
    const ids = this.#missing.get(reason) ?? new Set();
    this.#missing.set(reason, ids.add(entityId));
  }

  /** Of those of which nothing else is said. */
  missRest(reason: GapReason, entityIds: readonly string[]): void {
    const said = new Set([...this.#missing.values()].flatMap((ids) => [...ids]));
    for (const entityId of entityIds) if (!said.has(entityId)) this.miss(reason, entityId);
  }

  /** Another clock may have set the end before the beginning: then the gap has no length. */
  record(): Omit<GapRecord, "n"> {
    const { fromUs, toUs, cause } = this.#gap;
    const missing = GAP_REASONS.flatMap((reason) => {
      const ids = this.#missing.get(reason);
      return ids
        ? [{ reason, entities: ids.size, examples: [...ids].slice(0, EXAMPLES_MAX).map((id) => id.slice(0, 255)) }]
        : [];
    });
    return {
      t: "gap",
      from: formatIsoUs(fromUs),
      to: formatIsoUs(Math.max(fromUs, toUs)),
      cause: this.hasRestarted ? "home_assistant_restarted" : cause,
      entities: this.#entities,
      recovered: this.recovered,
      statistics: this.statistics,
      complete: missing.length === 0,
      missing,
    };
  }
}

/** Home Assistant's recorder keeps at least a day: nothing of a younger gap can have been purged. */
export const mayBePurged = ({ fromUs, toUs }: Gap): boolean => toUs - fromUs > DAY_US;
