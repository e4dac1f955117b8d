import { formatIsoUs, type Microseconds } from "../../base/time.ts";
import { domainOf, type EventKind } from "../../event/index.ts";
import type { PastEvent } from "../admit.ts";
import { usOf } from "../known-of.ts";
import type { HistoryRow } from "../ports.ts";
import type { HeldState, Hole } from "./plan.ts";
import type { Start } from "./restarts.ts";

interface Before {
  readonly state: string;
  readonly lastChangedUs: Microseconds;
  readonly lastUpdatedUs: Microseconds;
}

/** Walks through one hole, from row to row, and says of each what it was. */
export interface Teller {
  /** The next rows, ascending; what is known already, or comes live, is left out. */
  tell(rows: readonly HistoryRow[]): PastEvent[];
  /** How Home Assistant itself had it, if neither a row nor the snapshot has told it. To be asked when all rows are told. */
  rest(): PastEvent[];
  /** Of what is known there is a row: the recorder reaches back so far. */
  readonly hasKnown: boolean;
  /** There is a row of what the entity was when we had subscribed. */
  readonly hasTarget: boolean;
  readonly hasRemoval: boolean;
  /** Rows, what is known included. */
  readonly rows: number;
  readonly firstUs: Microseconds | undefined;
}

export function createTeller(hole: Hole, starts: readonly Start[]): Teller {
  return new HoleTeller(hole, starts);
}

class HoleTeller implements Teller {
  readonly #hole: Hole;
  readonly #starts: readonly Start[];
  #before: Before | undefined;
  /** Rows up to here are told, or were known. */
  #toldUs: Microseconds;
  readonly #judgedBy: Pick<PastEvent, "judgedBy">;
  /** The latest start after which the entity has come back. */
  #cameBack: Start | undefined;
  hasKnown = false;
  hasTarget = false;
  hasRemoval = false;
  rows = 0;
  firstUs: Microseconds | undefined;

  constructor(hole: Hole, starts: readonly Start[]) {
    this.#hole = hole;
    this.#starts = starts;
    const { before, attributes } = hole;
    this.#toldUs = hole.knownUs ?? Number.NEGATIVE_INFINITY;
    this.#judgedBy = judgedBy(hole.entityId, attributes);
    const [lastChangedUs, lastUpdatedUs] = [usOf(before?.lastChanged), usOf(before?.lastUpdated)];
    if (!before || lastChangedUs === undefined || lastUpdatedUs === undefined) return;
    this.#before = { state: before.state, lastChangedUs, lastUpdatedUs };
    this.#cameBack = this.#startBefore(lastUpdatedUs);
  }

  tell(rows: readonly HistoryRow[]): PastEvent[] {
    const { knownUs, untilUs } = this.#hole;
    return rows.flatMap((row) => {
      this.rows += 1;
      this.firstUs ??= row.lastUpdatedUs;
      if (row.lastUpdatedUs === knownUs) this.hasKnown = true;
      if (row.lastUpdatedUs <= this.#toldUs || row.lastUpdatedUs >= untilUs) return [];
      this.#toldUs = row.lastUpdatedUs;
      return [{ ...this.#one(row), ...this.#judgedBy }];
    });
  }

  rest(): PastEvent[] {
    const { entityId, target } = this.#hole;
    if (!target || this.hasTarget || target.isTold) return [];
    const { state, attributes, lastChanged, lastUpdated, context } = target;
    return [{ entityId, kind: "snapshot", state, attributes, lastChanged, lastUpdated, context }];
  }

  #one({ state, attributes, lastChangedUs, lastUpdatedUs }: HistoryRow): PastEvent {
    const { entityId, target } = this.#hole;
    const before = this.#before;
    const old = before && { old: oldOf(before) };
    const times = { lastChanged: formatIsoUs(lastChangedUs), lastUpdated: formatIsoUs(lastUpdatedUs) };
    if (state === null) {
      this.hasRemoval = true;
      this.#before = undefined;
      return { entityId, kind: "removed", state: "", attributes: {}, ...times, ...old };
    }
    const held: HeldState | undefined = target?.atUs === lastUpdatedUs ? target : undefined;
    if (held) this.hasTarget = true;
    const kind = this.#kindOf({ state, lastChangedUs, lastUpdatedUs }, attributes);
    this.#before = { state, lastChangedUs, lastUpdatedUs };
    return {
      entityId,
      kind,
      state,
      ...times,
      ...(held ? { attributes: held.attributes, context: held.context } : { attributes }),
      ...old,
    };
  }

  #kindOf({ state, lastChangedUs, lastUpdatedUs }: Before, attributes: Readonly<Record<string, unknown>>): EventKind {
    const before = this.#before;
    const start = this.#startBefore(lastUpdatedUs);
    const hasComeBack = start !== undefined && start === this.#cameBack;
    if (start) this.#cameBack = start;
    if (!before || attributes.restored === true) return "restore";
    if (start && lastUpdatedUs <= start.toUs) return "restore";
    if (lastChangedUs !== lastUpdatedUs) return "attributes";
    // Added anew after a start, though late; or changed to what it was: either way nothing that somebody did.
    return (start && !hasComeBack) || state === before.state ? "restore" : "change";
  }

  #startBefore(atUs: Microseconds): Start | undefined {
    return this.#starts.findLast(({ fromUs }) => fromUs <= atUs);
  }
}

/** The recorder does not keep the `mode` of a text entity, which tells a password from a text. One that Home Assistant no longer holds is taken for a password. */
function judgedBy(entityId: string, held: Readonly<Record<string, unknown>> | undefined): Pick<PastEvent, "judgedBy"> {
  const isText = ["text", "input_text"].includes(domainOf(entityId));
  return isText ? { judgedBy: { mode: held ? held.mode : "password" } } : {};
}

const oldOf = ({ state, lastChangedUs, lastUpdatedUs }: Before) => ({
  state,
  last_changed: formatIsoUs(lastChangedUs),
  last_updated: formatIsoUs(lastUpdatedUs),
});
