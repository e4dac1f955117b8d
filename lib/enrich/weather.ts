import type { Microseconds } from "../base/time.ts";
import { domainOf, type StateRecord, type Weather } from "../event/index.ts";
import { toCanonical } from "./units.ts";
import { qualityOf, textAttribute } from "./value.ts";

/** Older weather says nothing of an event: integrations ask for it every 10 to 60 minutes. */
export const WEATHER_MAX_AGE_SECONDS = 3 * 3600;
const TEXT_MAX_CHARACTERS = 64;

export interface WeatherPoint {
  readonly weather: Weather;
  readonly atUs: Microseconds;
}

/** The weather that a `weather.*` state tells, in °C, %, km/h and hPa; undefined when it is another entity's or tells none. */
export function readWeather(record: StateRecord): Weather | undefined {
  if (domainOf(record.entity_id) !== "weather" || qualityOf(record.state) !== "ok") return undefined;
  if (record.state.length > TEXT_MAX_CHARACTERS) return undefined;
  const { attributes } = record;
  const measured = (name: string, deviceClass: string, canonicalUnit: string): number | undefined => {
    const value = attributes[name];
    if (typeof value !== "number" || !Number.isFinite(value)) return undefined;
    const unit = textAttribute(attributes[`${name}_unit`], TEXT_MAX_CHARACTERS) ?? canonicalUnit;
    const converted = toCanonical(value, unit, deviceClass);
    // Beaufort and whatever else has no factor: better no number than one in another unit.
    return converted.unit === canonicalUnit ? converted.value : undefined;
  };
  const temperature = measured("temperature", "temperature", "°C");
  const windSpeed = measured("wind_speed", "wind_speed", "km/h");
  const pressure = measured("pressure", "pressure", "hPa");
  const humidity = measured("humidity", "humidity", "%");
  return {
    condition: record.state,
    ...(temperature !== undefined && { temperature }),
    ...(humidity !== undefined && { humidity }),
    ...(windSpeed !== undefined && { windSpeed }),
    ...(pressure !== undefined && { pressure }),
  };
}

/** Finds the latest weather at a moment, not older than WEATHER_MAX_AGE_SECONDS. Points in any order; O(log n) a look-up. */
export function createWeatherTimeline(points: readonly WeatherPoint[]): (atUs: Microseconds) => Weather | undefined {
  const sorted = [...points].sort((a, b) => a.atUs - b.atUs);
  return (atUs) => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sorted[middle]?.atUs ?? 0) <= atUs) low = middle + 1;
      else high = middle;
    }
    const point = sorted[low - 1];
    return point && atUs - point.atUs <= WEATHER_MAX_AGE_SECONDS * 1e6 ? point.weather : undefined;
  };
}
