import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareEvents, type HomeEvent } from "../../../lib/event/index.ts";
import { decodeBlock, encodeBlock, openBlock } from "../../../lib/series/index.ts";
import { anyEvent, ENTITY_IDS, SOME_TIME_US } from "../../support/events.ts";

/** Any text at all: broken surrogates, decimals in every spelling, numbers of any size. */
const nastyText = fc.oneof(
  fc.constantFrom("", "-0", "0", "-0.0", "00", "1.", ".5", "1.50", "-21.5", "1e3", "0x10", "+1", "Infinity", "NaN"),
  fc.constantFrom("\ud83c", "\udfe0", "999999999999999", "9999999999999999", "0.00000000000001", "-999999999.999999"),
  fc.double().map(String),
  fc.integer({ min: -1000, max: 1000 }).map((number) => (number / 10).toFixed(1)),
  fc.string({ unit: "binary", maxLength: 12 }),
);
const nastyNumber = fc.oneof(
  fc.constantFrom(-0, 0, 1e308, 5e-324, 2 ** 53, -(2 ** 53), 0.1 + 0.2),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const ULID = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const nastyId = fc.oneof(
  fc.string({ unit: fc.constantFrom(...ULID), minLength: 26, maxLength: 26 }).map((id) => `0${id.slice(1)}`),
  fc.string({ unit: fc.constantFrom(...ULID, "u", "I", "é"), minLength: 26, maxLength: 26 }),
  fc.constantFrom("", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ", "01kamc7h5jpq3v2z9x8w7t6s5r"),
);
const nastyTime = fc.oneof(
  fc.constantFrom(0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 52, -62_135_596_800_000_000 / 10),
  fc.maxSafeInteger(),
  fc.nat(90_000_000_000).map((us) => SOME_TIME_US + us),
);
const nastyLocalTime = fc.constantFrom(
  ...["", "2026-11-22T06:47:09.185382+01:00", "2026-11-22T06:47:09.185382-00:00", "2026-11-22T06:47:09.185382+00:75"],
  ...["2026-11-22T24:47:09.185382+01:00", "2026-11-22T06:47:60.185382+01:00", "2026-11-22T06:47:09,185382+01:00"],
);
// As text, so that a member named __proto__ is a member.
const nastyAttributes = fc.oneof(
  fc.constantFrom('{"__proto__":{"a":1}}', '{"a":"\\ud83c"}', '{"b":1,"a":2}', '{"a":2,"b":1}', '{"a":[1,{"b":null}]}'),
  fc.constantFrom('{"2":1,"1":2}', '{"a":[1,{"b":false}]}', '{"constructor":1}', '{"n":1e400}', '{"a":{}}', '{"a":[]}'),
  fc
    .dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 })
    .map((it) => JSON.stringify(it)),
);

const nastyEvent: fc.Arbitrary<HomeEvent> = fc
  .record({
    base: anyEvent,
    more: fc.record(
      {
        state: nastyText,
        oldState: nastyText,
        value: fc.oneof(nastyNumber, fc.boolean()),
        secondsInOldState: nastyNumber,
        atUs: nastyTime,
        lastChangedUs: nastyTime,
        localTime: nastyLocalTime,
        entityId: fc.oneof(nastyText, fc.constantFrom(...ENTITY_IDS)),
        origin: nastyText,
        context: fc.record(
          { id: nastyId, parentId: nastyId, userId: nastyText },
          { requiredKeys: ["id"], noNullPrototype: true },
        ),
      },
      { requiredKeys: [] },
    ),
    attributes: nastyAttributes,
  })
  .map(({ base, more, attributes }) => ({
    ...base,
    ...more,
    homeId: "home",
    attributes: (JSON.parse(attributes) ?? {}) as HomeEvent["attributes"],
  }));

const someEvents = fc.array(
  fc.oneof(
    anyEvent.map((event) => ({ ...event, homeId: "home" })),
    nastyEvent,
  ),
  { minLength: 1, maxLength: 60 },
);
/** JSON has no infinity and no -0: an attribute that was read from JSON as such is written as JSON writes it. */
const asKept = (event: HomeEvent): HomeEvent => ({
  ...event,
  attributes: JSON.parse(JSON.stringify(event.attributes)) as HomeEvent["attributes"],
  ...(event.weather && { weather: JSON.parse(JSON.stringify(event.weather)) as NonNullable<HomeEvent["weather"]> }),
});

describe("a block of events", () => {
  it("gives back every member of any events, in their order", () => {
    fc.assert(
      fc.property(someEvents, fc.boolean(), (events, isSorted) => {
        const given = isSorted ? events.toSorted(compareEvents) : events;
        const back = decodeBlock(encodeBlock(given));
        expect(back).toStrictEqual(given.map(asKept));
        expect(back.map((event) => JSON.stringify(event.attributes))).toEqual(
          given.map((event) => JSON.stringify(event.attributes)),
        );
      }),
      { numRuns: 400 },
    );
  });

  it("gives the same events by a filter as one would choose from all", () => {
    const filter = fc.record(
      { entityIds: fc.subarray(ENTITY_IDS), fromUs: nastyTime, toUs: nastyTime },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(someEvents, filter, fc.boolean(), (events, wanted, isSorted) => {
        const given = isSorted ? events.toSorted(compareEvents) : events;
        const { entityIds, fromUs = Number.NEGATIVE_INFINITY, toUs = Number.POSITIVE_INFINITY } = wanted;
        const chosen = given
          .filter(({ entityId }) => !entityIds || entityIds.includes(entityId))
          .filter(({ atUs }) => atUs >= fromUs && atUs < toUs);
        expect(openBlock(encodeBlock(given)).events(wanted)).toStrictEqual(chosen.map(asKept));
      }),
      { numRuns: 300 },
    );
  });

  it("gives the same events in pieces, one after another or out of their order, as at once", () => {
    const cuts = fc.array(nastyTime, { maxLength: 8 });
    fc.assert(
      fc.property(someEvents, cuts, fc.boolean(), fc.boolean(), (events, times, isSorted, isInOrder) => {
        const block = openBlock(encodeBlock(isSorted ? events.toSorted(compareEvents) : events));
        const entityIds = [...new Set(events.map(({ entityId }) => entityId))].slice(1);
        const order = isInOrder ? times.toSorted((a, b) => a - b) : times;
        const [read, readSome] = [block.reader(), block.reader()];
        for (const [index, fromUs] of order.entries()) {
          const toUs = order[index + 1];
          const span = { fromUs, ...(toUs !== undefined && { toUs }) };
          expect(read(span)).toStrictEqual(block.events(span));
          // Others than the time before: what was passed over has to be there again.
          const some = index % 3 === 2 ? span : { ...span, entityIds };
          expect(readSome(some)).toStrictEqual(block.events(some));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("is never read wrongly when a bit has turned or the end is missing", () => {
    fc.assert(
      fc.property(someEvents, fc.nat(), fc.nat(7), fc.boolean(), (events, where, bit, isCut) => {
        const bytes = Buffer.from(encodeBlock(events));
        const at = where % bytes.length;
        if (!isCut) bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        const broken = isCut ? bytes.subarray(0, at) : bytes;
        expect(() => decodeBlock(broken)).toThrow(expect.objectContaining({ code: "store_damaged" }));
      }),
      { numRuns: 300 },
    );
  });
});
