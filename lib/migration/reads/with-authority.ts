import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Random } from "../../base/random.ts";
import type { EventStore } from "../../store/ports.ts";
import type { Pointer, ReadPair } from "../ports.ts";
import { type Asked, askedAggregate, askedRange, pairOf, type Timed, timed } from "./asking.ts";
import { otherOf, type Side, sideOf } from "./authority.ts";
import type { Background } from "./background.ts";
import { createHungOlds } from "./hung-old.ts";
import type { PointerCache } from "./pointer-cache.ts";
import { shadowPair } from "./shadow.ts";
import { type OldOf, sidesOf } from "./sides.ts";

/** Who reads now: one object for all reads of a request. They go by one pointer, so that an answer made of several reads is not of two minds. */
export interface Reading {
  /** The name of the token that asks. */
  readonly reader?: string;
  /** By which pointer: set by the first read. */
  pointed?: { readonly homeId: string; readonly pointer: Pointer | undefined };
  /** Who answered: `old` as soon as any part came from there. Absent: there is no migration, or nothing was read. */
  side?: Side;
}

export interface AuthorityOptions {
  readonly pointers: PointerCache;
  readonly oldOf: OldOf;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Pick<Logger, "warn">;
  /** Shadow reads run here. Absent: nobody's reads are asked of the other side too (a function that is frozen when it has answered). */
  readonly background?: Background | undefined;
  onPair(homeId: string, migrationId: string, pair: ReadPair): void;
  /** OLD has answered a reader; shadow reads are none. */
  onOldRead?(homeId: string, migrationId: string, reader: string | undefined): void;
  /** The request that is being answered. */
  reading?(): Reading | undefined;
  /** Rows younger than this are not compared. Default: as the plan's, 120,000. */
  readonly settleMs?: number;
}

const SETTLE_MS = 120_000;

/** One read of a home that has a migration. */
interface Case<T> {
  readonly asked: Asked<T>;
  readonly pointer: Pointer;
  readonly reading: Reading | undefined;
  /** NEW's answer to a read that came when nobody knew whether there is a migration. */
  readonly asNew?: Promise<Timed<T>>;
}

/**
 * The store of homes that may be moving: `range` and `aggregate` are answered by whoever is the authority; everything else is NEW's. Where the authority fails, the other side answers if it may: NEW when
 * it has the whole past, OLD while it gets everything; and where OLD leaves readers without an answer NEW is asked first for a while. Of so many reads as the plan says the other side is asked too, when the caller has his answer: he neither waits for it nor hears of it.
 */
export function withAuthority(store: EventStore, options: AuthorityOptions): EventStore {
  const { pointers, oldOf, clock, random, log, background, onPair, settleMs = SETTLE_MS } = options;
  const hung = createHungOlds(clock);

  async function read<T>(asked: Asked<T>): Promise<T> {
    const { homeId } = asked;
    const reading = options.reading?.();
    const pointer = pointerFor(homeId, reading);
    if (!(pointer instanceof Promise)) return pointer ? byAuthority({ asked, pointer, reading }) : asked.ask(store);
    // Nearly no home is moving: NEW is asked meanwhile, so that the first read costs nothing either.
    const asNew = timed(clock, () => asked.ask(store));
    const found = await pointer;
    return found ? byAuthority({ asked, pointer: found, reading, asNew }) : answerOf(await asNew);
  }

  function pointerFor(homeId: string, reading: Reading | undefined) {
    if (reading?.pointed?.homeId === homeId) return reading.pointed.pointer;
    const pin = (pointer: Pointer | undefined) => {
      if (reading) reading.pointed = { homeId, pointer };
      return pointer;
    };
    const pointer = pointers.get(homeId);
    return pointer instanceof Promise ? pointer.then(pin) : pin(pointer);
  }

  async function byAuthority<T>(one: Case<T>): Promise<T> {
    const { asked, pointer, reading } = one;
    const side = firstOf(one, asked.isOldable ? sideOf(pointer, asked, reading?.reader) : "new");
    const isShadowed = asked.isOldable && !!background && random() * 10_000 < pointer.shadowBasisPoints;
    const first = await ask(one, side);
    if (!("error" in first)) {
      note(one, side);
      if (isShadowed) shadow(one, side, first);
      return first.answer;
    }
    const other = otherOf(side);
    const second = asked.isOldable && (await mayStandIn(one, other)) ? await ask(one, other) : undefined;
    const isAnswered = second !== undefined && !("error" in second);
    const { homeId, query } = asked;
    log.warn("the authority of reads does not answer", { homeId, side, query, isAnswered, error: first.error });
    if (isShadowed && second) {
      const sides = side === "old" ? { old: first, new: second } : { old: second, new: first };
      const rows = isAnswered ? asked.rowsOf(second.answer) : 0;
      onPair(homeId, pointer.migrationId, pairOf({ atUs: clock.nowMs() * 1000, by: "shadow", query, rows, ...sides }));
    }
    if (!isAnswered) throw first.error;
    note(one, other);
    return second.answer;
  }

  /** The pointer may be seconds old, and a read that hung as old as its time-out: before somebody goes without an answer it is looked whether the other may give it by now. */
  async function mayStandIn({ asked: { homeId }, pointer }: Case<unknown>, side: Side): Promise<boolean> {
    if (mayAnswer(pointer, side)) return true;
    const now = await pointers.renew(homeId);
    return now !== undefined && now.migrationId === pointer.migrationId && mayAnswer(now, side);
  }

  /** Who is asked first: the authority, but NEW where it may stand in for an OLD that hangs. */
  const firstOf = ({ pointer }: Case<unknown>, side: Side): Side =>
    side === "old" && mayAnswer(pointer, "new") && hung.isHung(pointer) ? "new" : side;

  /** Who answered. */
  function note<T>({ asked, pointer, reading }: Case<T>, side: Side): void {
    if (reading && reading.side !== "old") reading.side = side;
    if (side === "old") options.onOldRead?.(asked.homeId, pointer.migrationId, reading?.reader);
  }

  async function ask<T>({ asked, pointer, asNew }: Case<T>, side: Side): Promise<Timed<T>> {
    if (side === "new" && asNew && !asked.isContinued) return asNew;
    const sides = await sidesOf(store, () => oldOf(pointer));
    const read = await timed(clock, () => asked.ask(sides[side]));
    // Windows of too many rows are given up, too, by an OLD that is well.
    if (side === "old" && asked.query !== "aggregate") hung.note(pointer, read);
    return read;
  }

  function shadow<T>({ asked, pointer }: Case<T>, side: Side, first: { ms: number; answer: T }): void {
    const nowMs = clock.nowMs();
    const read = { asked, side, first, atUs: nowMs * 1000, settledUs: (nowMs - settleMs) * 1000 };
    background?.add(async (signal) => {
      const sides = await sidesOf(store, () => oldOf(pointer), signal);
      onPair(asked.homeId, pointer.migrationId, await shadowPair(read, { clock, sides, signal }));
    }, asked.rowsOf(first.answer));
  }

  return {
    ...store,
    range: (query) => read(askedRange(query)),
    aggregate: (query) => read(askedAggregate(query)),
  };
}

/**
 * Whether a side may answer what the other one should have. OLD as long as it gets everything, in rampdown too: whoever it answers there has needed it, and rampdown's quiet begins anew.
 */
const mayAnswer = ({ isNewComplete, isOldComplete }: Pointer, side: Side): boolean =>
  side === "new" ? isNewComplete : isOldComplete;

function answerOf<T>(given: Timed<T>): T {
  if ("error" in given) throw given.error;
  return given.answer;
}
