import { isSameValue, zigbeeAddressesOf } from "../../devices/index.ts";
import type { OldDevice } from "../ports.ts";
import { contentOf, keyOf, type NewDevice, valuesOfOld } from "./lists.ts";

/** One device in both lists, and by what it was recognised. */
export interface DevicePair {
  readonly old: OldDevice;
  readonly fresh: NewDevice;
  readonly by: "id" | "link" | "address" | "name";
}

/** What may be one device and may be several: a person has to look. Nothing is written for any of these. */
export interface Ambiguity {
  readonly reason: string;
  readonly oldIds: readonly string[];
  readonly deviceIds: readonly string[];
}

export interface DeviceMatch {
  readonly pairs: readonly DevicePair[];
  readonly onlyOld: readonly OldDevice[];
  readonly onlyNew: readonly NewDevice[];
  readonly ambiguous: readonly Ambiguity[];
  /** Rows of OLD that say what another row with their id says. */
  readonly repeated: number;
}

/** A value by itself is an address only when it is as long as one: `1` of a Hue lamp is also the first row of somebody's table. */
const ADDRESS_MIN_CHARACTERS = 8;
/** Rows of one name that are compared each with each (chosen by us); more are all ambiguous. */
const NAMESAKES_MAX = 10_000;

/**
 * Which rows of the two lists are one device. In this order: the same id; a link, which says that they were one before (by `keyOf` of both ids); OLD's id is one of the device's identifiers or
 * addresses (`domain:value`, or the value alone when it is long enough); the same name and the same model, when there is one of them on each side. Of equal names without two models to compare, and
 * wherever more than one would do, nothing is decided.
 */
export function matchDevices(
  old: readonly OldDevice[],
  fresh: readonly NewDevice[],
  links: ReadonlyMap<string, string> = new Map(),
): DeviceMatch {
  const { rows, repeated, unclear } = uniqueOld(old);
  const matcher = new Matcher(rows, fresh, unclear);
  matcher.byId();
  matcher.byLink(links);
  matcher.byAddress();
  matcher.byName();
  return { ...matcher.result(), repeated };
}

/** Rows with one id that say the same are one; those that do not are unclear. */
function uniqueOld(old: readonly OldDevice[]): { rows: OldDevice[]; repeated: number; unclear: OldDevice[][] } {
  const none: ReadonlyMap<string, string> = new Map();
  const rows: OldDevice[] = [];
  const unclear: OldDevice[][] = [];
  for (const group of Map.groupBy(old, ({ id }) => id).values()) {
    const said = new Set(group.map((row) => contentOf(valuesOfOld(row, none), row.capabilities)));
    const latest = group.reduce((a, b) => ((b.changedAtMs ?? 0) > (a.changedAtMs ?? 0) ? b : a));
    if (said.size > 1) unclear.push(group);
    else rows.push(latest);
  }
  const clear = old.length - unclear.flat().length;
  return { rows, repeated: clear - rows.length, unclear };
}

const asAddress = (text: string): string => text.toLowerCase().replaceAll(/[:-]/g, "");

function addressesOf({ device }: NewDevice): Set<string> {
  const marks = [...device.identifiers, ...device.connections];
  const whole = marks.map((mark) => mark.join(":"));
  const values = [...marks.map((mark) => mark.at(-1) ?? ""), ...zigbeeAddressesOf(device)];
  return new Set(
    [...whole, ...values.filter((value) => asAddress(value).length >= ADDRESS_MIN_CHARACTERS)].map(asAddress),
  );
}

class Matcher {
  readonly #old: Map<string, OldDevice>;
  readonly #fresh: Map<string, NewDevice>;
  readonly #pairs: DevicePair[] = [];
  readonly #ambiguous: Ambiguity[] = [];

  constructor(old: readonly OldDevice[], fresh: readonly NewDevice[], unclear: readonly OldDevice[][]) {
    this.#old = new Map(old.map((row) => [row.id, row]));
    this.#fresh = new Map(fresh.map((one) => [one.device.deviceId, one]));
    for (const group of unclear) {
      const [first] = group;
      if (!first) continue;
      const address = asAddress(first.id);
      const names = new Set(group.flatMap(({ name }) => (name === undefined ? [] : [plain(name)])));
      const meant = [...this.#fresh.values()].filter(
        (one) => one.device.deviceId === first.id || addressesOf(one).has(address) || names.has(plain(one.device.name)),
      );
      this.#leave([first], meant, `OLD has ${group.length} different rows with this id`);
    }
  }

