import type { DevicePair } from "./match.ts";

/** Whether NEW knows everything that OLD says a device can do. */
export interface CapabilityParity {
  /** Devices of which OLD says what they can do. */
  readonly devices: number;
  /** What OLD says, and how much of it NEW has. */
  readonly said: number;
  readonly covered: number;
  /** The first of what NEW does not have. */
  readonly missing: readonly { readonly deviceId: string; readonly capability: string }[];
}

const MISSING_MAX = 20;

/** Names are written differently everywhere: `Color-Temp`, `color_temp` and `color.temp` are one. */
const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");

export function parityOf(pairs: readonly DevicePair[]): CapabilityParity {
  let [devices, said, covered] = [0, 0, 0];
  const missing: { deviceId: string; capability: string }[] = [];
  for (const { old, fresh } of pairs) {
    const theirs = [...new Map(old.capabilities?.map((name) => [plain(name), name]))];
    if (theirs.length === 0) continue;
    devices += 1;
    said += theirs.length;
    const ours = new Set(fresh.capabilities.flatMap((name) => [plain(name), ...name.split(".").map(plain)]));
    for (const [key, capability] of theirs) {
      if (ours.has(key)) covered += 1;
      else if (missing.length < MISSING_MAX) missing.push({ deviceId: fresh.device.deviceId, capability });
    }
  }
  return { devices, said, covered, missing };
}
