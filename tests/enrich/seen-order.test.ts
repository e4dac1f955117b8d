import { describe, expect, it } from "vitest";
import { enrichGroup } from "../../lib/enrich/home-group.ts";
import { createOwnView } from "../../lib/enrich/own-view.ts";
import type { ReadRecord } from "../../lib/ingest/index.ts";
import { SOME_TIME_US } from "../support/events.ts";
import { stateRecord } from "../support/records.ts";

describe("what was seen", () => {
  it("goes to the index in the order of its ids, whatever the order of events, so that it packs small", () => {
    const ids = ["sensor.b_2", "light.z", "sensor.a", "sensor.b_1", "light.z", "binary_sensor.m"];
    const records = ids.map((entity_id, index): ReadRecord => {
      const atUs = SOME_TIME_US + index;
      return { record: stateRecord({ n: index + 1, entity_id, atUs }), moment: { atUs, lastChangedUs: atUs } };
    });
    const { indexEntries } = enrichGroup([{ messageId: "m", relayId: "relay", records }], {
      homeId: "home",
      view: createOwnView(),
      withWeather: false,
    });
    const seen = indexEntries.flatMap((entry) => (entry.t === "seen" ? [[entry.entityId, entry.atUs]] : []));
    expect(seen).toEqual([
      ["binary_sensor.m", SOME_TIME_US + 5],
      ["light.z", SOME_TIME_US + 4],
      ["sensor.a", SOME_TIME_US + 2],
      ["sensor.b_1", SOME_TIME_US + 3],
      ["sensor.b_2", SOME_TIME_US],
    ]);
  });
});