  byId(): void {
    for (const row of this.#old.values()) this.#pair(row, this.#fresh.get(row.id), "id");
  }

  byLink(links: ReadonlyMap<string, string>): void {
    if (links.size === 0) return;
    const byKey = new Map([...this.#fresh].map(([id, one]) => [keyOf(id), one]));
    for (const row of this.#old.values()) {
      const key = links.get(keyOf(row.id));
      if (key !== undefined) this.#pair(row, byKey.get(key), "link");
    }
  }

  byAddress(): void {
    const byAddress = new Map<string, Set<NewDevice>>();
    for (const one of this.#fresh.values())
      for (const address of addressesOf(one)) byAddress.set(address, (byAddress.get(address) ?? new Set()).add(one));
    const edges = [...this.#old.values()].flatMap((row) =>
      [...(byAddress.get(asAddress(row.id)) ?? [])].map((one) => ({ row, one, isCertain: true })),
    );
    this.#decide(edges, "address", "more than one row has an address of more than one device");
  }

  byName(): void {
    const byName = Map.groupBy(this.#fresh.values(), ({ device }) => plain(device.name));
    const named = [...this.#old.values()].filter(({ name = "" }) => name.trim() !== "");
    for (const [name, rows] of Map.groupBy(named, (row) => plain(row.name ?? ""))) {
      const devices = byName.get(name) ?? [];
      if (rows.length * devices.length > NAMESAKES_MAX) {
        this.#leave(rows, devices, "too many of one name");
        continue;
      }
      const edges = rows.flatMap((row) =>
        devices.flatMap((one) => {
          const likeness = sameModel(row.model, one.device.model);
          return likeness === "other" ? [] : [{ row, one, isCertain: likeness === "same" }];
        }),
      );
      this.#decide(edges, "name", "the names are the same, and the models do not tell which is which");
    }
  }

  result(): Omit<DeviceMatch, "repeated"> {
    const [onlyOld, onlyNew] = [[...this.#old.values()], [...this.#fresh.values()]];
    return { pairs: this.#pairs, onlyOld, onlyNew, ambiguous: this.#ambiguous };
  }

  /** A row and a device that have each other alone are one, when that is certain; whatever else is connected stays undecided, all of it together. */
  #decide(edges: readonly Edge[], by: DevicePair["by"], reason: string): void {
    const ofRow = Map.groupBy(edges, ({ row }) => row);
    const ofDevice = Map.groupBy(edges, ({ one }) => one);
    const undecided: Edge[] = [];
    for (const edge of edges) {
      const isAlone = ofRow.get(edge.row)?.length === 1 && ofDevice.get(edge.one)?.length === 1;
      if (isAlone && edge.isCertain) this.#pair(edge.row, edge.one, by);
      else undecided.push(edge);
    }
    for (const [row, own] of Map.groupBy(undecided, ({ row }) => row))
      this.#leave(
        [row],
        own.map(({ one }) => one),
        reason,
      );
  }

  #pair(old: OldDevice, fresh: NewDevice | undefined, by: DevicePair["by"]): void {
    if (!fresh || !this.#old.has(old.id) || !this.#fresh.has(fresh.device.deviceId)) return;
    this.#pairs.push({ old, fresh, by });
    this.#old.delete(old.id);
    this.#fresh.delete(fresh.device.deviceId);
  }

  #leave(rows: readonly OldDevice[], devices: readonly NewDevice[], reason: string): void {
    const oldIds = rows.map(({ id }) => id);
    const deviceIds = devices.map(({ device }) => device.deviceId);
    this.#ambiguous.push({ reason, oldIds, deviceIds });
    for (const id of oldIds) this.#old.delete(id);
    for (const id of deviceIds) this.#fresh.delete(id);
  }
}

interface Edge {
  readonly row: OldDevice;
  readonly one: NewDevice;
  readonly isCertain: boolean;
}

const plain = (text: string): string => text.normalize("NFC").trim().replace(/\s+/g, " ").toLowerCase();

/** `LED2003G10` and `TRADFRI bulb (LED2003G10)` may be one: that is for a person to say. */
function sameModel(a: string | undefined, b: string | undefined): "same" | "other" | "unknown" {
  if (a === undefined || b === undefined || a.trim() === "" || b.trim() === "") return "unknown";
  if (isSameValue(a, b)) return "same";
  const [this_, that] = [plain(a), plain(b)];
  return this_.includes(that) || that.includes(this_) ? "unknown" : "other";
}
