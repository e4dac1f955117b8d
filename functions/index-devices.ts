import { createIndexDevices } from "../lib/wiring/index-devices.ts";

/** The index queue: keeps homes, devices, entities, areas and last-seen times. */
export const handler = createIndexDevices();
