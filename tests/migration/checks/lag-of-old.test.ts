import { describe, expect, it } from "vitest";
import { lagOfOld } from "../../../lib/migration/checks/newest.ts";
import type { OldRow } from "../../../lib/migration/ports.ts";
import type { EventPage, RangeQuery } from "../../../lib/store/ports.ts";
import { buildEvent, SOME_TIME_US } from "../../support/events.ts";
import { INFLUX_LIMITS } from "../consistency/support.ts";

const SECOND_US = 1_000_000;
const nowUs = SOME_TIME_US + 100 * SECOND_US;
const entityId = "sensor.power";

/** NEW and OLD with a row of these seconds each, of one entity. */
function sidesOf(seconds: { readonly new: readonly number[]; readonly old: readonly number[] }, state = "1") {
  const events = seconds.new.map((at) => buildEvent({ entityId, state, atUs: SOME_TIME_US + at * SECOND_US }));
  const rows: OldRow[] = seconds.old.map((at) => ({ entityId, state, atUs: SOME_TIME_US + at * SECOND_US }));
  const page = async ({ limit }: RangeQuery): Promise<EventPage> => ({ events: events.toReversed().slice(0, limit) });
  const scan = async function* () {
    yield rows;
  };
  return { store: { range: page }, old: { range: page, scan, limits: INFLUX_LIMITS } };
}

const lag = (sides: ReturnType<typeof sidesOf>) => lagOfOld("home", sides, { nowUs, lagUs: 30 * SECOND_US });

describe("How far OLD's own writer has come", () => {
  it("is its newest row, while NEW has later ones that OLD can hold: they may be in its hands", async () => {
    expect(await lag(sidesOf({ new: [10, 40, 90], old: [10, 40] }))).toBe(60);
  });

  it("is no matter where NEW has none: a quiet home's rows settle by time alone", async () => {
    expect(await lag(sidesOf({ new: [10, 40], old: [10, 40] }))).toBeUndefined();
    expect(await lag(sidesOf({ new: [10], old: [10, 40] }))).toBeUndefined();
    expect(await lag(sidesOf({ new: [50], old: [] }, "unavailable"))).toBeUndefined();
  });

  it("is as far back as it was looked for where OLD has none of the last time", async () => {
    expect(await lag(sidesOf({ new: [90], old: [] }))).toBe(10 + 60);
  });
});
