import {
  type GivenUp,
  type LossRecord,
  type LostRange,
  lossesOf,
  lossRecordOf,
  lostRangeOf,
  mergeLostRanges,
} from "../../event/index.ts";
import type { LostEvents } from "../../relay/ports.ts";
import { outsideHoles, withHole } from "./segment.ts";
import type { Hole, KeptState, PendingLoss } from "./state-file.ts";

/** More are forgotten, the oldest first: at worst a loss is said twice. */
const HOLES_KEPT_MAX = 300;

/** What is known beside the segments: numbers, cursors, losses. In memory; `kept()` is what the state file has of it. */
export class Book {
  readonly homeId: string;
  readonly relayId: string;
  last: number;
  revision: number;
  losses: number;
  readonly cursors: Record<string, number>;
  holes: readonly Hole[];
  pending: readonly PendingLoss[];
  active: number | undefined;

  constructor(state: KeptState) {
    this.homeId = state.home_id;
    this.relayId = state.relay_id;
    this.last = state.last;
    this.revision = state.revision;
    this.losses = state.losses;
    this.cursors = { ...state.cursors };
    this.holes = state.holes;
    this.pending = state.pending;
    this.active = state.active;
  }

  kept(how: { readonly clean: boolean; readonly taking?: boolean }): KeptState {
    return {
      home_id: this.homeId,
      relay_id: this.relayId,
      last: this.last,
      revision: this.revision,
      losses: this.losses,
      cursors: this.cursors,
      holes: this.holes.slice(-HOLES_KEPT_MAX),
      pending: this.pending,
      ...(this.active !== undefined && { active: this.active }),
      clean: how.clean,
      taking: how.taking ?? false,
    };
  }

  /** Every sink has acknowledged up to here. */
  get done(): number {
    return Math.min(...Object.values(this.cursors));
  }

  cursorOf(sink: string): number {
    const cursor = this.cursors[sink];
    if (cursor !== undefined) return cursor;
    throw new RangeError(`The spool has no sink "${sink}"; it knows ${Object.keys(this.cursors).join(", ")}.`);
  }

  /** Records that some sink has not acknowledged. */
  get records(): number {
    const { done } = this;
    return outsideHoles(this.holes, done + 1, this.last).reduce((sum, [first, last]) => sum + last - first + 1, 0);
  }

  /** Notes that these numbers are gone; those that were said to be gone before are left out. Gives how many events that is. */
  giveUp(stretch: Omit<GivenUp, "older"> & { readonly older?: GivenUp["older"] }): number {
    let events = 0;
    for (const [first, last] of outsideHoles(this.holes, stretch.first, stretch.last)) {
      const older = (stretch.older ?? []).filter(({ n }) => n >= first && n <= last);
      const lost = lossesOf({ ...stretch, first, last, older }, this.cursors);
      events += lost.events;
      this.#add(lost.ranges);
    }
    this.holes = withHole(this.holes, [stretch.first, stretch.last]);
    this.losses += events;
    return events;
  }

  isLost(n: number): boolean {
    return this.holes.some(([first, last]) => first <= n && n <= last);
  }

  /** Numbers that nobody may use again and that may never have been used; `count`: how many events seem to have had one. */
  skip(range: LostRange): void {
    this.#add([range]);
    this.losses += range.count;
    this.holes = withHole(this.holes, [range.first, range.last]);
    this.last = range.last;
  }

  /** Is this loss record one that was pending? Then it is pending no more. */
  isWritten(n: number, range: LostRange): boolean {
    const key = keyOf(range);
    const found = this.pending.find((lost) => keyOf(writtenRangeOf(lossTextOf(lost, n).text)) === key);
    this.pending = this.pending.filter((lost) => lost !== found);
    return found !== undefined;
  }

  /** Notes events that never got a number. */
  refuse(lost: LostEvents): void {
    const before = this.pending.find(
      ({ range, reason, sink }) =>
        range === undefined && lost.range === undefined && reason === lost.reason && sink === lost.sink,
    );
    const merged = before
      ? {
          ...before,
          count: before.count + lost.count,
          fromMs: Math.min(before.fromMs, lost.fromMs),
          toMs: Math.max(before.toMs, lost.toMs),
        }
      : lost;
    this.pending = [...this.pending.filter((each) => each !== before), merged];
    this.losses += lost.count;
  }

  /** Behind what every sink has acknowledged nobody asks for holes. */
  forgetHoles(): void {
    const { done } = this;
    this.holes = this.holes.filter(([, last]) => last > done);
  }

  #add(ranges: readonly LostRange[]): void {
    const ranged = this.pending.flatMap(({ range, ...lost }) =>
      range ? [{ ...lost, first: range[0], last: range[1] }] : [],
    );
    const merged = mergeLostRanges([...ranged, ...ranges]).map(pendingOf);
    this.pending = [...this.pending.filter(({ range }) => range === undefined), ...merged];
  }
}

const pendingOf = ({ first, last, ...lost }: LostRange): PendingLoss => ({ ...lost, range: [first, last] });

/** As it comes back from the text that is written: a reason may be cut, a count of none is one. */
const writtenRangeOf = (text: string): LostRange => lostRangeOf(JSON.parse(text) as LossRecord);

const keyOf = ({ first, last, count, reason, fromMs, toMs, sink }: LostRange): string =>
  JSON.stringify([first, last, count, reason, fromMs, toMs, sink]);

/** As the record `n` it is. */
export const lossTextOf = ({ range, ...lost }: PendingLoss, n: number): { text: string; range: LostRange } => {
  const lostRange: LostRange = { ...lost, first: range?.[0] ?? n, last: range?.[1] ?? n };
  return { text: JSON.stringify(lossRecordOf(lostRange)), range: lostRange };
};
