import { addDays } from "../../base/zone.ts";
import { type AbilitySources, createRegistryView, type Device, deviceAbilities } from "../../devices/index.ts";
import type { DeviceUtilisation, UnusedFeature } from "../ports.ts";
import { type DayUses, sumUses, type UseSum } from "./uses.ts";

/** Nothing is called unused before. */
export const WINDOW_DAYS = 30;
/** Of these so many must have been heard of: a month in which the relay was off for a week says nothing. */
const WATCHED_DAYS_MIN = 27;
/** A device tells so many; it has more where it is a thermostat with a program for each day. */
const UNUSED_MAX = 100;

export interface UtilisationInput extends AbilitySources {
  readonly devices: readonly Device[];
  /** The newest day. */
  readonly date: string;
  /** The days of the window of which there are rows; entity ids as they are now. */
  readonly days: ReadonlyMap<string, DayUses>;
  /** What the night before found, for what is older than the window. */
  readonly before: readonly DeviceUtilisation[];
}

/** The first day of the window that ends with `date`. */
export const windowFrom = (date: string): string => addDays(date, 1 - WINDOW_DAYS);

/** Of each device that has features to use, by its id. Pure. Complexity: O(rows + entities + features). */
export function utilisationOf(input: UtilisationInput): readonly DeviceUtilisation[] {
  const { devices, date, days, before } = input;
  const abilitiesOf = deviceAbilities(input);
  const uses = sumUses(days);
  const heard = heardOf(days);
  const known = new Map(before.map((one) => [one.deviceId, one]));
  const { areaOfDevice } = createRegistryView(input);
  const isWatched = days.size >= WATCHED_DAYS_MIN;
  return devices
    .flatMap((device): DeviceUtilisation[] => {
      const usable = abilitiesOf(device)?.usable ?? [];
      if (usable.length === 0) return [];
      const { deviceId, name: deviceName } = device;
      const old = known.get(deviceId);
      const used = usable.map((feature) => useOf(feature, uses));
      const lastUsed = datesOf(usable.map(({ key }, at) => [key, later(used[at]?.lastUsed, old?.lastUsed[key])]));
      const watchedSince = [heard.get(deviceId), old?.watchedSince].filter((one) => one !== undefined).sort()[0];
      const isTold = isWatched && heard.has(deviceId) && watchedSince !== undefined && watchedSince <= windowFrom(date);
      const areaId = areaOfDevice(deviceId);
      const unused = usable.flatMap(({ key, label, entityId }, at): UnusedFeature[] => {
        if (!isTold || (used[at]?.n ?? 0) > 0) return [];
        const since = lastUsed[key] ?? watchedSince;
        const facts = { deviceId, deviceName, feature: key, label, entityId, watchedSince: since };
        return [areaId === undefined ? facts : { ...facts, areaId }];
      });
      return [
        {
          deviceId,
          features: usable.length,
          used: used.filter(({ n }) => n > 0).length,
          unused: unused.slice(0, UNUSED_MAX),
          ...(watchedSince !== undefined && { watchedSince }),
          lastUsed,
        },
      ];
    })
    .sort((a, b) => (a.deviceId < b.deviceId ? -1 : 1));
}

/** Any of the abilities behind the feature. */
function useOf(
  { entityId, abilities }: { readonly entityId: string; readonly abilities: readonly string[] },
  uses: ReturnType<typeof sumUses>,
): UseSum {
  let sum: UseSum = { n: 0 };
  for (const ability of abilities) {
    const one = uses.get(entityId)?.get(ability);
    const lastUsed = later(sum.lastUsed, one?.lastUsed);
    sum = { n: sum.n + (one?.n ?? 0), ...(lastUsed !== undefined && { lastUsed }) };
  }
  return sum;
}

const later = (a: string | undefined, b: string | undefined): string | undefined =>
  a === undefined || (b !== undefined && b > a) ? b : a;

const datesOf = (entries: readonly (readonly [string, string | undefined])[]): Readonly<Record<string, string>> =>
  Object.fromEntries(entries.flatMap(([key, date]) => (date === undefined ? [] : [[key, date]])));

/** When each device was heard first. */
function heardOf(days: ReadonlyMap<string, DayUses>): ReadonlyMap<string, string> {
  const first = new Map<string, string>();
  for (const [date, { heard }] of [...days].sort(([a], [b]) => (a < b ? 1 : -1)))
    for (const deviceId of heard) first.set(deviceId, date);
  return first;
}
