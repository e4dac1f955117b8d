import type { Item } from "../../../lib/adapters/dynamodb/wire-item.ts";
import type { Reading } from "../../../lib/migration/reads/with-authority.ts";
import type { Migration, Pointer, ReadPair } from "../../../lib/migration/types.ts";
import type { RangeQuery } from "../../../lib/store/ports.ts";
import type { Happened } from "./happened.ts";
import { ALLOWED_LAG_MS, COMPARES, EFFECTIVE_MS, HAS_PAST, MAY_BE_MOVED } from "./wanted.ts";
import { touches } from "./weather.ts";
import { atMsOf, type World } from "./world.ts";

export interface Look {
  readonly query: RangeQuery;
  readonly reading: Reading;
  readonly startMs: number;
  /** The authority did not answer. */
  readonly hasWarned: boolean;
}

export interface Answer {
  readonly query: RangeQuery;
  readonly seen: readonly number[];
  /** To the end of what was asked for. */
  readonly isWhole: boolean;
  readonly startMs: number;
  readonly sides: ReadonlySet<string>;
}

/** What every write of the pointer and every read must keep. */
export class ReadRules {
  readonly #world: World;
  readonly #rows: ReadonlyMap<number, Migration>;
  pointer: Pointer | undefined;
  /** When each epoch's pointer was first in the table. */
  readonly #pointed: { readonly epoch: number; readonly atMs: number }[] = [];
  /** By entity and percentage: who answered. */
  readonly #sides = new Map<string, Map<number, string>>();
  readonly stats = { byNew: 0, byOld: 0, pairs: 0, moved: 0 };

  constructor(world: World, rows: ReadonlyMap<number, Migration>) {
    this.#world = world;
    this.#rows = rows;
  }

