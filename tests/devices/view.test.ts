import { describe, expect, it } from "vitest";
import { createRegistryView, type Device, type Entity, parseRegistryRows } from "../../lib/devices/index.ts";
import { recordedLists, recordedRegistry } from "./registries.ts";

const device = (deviceId: string, more: Partial<Device> = {}): Device => ({
  deviceId,
  name: deviceId.toUpperCase(),
  labels: [],
  identifiers: [],
  connections: [],
  ...more,
});
const entity = (entityId: string, more: Partial<Entity> = {}): Entity => ({ entityId, labels: [], ...more });

describe("a view of the registries", () => {
  it("gives an entity its own area, else its device's, else the parent device's", () => {
    const view = createRegistryView({
      areas: [{ areaId: "own", name: "Own", labels: [] }],
      devices: [
        device("parent", { areaId: "parents" }),
        device("child", { parentDeviceId: "parent" }),
        device("moved", { parentDeviceId: "parent", areaId: "moved" }),
        device("orphan", { parentDeviceId: "gone" }),
      ],
      entities: [
        entity("a.own", { areaId: "own", deviceId: "moved" }),
        entity("a.moved", { deviceId: "moved" }),
        entity("a.child", { deviceId: "child" }),
        entity("a.orphan", { deviceId: "orphan" }),
        entity("a.gone", { deviceId: "gone" }),
      ],
    });
    const areaIdOf = (id: string) => view.entity(`a.${id}`)?.areaId;
    expect(["own", "moved", "child", "orphan", "gone"].map(areaIdOf)).toEqual([
      "own",
      "moved",
      "parents",
      undefined,
      undefined,
    ]);
    expect(view.entity("a.own")?.area?.name).toBe("Own");
    expect(view.entity("a.moved")).not.toHaveProperty("area");
    expect(view.entity("a.child")?.device?.deviceId).toBe("child");
    expect(view.entity("a.gone")).not.toHaveProperty("device");
    expect(view.entity("a.unknown")).toBeUndefined();
    expect(view.areaOfDevice("child")).toBe("parents");
    expect(view.areaOfDevice("gone")).toBeUndefined();
    expect(view.device("child")?.name).toBe("CHILD");
    expect(view.area("own")?.name).toBe("Own");
  });

  it("ends with devices that are each other's parents", () => {
    const view = createRegistryView({
      devices: [device("a", { parentDeviceId: "b" }), device("b", { parentDeviceId: "a" })],
      entities: [entity("x.y", { deviceId: "a" })],
    });
    expect(view.entity("x.y")).not.toHaveProperty("areaId");
  });

  it("composes names as Home Assistant does", () => {
    const view = createRegistryView({
      devices: [device("strip"), device("socket", { parentDeviceId: "strip", nameFollows: "parent" })],
      entities: [
        entity("a.alone", { deviceId: "strip", name: "Alone" }),
        entity("a.part", { deviceId: "strip", name: "Power", nameFollows: "device" }),
        entity("a.main", { deviceId: "strip", nameFollows: "device" }),
        entity("a.deep", { deviceId: "socket", name: "Power", nameFollows: "device" }),
        entity("a.nameless"),
        entity("a.lost", { name: "Power", deviceId: "gone", nameFollows: "device" }),
      ],
    });
    const names = ["alone", "part", "main", "deep", "nameless", "lost"].map((id) => view.entity(`a.${id}`)?.name);
    expect(names).toEqual(["Alone", "STRIP Power", "STRIP", "STRIP SOCKET Power", "a.nameless", "Power"]);
  });

  it("reads a recorded home of 2026.11.0: an area by the device, a name with its device's", () => {
    const view = createRegistryView({
      areas: parseRegistryRows("areas", recordedRegistry("2026.11.0", "areas")),
      devices: parseRegistryRows("devices", recordedRegistry("2026.11.0", "devices")),
      entities: parseRegistryRows("entities", recordedRegistry("2026.11.0", "entities")),
    });
    expect(view.entity("sensor.outside_temperature")).toMatchObject({
      areaId: "boiler_room",
      area: { name: "Boiler room" },
    });
    expect(view.entity("light.bed_light")?.name).toBe("Bed Light Bed lamp");
    expect(view.entity("input_number.relay_number")?.name).toBe("Relay number");
  });

  it("reads recorded child devices: the parent's area until the child has its own", () => {
    const [devices = [], entities = []] = recordedLists("2026.11.0", "31-child-devices");
    const withArea = devices.map((row) => (row.name === "Relay power strip" ? { ...row, area_id: "kitchen" } : row));
    const view = createRegistryView({
      devices: parseRegistryRows("devices", withArea),
      entities: parseRegistryRows("entities", entities),
    });
    expect(view.entity("sensor.relay_power_strip_socket_1_power")).toMatchObject({
      areaId: "kitchen",
      device: { name: "Socket 1" },
      name: "Relay power strip Socket 1 Power",
    });
  });
});
