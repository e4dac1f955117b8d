/** A row as Home Assistant or Zigbee2MQTT lists it. Keys come and go between versions, so none is taken for granted. */
export type RawRow = Readonly<Record<string, unknown>>;

/** An id or name beyond this is nobody's. */
const TEXT_MAX_CHARACTERS = 255;

/** A text that is one; nothing otherwise. */
export const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" && value.length <= TEXT_MAX_CHARACTERS ? value : undefined;

/** `{ key: value }`, or nothing when there is no value. */
export function field<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: V });
}
