import { QUANTITIES } from "./quantities.ts";

/** Device classes that have a canonical unit, with it and the units that convert to it: for documentation and tests. */
export function unitTable(): ReadonlyMap<string, { readonly unit: string; readonly units: readonly string[] }> {
  return new Map([...QUANTITIES].map(([name, { unit, scales }]) => [name, { unit, units: [...scales.keys()] }]));
}

/** A value in its canonical unit. A unit or device class without one: value and unit as they are. */
export function toCanonical(
  value: number,
  unit: string,
  deviceClass: string | undefined,
): { readonly value: number; readonly unit: string } {
  const known = deviceClass === undefined ? undefined : QUANTITIES.get(deviceClass);
  const scale = known?.scales.get(unit);
  if (!known || !scale || unit === known.unit) return { value, unit };
  return { value: tidy((value + scale.offset) * scale.factor), unit: known.unit };
}

/** The way back. @throws RangeError for a unit that does not belong to the device class: only for units that `toCanonical` has converted */
export function fromCanonical(value: number, unit: string, deviceClass: string): number {
  const scale = QUANTITIES.get(deviceClass)?.scales.get(unit);
  if (!scale) throw new RangeError(`"${unit}" is no unit of the device class "${deviceClass}".`);
  return tidy(value / scale.factor - scale.offset);
}

/** Twelve significant digits: 21.5 °C from 70.7 °F, and not 21.500000000000004. No sensor measures finer. */
const tidy = (value: number): number => Number(value.toPrecision(12)) + 0;
