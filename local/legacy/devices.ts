import { DEVICE_COLUMNS, type LegacyStore } from "./store.ts";

const LISTS: ReadonlySet<string> = new Set(["labels", "capabilities"]);

/** As `GET /api/devices` gives them: lists as lists, what is not known left out. */
export const shownDevices = (store: LegacyStore): object[] =>
  store
    .devices()
    .map((row) =>
      Object.fromEntries(
        Object.entries(row).flatMap(([name, value]) =>
          value === null ? [] : [[name, LISTS.has(name) ? (JSON.parse(value) as unknown) : value]],
        ),
      ),
    );

/** Creates or replaces them, by id. */
export function putDevices(store: LegacyStore, given: unknown): object {
  const devices: unknown[] = Array.isArray(given) ? given : [given];
  const rejected = devices.flatMap((device, index) => {
    const row = rowOf(device);
    if (typeof row === "string") return [{ index, code: "device_malformed", detail: row }];
    store.putDevice(row);
    return [];
  });
  return { accepted: devices.length - rejected.length, rejected };
}

function rowOf(device: unknown): Record<string, string | null> | string {
  const given = (device ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof given.id !== "string" || given.id === "") return "a device has an id";
  const row: Record<string, string | null> = {};
  for (const column of DEVICE_COLUMNS) {
    const value = given[column];
    if (value === undefined || value === null) row[column] = null;
    else if (LISTS.has(column) && Array.isArray(value)) row[column] = JSON.stringify(value);
    else if (LISTS.has(column) || typeof value !== "string") return `"${column}" has the wrong type`;
    else row[column] = value;
  }
  return row;
}
