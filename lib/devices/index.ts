/** Room 3, devices: reading Home Assistant's registries, and keeping an index of homes, areas, devices, entities and when each was seen last. */
export { indexBatch } from "./index-batch.ts";
export { parseRegistryRows, type RawRow } from "./parse.ts";
export type {
  Area,
  Device,
  DeviceCapabilities,
  DeviceIndex,
  Entity,
  Floor,
  HomeDirectory,
  RelayStatus,
  Seen,
} from "./ports.ts";
export { createRegistryView, type RegistryView, type ResolvedEntity } from "./view.ts";
