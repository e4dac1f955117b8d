import type { Clock } from "../../base/clock.ts";
import { isHearthlineError } from "../../base/errors.ts";
import type { Pointer } from "../ports.ts";
import type { Timed } from "./asking.ts";

/** After a read that OLD left without an answer, readers are not made to wait for it for so long. */
export const HUNG_MS = 10_000;
const OLDS_MAX = 1_000;

/** Which OLDs hang. A connection that is refused costs a reader nothing; one that is taken and never answered costs him the whole time-out, at each read. */
export interface HungOlds {
  /** Whether NEW, where it may, should be asked first now. When the time is over one read, not each, is told no: it finds out. */
  isHung(pointer: Pointer): boolean;
  /** What a read of OLD came to. */
  note(pointer: Pointer, read: Timed<unknown>): void;
}

export function createHungOlds(clock: Pick<Clock, "monotonicMs">): HungOlds {
  /** Until when, by migration. */
  const untilMs = new Map<string, number>();
  const hang = ({ migrationId }: Pointer) => {
    if (untilMs.size >= OLDS_MAX) untilMs.clear();
    untilMs.set(migrationId, clock.monotonicMs() + HUNG_MS);
  };
  return {
    isHung(pointer) {
      const until = untilMs.get(pointer.migrationId);
      if (until === undefined) return false;
      if (clock.monotonicMs() < until) return true;
      hang(pointer);
      return false;
    },
    note(pointer, read) {
      if ("error" in read && isHearthlineError(read.error) && read.error.code === "service_timeout") hang(pointer);
      else untilMs.delete(pointer.migrationId);
    },
  };
}
