import { describe, expect, it } from "vitest";
import type { LastKnownEntity, LastKnownImage, LastKnownStore } from "../../lib/relay/ports.ts";

export const knownEntity = (state: string, isRemoved = false): LastKnownEntity => ({
  state,
  lastChanged: "2026-11-22T06:00:00.000001+00:00",
  lastUpdated: "2026-11-22T06:00:00.000002+00:00",
  isRemoved,
});

export const knownImage = (over: Partial<LastKnownImage> = {}): LastKnownImage => ({
  homeId: "home",
  relayId: "relay",
  sequence: 7,
  connectedSince: "2026-11-22T05:00:00.000Z",
  heard: "2026-11-22T06:00:00.000002+00:00",
  heardAtMs: 1_795_327_200_123.5,
  openSince: "2026-11-22T05:59:00.000002+00:00",
  openAtMs: 1_795_327_140_007,
  setBackMs: 4_500,
  unsentSince: "2026-11-22T05:58:00.000Z",
  entities: [
    ["light.a", knownEntity("on")],
    ["light.b", knownEntity("off\n\u2028 ünï", true)],
  ],
  ...over,
});

const plain = (image: LastKnownImage | undefined) => image && { ...image, entities: [...image.entities] };

/** What every last-known store promises (lib/relay/ports.ts). `again` opens the same place once more, as after a restart. */
export function lastKnownConformance(
  name: string,
  make: () => Promise<{ readonly again: () => LastKnownStore }>,
): void {
  describe(`${name} as a store of the last-known table`, () => {
    it("has nothing at first", async () => {
      const { again } = await make();
      expect(await again().load()).toBeUndefined();
    });

    it("gives back what was saved last, in its order, also when it was given as a map", async () => {
      const { again } = await make();
      await again().save(knownImage());
      expect(plain(await again().load())).toEqual(knownImage());
      const {
        openSince: _,
        heard: __,
        ...closed
      } = knownImage({ sequence: 9, entities: new Map([["a.b", knownEntity("1")]]) });
      await again().save(closed);
      expect(plain(await again().load())).toEqual({ ...closed, entities: [["a.b", knownEntity("1")]] });
    });

    it("keeps what it was given, not what becomes of it", async () => {
      const { again } = await make();
      const entities = new Map([["a.b", knownEntity("1")]]);
      await again().save(knownImage({ entities }));
      entities.set("a.b", knownEntity("2"));
      expect(plain(await again().load())?.entities).toEqual([["a.b", knownEntity("1")]]);
    });

    it("holds a table without entities", async () => {
      const { again } = await make();
      await again().save(knownImage({ entities: [] }));
      expect(plain(await again().load())?.entities).toEqual([]);
    });
  });
}