  #wrong(rule: string, words: string): void {
    this.#world.wrong(rule, words);
  }

  onPointer({ data }: Item): void {
    const pointer = JSON.parse(String(data)) as Pointer;
    const { epoch, basisPoints, authority, shadowBasisPoints, readers, isNewComplete, isOldComplete } = pointer;
    const beforeEpoch = this.pointer?.epoch ?? 0;
    if (epoch < beforeEpoch) this.#wrong("the pointer never goes back", `epoch ${epoch} over ${beforeEpoch}`);
    if (epoch !== this.pointer?.epoch) this.#pointed.push({ epoch, atMs: this.#world.sim.nowMs });
    this.pointer = pointer;
    const row = this.#rows.get(epoch);
    if (!row) {
      this.#wrong("the row comes first", `the pointer is at epoch ${epoch}, no row was`);
      return;
    }
    const points = Math.round(row.stagePercent * 100);
    const state = row.pausedFrom ?? row.state;
    const wanted = points === 0 ? "old" : points === 10_000 ? "new" : "split";
    if (basisPoints !== points || authority !== wanted)
      this.#wrong("the pointer says what the row says", `${authority} ${basisPoints} at ${state} ${row.stagePercent}`);
    if (shadowBasisPoints > 0 && !COMPARES.has(state))
      this.#wrong("reads are compared only while there is something to compare", state);
    const moved = MAY_BE_MOVED.has(state) ? row.readers : {};
    if (JSON.stringify(readers) !== JSON.stringify(moved))
      this.#wrong("who was moved by hand stays there until all go", `${JSON.stringify(readers)} at ${state}`);
    if (isNewComplete !== HAS_PAST.has(state))
      this.#wrong("NEW has the past from shadow on", `${isNewComplete} at ${state}`);
    if (isOldComplete === (state === "cleanup" || state === "complete"))
      this.#wrong("OLD gets everything until cleanup", `${isOldComplete} at ${state}`);
  }

  onPair({ isEqual, query }: ReadPair): void {
    this.stats.pairs += 1;
    if (isEqual === false && ["fair", "operators"].includes(this.#world.weather.kind))
      this.#wrong("equal sides are found equal", query);
  }

  onOldRead({ isNewAway }: { readonly isNewAway: boolean }): void {
    const { sim, weather } = this.#world;
    // Whoever has no other answer.
    if (isNewAway && this.pointer?.isOldComplete) return;
    const sinceMs = this.#pointed.at(-1)?.atMs ?? 0;
    if (this.pointer?.authority !== "new" || this.pointer.shadowBasisPoints > 0) return;
    const afterMs = sim.nowMs - sinceMs;
    if (afterMs > EFFECTIVE_MS && !touches(weather.cuts.table, sinceMs, sim.nowMs))
      this.#wrong("nobody asks OLD once it is to go", `${(afterMs / 1000).toFixed(0)} s after`);
  }

  /** Who answered: sticky, monotone, and by a pointer that is not older than seconds. */
  onRead({ query: { entityIds = [] }, reading, startMs, hasWarned }: Look): void {
    const { sim, weather } = this.#world;
    const pointer = reading.pointed?.pointer;
    const side = reading.side ?? "new";
    this.stats[side === "old" ? "byOld" : "byNew"] += 1;
    const due = this.#pointed.findLast(({ atMs }) => atMs < startMs - EFFECTIVE_MS);
    const isHindered = touches(weather.cuts.table, startMs - 2 * EFFECTIVE_MS, sim.nowMs);
    if (due && !isHindered && (pointer?.epoch ?? 0) < due.epoch)
      this.#wrong("a change is effective within seconds", `a read went by ${pointer?.epoch}, due was ${due.epoch}`);
    if (!pointer || hasWarned) return;
    const { basisPoints, isNewComplete, readers } = pointer;
    const { reader = "" } = reading;
    const moved = Object.hasOwn(readers, reader) ? readers[reader] : undefined;
    if (moved && (moved === "old" || isNewComplete)) {
      this.stats.moved += 1;
      if (side !== moved) this.#wrong("a reader reads where a person has put him", `${side} instead of ${moved}`);
      return;
    }
    const [first = ""] = entityIds;
    if (entityIds.length === 1) this.#stays(first, basisPoints, side);
    else if (side === "new" && entityIds.some((entityId) => this.#sidesOf(entityId).get(basisPoints) === "old"))
      this.#wrong("of several entities NEW answers only if all are NEW's", `${entityIds.join(", ")} at ${basisPoints}`);
  }

  #stays(entityId: string, basisPoints: number, side: string): void {
    const known = this.#sidesOf(entityId);
    for (const [at, before] of known) {
      // More of NEW's share never takes an entity away from it, less never gives it one.
      const [less, more] = at <= basisPoints ? [before, side] : [side, before];
      if ((less === "new" && more === "old") || (at === basisPoints && before !== side))
        this.#wrong("who is NEW's stays so", `${entityId}: ${before} at ${at}, ${side} at ${basisPoints}`);
    }
    known.set(basisPoints, side);
  }

  #sidesOf(entityId: string): Map<number, string> {
    const known = this.#sides.get(entityId) ?? new Map<number, string>();
    this.#sides.set(entityId, known);
    return known;
  }

  /** What a single perfect store would have answered, but for what has just happened and what a fault of the weather has held up. */
  onAnswer({ query, seen, isWhole, startMs, sides }: Answer): void {
    // Before it is started nobody says that there is an OLD.
    if (startMs < (this.#pointed[0]?.atMs ?? Number.POSITIVE_INFINITY) + EFFECTIVE_MS) return;
    const { happened, sim } = this.#world;
    const { entityIds, fromUs = 0, toUs = Number.MAX_SAFE_INTEGER, order, limit } = query;
    const sign = order === "asc" ? 1 : -1;
    const isAsked = (each: Happened) =>
      each.atUs >= fromUs && each.atUs < toUs && (entityIds?.includes(each.entityId) ?? true);
    const found = seen.flatMap((id) => happened[id] ?? []);
    const told = new Set(seen);
    if (found.length !== seen.length || told.size !== seen.length || !found.every(isAsked))
      this.#wrong("an answer holds what was asked for, each once", `${limit} ${order}: ${seen.join(" ")}`);
    if (found.some(({ atUs }, at) => sign * (atUs - (found[at - 1]?.atUs ?? atUs)) < 0))
      this.#wrong("an answer is in order", seen.join(" "));
    const endUs = isWhole ? undefined : found.at(-1)?.atUs;
    const isCovered = ({ atUs }: Happened) => endUs === undefined || sign * (atUs - endUs) < 0;
    const mayLack = (each: Happened) => [...sides].some((side) => this.#mayLack(each, side, startMs));
    const lacking = happened.find((each) => isAsked(each) && isCovered(each) && !told.has(each.id) && !mayLack(each));
    if (!lacking) return;
    const afterSeconds = ((startMs - atMsOf(sim, lacking)) / 1000).toFixed(0);
    this.#wrong(
      "a read answers what a perfect store would",
      `${[...sides].join(" and ")}, ${afterSeconds} s after: ${lacking.id} of ${lacking.entityId} is not there`,
    );
  }

  #mayLack(each: Happened, side: string, startMs: number): boolean {
    const { weather, sim } = this.#world;
    const atMs = atMsOf(sim, each);
    if (atMs > startMs - ALLOWED_LAG_MS) return true;
    const isNew = side === "new";
    if (isNew ? each.lostByNew : each.lostByOld) return true;
    if (isNew && each.oldMs === 0 && this.#world.isPastForced) return true;
    const cameMs = (isNew ? each.newMs : each.oldMs) ?? Number.POSITIVE_INFINITY;
    // Held up by a fault, and what a breaker adds to it.
    const cuts = isNew ? weather.cuts.cloud : weather.cuts.old;
    return cameMs > startMs - ALLOWED_LAG_MS && touches(cuts, atMs - 60_000, sim.nowMs);
  }
}
