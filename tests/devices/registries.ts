import { readFileSync } from "node:fs";
import type { RawRow } from "../../lib/devices/index.ts";
import type { RegistryName } from "../../lib/event/index.ts";

export const HA_VERSIONS = ["2024.3.3", "2026.2.3", "2026.11.0"] as const;
export type HaVersion = (typeof HA_VERSIONS)[number];

interface Frame {
  readonly sent?: { readonly type: string };
  readonly received?: { readonly result?: unknown };
}

const FILES: Record<RegistryName, string> = {
  areas: "10-area-registry",
  floors: "11-floor-registry",
  labels: "12-label-registry",
  devices: "09-device-registry",
  entities: "08-entity-registry",
};

/** The rows of every answer to a list command in a recording (which shortens long lists by a line of text: left out). */
export function recordedLists(version: HaVersion, file: string): RawRow[][] {
  const path = new URL(`../samples/home-assistant/${version}/${file}.json`, import.meta.url);
  const { frames } = JSON.parse(readFileSync(path, "utf8")) as { frames: Frame[] };
  return frames.flatMap(({ received }) =>
    Array.isArray(received?.result) ? [received.result.filter((row) => typeof row === "object") as RawRow[]] : [],
  );
}

/** The rows of one registry as a real Home Assistant listed them. */
export const recordedRegistry = (version: HaVersion, registry: RegistryName): RawRow[] =>
  recordedLists(version, FILES[registry])[0] ?? [];
