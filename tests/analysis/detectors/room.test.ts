import { describe, expect, it } from "vitest";
import { room } from "../../../lib/analysis/detectors/room.ts";
import { detectorConformance } from "../../conformance/detector.ts";
import { buildFacts, buildHomeDay, clock, findIn, historyOf, type Wish } from "../../support/detector-days.ts";

detectorConformance(room);

const inRoom = (at: number, entityId: string, state: string, more: Partial<Wish> = {}): Wish => ({
  at,
  entityId,
  state,
  areaId: "living",
  ...more,
});
const presence = (from: number, to: number): Wish[] => [
  inRoom(from, "binary_sensor.living", "on", { deviceClass: "occupancy" }),
  inRoom(to, "binary_sensor.living", "off", { deviceClass: "occupancy" }),
];
/** Film: television on, lamp on, ceiling off; before it the ceiling on, after it everything off. */
const film = (at: number): Wish[] => [
  inRoom(at - 3000, "light.ceiling", "on"),
  inRoom(at, "media_player.tv", "playing"),
  inRoom(at + 20, "light.floor", "on"),
  inRoom(at + 45, "light.ceiling", "off"),
  inRoom(at + 7200, "media_player.tv", "off"),
  inRoom(at + 8000, "light.floor", "off"),
];
const FILM = ["media_player.tv", "light.ceiling", "light.floor"];
const evening = (index: number) => clock(20, 10) + ((index * 617) % 2400);

describe("a scene", () => {
  it("of every evening is found with its members, its room and its time", () => {
    const findings = findIn(room, 20, (index) => [
      ...presence(evening(index) - 3600, clock(23)),
      ...film(evening(index)),
    ]);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({
      kind: "room",
      areaId: "living",
      target: { entityId: "media_player.tv", state: "playing" },
      hits: 20,
      opportunities: 20,
      automated: false,
    });
    expect(findings[0]?.days).toBeUndefined();
    expect(findings[0]?.steps?.map(({ entityId }) => entityId)).toEqual(FILM);
    expect(findings[0]?.at).toMatch(/^20:[23]/);
  });

  it("of Fridays is told for Fridays", () => {
    const findings = findIn(room, 42, (index) => [
      ...presence(evening(index) - 3600, clock(23)),
      ...(index % 7 === 4
        ? film(evening(index))
        : [inRoom(evening(index), "media_player.tv", "playing"), inRoom(clock(23), "media_player.tv", "off")]),
    ]);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ days: ["fri"], hits: 6, opportunities: 6 });
  });

  it("misses where the room was in use without it, and only there", () => {
    const findings = findIn(room, 28, (index) => {
      if (index % 4 === 0) return presence(evening(index) - 3600, clock(23));
      if (index % 4 === 1) return presence(clock(9), clock(10));
      return [...presence(evening(index) - 3600, clock(23)), ...film(evening(index))];
    });
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ hits: 14, opportunities: 21 });
  });

  it("is not counted on days on which nobody was at home", () => {
    const days = Array.from({ length: 28 }, (_, index) =>
      buildFacts(index, index % 4 === 0 ? presence(clock(20), clock(23)) : film(evening(index))),
    );
    const history = historyOf(room, days, (facts, index) => buildHomeDay(facts, { isEligible: index % 4 !== 0 }));
    expect(room.find(history)[0]).toMatchObject({ hits: 21, opportunities: 21 });
  });
});

describe("what is no scene", () => {
  it("is a group or a scene that is switched as one", () => {
    expect(findIn(room, 20, (index) => film(evening(index)).map((wish) => ({ ...wish, act: 3 })))).toEqual([]);
  });

  it("is what belongs to two rooms, or to none", () => {
    const elsewhere = findIn(room, 20, (index) =>
      film(evening(index)).map((wish) => ({ ...wish, areaId: wish.entityId })),
    );
    const nowhere = findIn(room, 20, (index) => film(evening(index)).map(({ areaId: _, ...wish }) => wish));
    expect([...elsewhere, ...nowhere]).toEqual([]);
  });

  it("is what automations do", () => {
    const findings = findIn(room, 20, (index) =>
      film(evening(index)).map((wish) => ({ ...wish, actor: "automation" as const })),
    );
    expect(findings).toEqual([]);
  });

  it("is a lamp that is switched all the time, beside whatever else is done", () => {
    const findings = findIn(room, 28, (index) => [
      ...Array.from({ length: 60 }, (_, step) =>
        inRoom(clock(19) + step * 240 + ((index * 37) % 200), "light.ceiling", step % 2 === 0 ? "on" : "off"),
      ),
      inRoom(evening(index), "media_player.tv", "playing"),
      inRoom(clock(2), "media_player.tv", "off"),
    ]);
    expect(findings).toEqual([]);
  });

  it("is what happens on the same evening, apart", () => {
    const findings = findIn(room, 28, (index) => [
      inRoom(evening(index), "media_player.tv", "playing"),
      inRoom(evening(index) + 900 + ((index * 311) % 3000), "light.floor", "on"),
      inRoom(clock(23), "media_player.tv", "off"),
      inRoom(clock(24), "light.floor", "off"),
    ]);
    expect(findings).toEqual([]);
  });
});
