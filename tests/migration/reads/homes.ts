import fc from "fast-check";
import type { HomeEvent } from "../../../lib/event/index.ts";
import type { OldLimits } from "../../../lib/migration/ports.ts";
import { buildEvent, SOME_TIME_US } from "../../support/events.ts";

/** A whole number of every tick. */
export const FROM_US = SOME_TIME_US - (SOME_TIME_US % 1_000_000);
export const ENTITIES = ["light.a", "light.b", "sensor.c", "sensor.d"];

/** What an OLD may be unable to hold. */
export const someLimits: fc.Arbitrary<Partial<OldLimits>> = fc.record({
  statesLeftOut: fc.constantFrom([], ["unknown", "unavailable", ""]),
  hasRemovals: fc.boolean(),
  isNumberTextLost: fc.boolean(),
});

/** Some events within two milliseconds of each other: many share a tick, some a moment. */
export const someEvents: fc.Arbitrary<HomeEvent[]> = fc
  .uniqueArray(
    fc.record({
      offsetUs: fc.oneof(fc.integer({ min: 0, max: 5_000 }), fc.constantFrom(0, 1_000, 2_000, 3_000)),
      entityId: fc.constantFrom(...ENTITIES),
      state: fc.constantFrom("on", "off", "12.50", "13", "unknown", "unavailable", "", "text"),
      isRemoved: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    }),
    {
      maxLength: 40,
      size: "max",
      selector: ({ offsetUs, entityId, isRemoved }) => `${offsetUs} ${entityId} ${isRemoved}`,
    },
  )
  .map((all) =>
    all.map(({ offsetUs, entityId, state, isRemoved }) =>
      buildEvent({
        atUs: FROM_US + offsetUs,
        entityId,
        ...(isRemoved ? { kind: "removed", state: "", quality: "unavailable" } : { state }),
      }),
    ),
  );
