import type { Clock } from "../base/clock.ts";
import type { Comparison, ComparisonTally } from "./conflict-row.ts";
import { type Conflict, type ConflictRules, type SourceRow, settleRow } from "./conflicts.ts";
import { createLastChanges, type LastChangeMs } from "./history.ts";
import type { ConflictStore, Device, DeviceCapabilities, DeviceIndex, RevisionChanges } from "./ports.ts";
import { zigbeeAddressesOf } from "./row-facts.ts";

/** Home Assistant's registry: the side called new. */
export const HOME_ASSISTANT = "home-assistant";
export const ZIGBEE2MQTT = "zigbee2mqtt";

export interface CompareOptions {
  readonly rules: ConflictRules;
  readonly clock: Pick<Clock, "nowMs" | "monotonicMs">;
}

/** What a comparison looked at and came to. */
export interface CompareResult extends ComparisonTally {
  /** Devices that both sources have. */
  readonly devices: number;
  readonly open: number;
  readonly settled: number;
  readonly operations: number;
  readonly durationMs: number;
}

/** The devices that Home Assistant and Zigbee2MQTT both know, field by field. Pure but for its clock. */
export function findConflicts(
  {
    devices,
    capabilities,
    history,
  }: {
    readonly devices: readonly Device[];
    readonly capabilities: readonly DeviceCapabilities[];
    readonly history: readonly RevisionChanges[];
  },
  options: CompareOptions,
): { readonly devices: number; readonly conflicts: readonly Conflict[] } {
  const byAddress = new Map(capabilities.map((row) => [row.ieeeAddress, row]));
  const lastChangeMs = createLastChanges(history);
  let compared = 0;
  const conflicts = devices.flatMap((device) => {
    const row = zigbeeAddressesOf(device).flatMap((address) => byAddress.get(address) ?? [])[0];
    if (!row) return [];
    compared += 1;
    const pair = {
      kind: "device" as const,
      subjectId: device.deviceId,
      new: ofHomeAssistant(device, lastChangeMs),
      old: ofZigbee2mqtt(row, lastChangeMs),
    };
    return settleRow(pair, options).conflicts;
  });
  return { devices: compared, conflicts };
}

/** `{ key: value }` of those that are there. */
const present = <K extends string, V>(values: { readonly [P in K]: V | undefined }): { [P in K]?: V } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { [P in K]?: V };

function ofHomeAssistant({ deviceId: id, name, manufacturer, model }: Device, lastChangeMs: LastChangeMs): SourceRow {
  const changed = (field: string) => lastChangeMs({ registry: "devices", id, field });
  return {
    source: HOME_ASSISTANT,
    values: present({ name, manufacturer, model }),
    changedAtMs: present({ name: changed("name"), manufacturer: changed("manufacturer"), model: changed("model") }),
  };
}

/**
 * Its discovery gives Home Assistant the friendly name, the vendor, and as model the description; before 1.42 the description with the model in brackets.
 * An address instead of a name says that nobody has named it. Source: Zigbee2MQTT's lib/extension/homeassistant.ts; read 2026-09.
 */
function ofZigbee2mqtt(row: DeviceCapabilities, lastChangeMs: LastChangeMs): SourceRow {
  const { ieeeAddress: id, friendlyName, vendor, manufacturer, model, modelId, description } = row;
  const changed = (...fields: readonly string[]) => {
    const times = fields.flatMap((field) => lastChangeMs({ registry: "capabilities", id, field }) ?? []);
    return times.length > 0 ? Math.max(...times) : undefined;
  };
  const spellings = [
    description,
    modelId,
    description !== undefined && model !== undefined && `${description} (${model})`,
  ];
  return {
    source: ZIGBEE2MQTT,
    values: present({
      name: friendlyName === id ? undefined : friendlyName,
      manufacturer: vendor ?? manufacturer,
      model: model ?? modelId,
    }),
    spellings: {
      manufacturer: manufacturer === undefined ? [] : [manufacturer],
      model: spellings.filter((one) => typeof one === "string"),
    },
    changedAtMs: present({
      name: changed("friendlyName"),
      manufacturer: changed("vendor", "manufacturer"),
      model: changed("model", "modelId", "description"),
    }),
  };
}

export interface ComparePorts extends CompareOptions {
  readonly index: Pick<DeviceIndex, "list" | "history" | "revisions">;
  readonly conflicts: Pick<ConflictStore, "note">;
}

const COMPARED = ["devices", "capabilities"] as const;
/** What is compared changes a few times a day; a home whose sources change all the time is compared by whoever brings the next rows. */
const ROUNDS_MAX = 5;

/**
 * A complete run: what Home Assistant's registry and Zigbee2MQTT say of the same devices is compared, settled by the rules and noted. Again comes to the same. What a source
 * brought meanwhile is compared as well: else the slower of two runs at once would leave what it found in older rows.
 * A home without Zigbee2MQTT costs a few small readings.
 * @throws `conflict` and fate-`retry` service errors: safe to repeat
 */
export async function compareDevices(homeId: string, ports: ComparePorts): Promise<CompareResult> {
  const revisions = async () => JSON.stringify(await ports.index.revisions(homeId, COMPARED), COMPARED.toSorted());
  for (let round = 1, before = await revisions(); ; round++) {
    const result = await compareOnce(homeId, ports);
    const after = await revisions();
    if (after === before || round >= ROUNDS_MAX) return result;
    before = after;
  }
}

async function compareOnce(homeId: string, ports: ComparePorts): Promise<CompareResult> {
  const { index, clock } = ports;
  const startedMs = clock.monotonicMs();
  const capabilities = await index.list(homeId, "capabilities");
  const isUsed = capabilities.length > 0;
  const [devices, history] = isUsed
    ? await Promise.all([index.list(homeId, "devices"), index.history(homeId, ["devices", "capabilities"])])
    : [[], []];
  const found = findConflicts({ devices, capabilities, history }, ports);
  const { conflicts } = found;
  const comparison: Comparison = {
    newSource: HOME_ASSISTANT,
    oldSource: ZIGBEE2MQTT,
    found: conflicts,
    atMs: clock.nowMs(),
  };
  const tally = await ports.conflicts.note(homeId, comparison);
  const open = conflicts.filter(({ status }) => status === "open").length;
  return {
    devices: found.devices,
    ...tally,
    open,
    settled: conflicts.length - open,
    operations: conflicts.reduce((sum, { cost }) => sum + cost.operations, 0),
    durationMs: Math.round((clock.monotonicMs() - startedMs) * 10) / 10,
  };
}
