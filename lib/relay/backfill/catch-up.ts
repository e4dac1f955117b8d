import { isHearthlineError } from "../../base/errors.ts";
import type { Microseconds } from "../../base/time.ts";
import type { GapCause } from "../../event/index.ts";
import type { EntityFilter } from "../filter.ts";
import { usOf } from "../known-of.ts";
import type { HaEvent } from "../ports.ts";
import { type FillDeps, fillGap } from "./fill.ts";
import { CLOCK_SET_BACK_US, type FirstHeard, firstHeardOf, planGap } from "./plan.ts";

export interface CatchUpDeps extends Omit<FillDeps, "isOver"> {
  readonly isIncluded: EntityFilter;
  /** Why nothing was heard before this session. */
  readonly cause: GapCause;
}

/** Later than anything that can have happened: clocks of a home may differ. */
const BEYOND_US = 3_600_000_000;
/** An event is on its way for less than this. */
const CLOCK_DOUBT_US = 500_000;

/**
 * What lies between the last that is known and what one session hears. `begin` before subscribing, `hear` each event, `fill` with a snapshot taken while
 * Home Assistant ran: it compares, and asks the recorder for what moved, beside the reader and without ever holding it up.
 */
export class CatchUp {
  readonly #deps: CatchUpDeps;
  #heard: Map<string, FirstHeard> | undefined;
  /** How far our clock is ahead of Home Assistant's, by the first event that came. */
  #aheadMs: number | undefined;
  #gap = 0;
  #toUs: Microseconds = 0;
  #cause: GapCause;
  #isEnded = false;
  #filling: Promise<void> = Promise.resolve();

  constructor(deps: CatchUpDeps) {
    this.#deps = deps;
    this.#cause = deps.cause;
  }

  /** Resolves when the beginning is durable: only then may the first event come. */
  begin(): Promise<void> {
    const { lastKnown, monitor, clock } = this.#deps;
    const { gap, saved } = lastKnown.open(new Date(monitor.connection.sinceMs).toISOString());
    this.#gap = gap;
    this.#toUs = clock.nowMs() * 1000;
    this.#heard = new Map();
    this.#aheadMs = undefined;
    return saved;
  }

  /** Something came that could not be read, or kept: from now on it is as if nothing had been heard, until the next `fill`. */
  doubt(cause: GapCause): void {
    if (this.#isEnded) return;
    if (!this.#heard) this.#cause = cause;
    void this.begin();
  }

  /** On the reader's own turn. */
  hear(event: HaEvent): void {
    if (!this.#heard) return;
    const { entity_id: entityId } = (event?.data ?? {}) as { entity_id?: unknown };
    if (typeof entityId !== "string" || this.#heard.has(entityId)) return;
    const first = firstHeardOf(event);
    if (!first) return;
    this.#heard.set(entityId, first);
    if (this.#aheadMs === undefined) this.#noteClock(this.#deps.clock.nowMs() - first.atUs / 1000);
  }

  /** `startedUs`: when Home Assistant came to run, if this session saw it start. Does not wait for the recorder. */
  fill(states: readonly unknown[], startedUs: Microseconds | undefined): void {
    const { lastKnown, intake, isIncluded, log } = this.#deps;
    const heard = this.#heard;
    if (!heard || this.#isEnded) return;
    this.#heard = undefined;
    const number = this.#gap;
    const fromUs = usOf(lastKnown.openSince);
    if (fromUs === undefined) {
      // The first start of all: from now on everything is known, as soon as this snapshot is in the spool.
      intake.whenDurable(() => void lastKnown.close(number));
      return;
    }
    const endUs = Math.max(this.#toUs, fromUs) + BEYOND_US;
    const setBackUs = Math.ceil(lastKnown.setBackMs * 1000);
    const plan = planGap({ known: lastKnown.entities, states, heard, fromUs, endUs, isIncluded, setBackUs });
    lastKnown.narrow(
      number,
      plan.holes.map(({ entityId }) => entityId),
    );
    // Both ends by Home Assistant's clock: ours may be hours off, and then the gap would lie elsewhere.
    const gap = { number, fromUs, toUs: plan.newestUs ?? this.#toUs, cause: this.#cause };
    const isOver = () => this.#isEnded || this.#gap !== number;
    log.info("Catching up with what was not heard.", { from: lastKnown.openSince, entities: plan.holes.length });
    this.#filling = this.#filling
      .then(() => fillGap({ gap, ...plan, startedUs }, { ...this.#deps, isOver }))
      .catch((thrown: unknown) => this.#failed(thrown));
  }

  /** Of this session nothing comes any more; what is not filled stays open for the next one. */
  end(): void {
    this.#isEnded = true;
  }

  /** Whether Home Assistant's clock was set back since the gap began. Beyond an hour it is rather ours that was set forth. */
  #noteClock(aheadMs: number): void {
    const { lastKnown } = this.#deps;
    this.#aheadMs = aheadMs;
    const byUs = (aheadMs - (lastKnown.aheadMs ?? aheadMs)) * 1000;
    if (byUs > CLOCK_DOUBT_US && byUs <= CLOCK_SET_BACK_US) lastKnown.noteSetBack((byUs + CLOCK_DOUBT_US) / 1000);
  }

  #failed(thrown: unknown): void {
    const isUsual = isHearthlineError(thrown) && thrown.code === "home_assistant_disconnected";
    this.#deps.log[isUsual ? "info" : "error"](
      "A gap could not be filled to its end: the next session goes on with it.",
      { error: thrown },
    );
  }
}
