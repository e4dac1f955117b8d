import { describe, expect, it } from "vitest";
import type { Device } from "../../../lib/devices/ports.ts";
import { keyOf } from "../../../lib/migration/devices/lists.ts";
import { matchDevices } from "../../../lib/migration/devices/match.ts";
import type { OldDevice } from "../../../lib/migration/ports.ts";
import { device } from "./fakes.ts";

const fresh = (...devices: Device[]) => devices.map((one) => ({ device: one, values: {}, capabilities: [] }));
const shown = (old: OldDevice[], devices: Device[], links?: ReadonlyMap<string, string>) => {
  const { pairs, onlyOld, onlyNew, ambiguous, repeated } = matchDevices(old, fresh(...devices), links);
  return {
    pairs: pairs.map((pair) => `${pair.old.id}=${pair.fresh.device.deviceId} by ${pair.by}`),
    old: onlyOld.map(({ id }) => id),
    new: onlyNew.map((one) => one.device.deviceId),
    ambiguous: ambiguous.map(({ oldIds, deviceIds }) => [...oldIds, "/", ...deviceIds].join(" ")),
    repeated,
  };
};
const none = { pairs: [], old: [], new: [], ambiguous: [], repeated: 0 };

describe("Which rows are one device", () => {
  it("by id, by identifiers and addresses however they are written, by name and model", () => {
    const zigbee = device({ deviceId: "z", identifiers: [["mqtt", "zigbee2mqtt_0x00124b0001020304"]] });
    const mac = device({ deviceId: "m", connections: [["mac", "aa:bb:cc:00:11:22"]] });
    const hue = device({ deviceId: "h", identifiers: [["hue", "1"]] });
    const named = device({ deviceId: "n", name: "Desk lamp", model: "LED1" });
    const old = [
      { id: "same" },
      { id: "0x00124b0001020304" },
      { id: "AA-BB-CC-00-11-22" },
      { id: "hue:1" },
      { id: "17", name: " desk  LAMP ", model: "led1" },
    ];
    expect(shown(old, [device({ deviceId: "same" }), zigbee, mac, hue, named])).toEqual({
      ...none,
      pairs: [
        "same=same by id",
        "0x00124b0001020304=z by address",
        "AA-BB-CC-00-11-22=m by address",
        "hue:1=h by address",
        "17=n by name",
      ],
    });
  });

  it("not by a short number that others have too", () => {
    const hue = device({ deviceId: "h", identifiers: [["hue", "1"]] });
    expect(shown([{ id: "1", name: "Fridge" }], [hue])).toEqual({ ...none, old: ["1"], new: ["h"] });
  });

  it("is not guessed: names without models, models that may be one, two of a kind", () => {
    const lamp = device({ deviceId: "n", name: "Lamp", model: "LED1" });
    expect(shown([{ id: "1", name: "Lamp" }], [lamp])).toEqual({ ...none, ambiguous: ["1 / n"] });
    expect(shown([{ id: "1", name: "Lamp", model: "Bulb (LED1)" }], [lamp])).toEqual({ ...none, ambiguous: ["1 / n"] });
    expect(shown([{ id: "1", name: "Lamp", model: "XYZ" }], [lamp])).toEqual({ ...none, old: ["1"], new: ["n"] });
    const twin = { ...lamp, deviceId: "n2" };
    const row = { id: "1", name: "Lamp", model: "LED1" };
    expect(shown([row], [lamp, twin])).toEqual({ ...none, ambiguous: ["1 / n n2"] });
    expect(shown([row, { ...row, id: "2" }], [lamp])).toEqual({ ...none, ambiguous: ["1 / n", "2 / n"] });
  });

  it("goes on by a link when a name changes, as long as both are there", () => {
    const links = new Map([[keyOf("1"), keyOf("n")]]);
    const renamed = device({ deviceId: "n", name: "Another", model: "LED1" });
    expect(shown([{ id: "1", name: "Lamp", model: "LED1" }], [renamed], links).pairs).toEqual(["1=n by link"]);
    expect(shown([{ id: "1", name: "Lamp" }], [], links)).toEqual({ ...none, old: ["1"] });
  });

  it("takes rows that say the same for one, and decides nothing where they do not", () => {
    const lamp = device({ deviceId: "1", name: "Lamp" });
    const row = { id: "1", name: "Lamp" };
    expect(shown([row, { ...row, changedAtMs: 5 }], [lamp])).toEqual({ ...none, pairs: ["1=1 by id"], repeated: 1 });
    expect(shown([row, { ...row, name: "Lampe" }], [lamp])).toEqual({ ...none, ambiguous: ["1 / 1"] });
  });

  it("is quick where thousands have one name", () => {
    const many = Array.from({ length: 2_000 }, (_, i) => i);
    const { ambiguous } = shown(
      many.map((i) => ({ id: String(i), name: "Lamp" })),
      many.map((i) => device({ deviceId: `n${i}`, name: "Lamp" })),
    );
    expect(ambiguous).toHaveLength(1);
  });
});
