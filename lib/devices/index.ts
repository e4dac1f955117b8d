/** Room 4, devices: reading Home Assistant's registries, and keeping an index of homes, areas, devices, entities, what changed in them, and when each was seen last. */

/** What Home Assistant's entities can be told to do, by domain; `value` reads what an ability is set to. */
export { type AbilityValue, abilitiesOf, isActuator } from "./abilities.ts";
/** Compares what the sources of a home say of the same devices, and notes how each conflict was settled. */
export { compareDevices, HOME_ASSISTANT } from "./compare.ts";
/** How conflicts are settled; `chosenValue` gives what a settled one came to, `settleRow` settles two views of one row, `isSameValue` leaves case, blanks and order out. */
export {
  CONFLICT_FIELDS,
  CONFLICT_STRATEGIES,
  type Conflict,
  type ConflictField,
  type ConflictRules,
  type ConflictValue,
  chosenValue,
  conflictId,
  isSameValue,
  parseConflictRules,
  settleRow,
} from "./conflicts.ts";
/** What a device can do, from what is known best of it, and which of that people could use. */
export { type AbilitySources, deviceAbilities } from "./device-abilities.ts";
/** What of an entity's attributes tells what it can do. */
export { abilityAttributes } from "./entity-features.ts";
/** What happened to a device or a row, over all the ids that it had. */
export {
  createLastChanges,
  type DatedChange,
  datedChanges,
  historyOfDevice,
  historyOfRow,
  type LastChangeMs,
} from "./history.ts";
export { indexBatch } from "./index-batch.ts";
export { parseRegistryRows, type RawRow } from "./parse.ts";
export type {
  AbilityStore,
  Area,
  ConflictStore,
  Device,
  DeviceCapabilities,
  DeviceIndex,
  Entity,
  EntityAbilities,
  Feature,
  Floor,
  HomeAbilities,
  HomeDirectory,
  RelayStatus,
  Seen,
} from "./ports.ts";
export { CHANGE_KINDS } from "./registry-change.ts";
export { zigbeeAddressesOf } from "./row-facts.ts";
export { createRegistryView, type RegistryView, type ResolvedEntity } from "./view.ts";
