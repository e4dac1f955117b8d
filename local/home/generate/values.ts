import { sunPosition } from "../people/sun.ts";
import { mix, mixWide, unit } from "./chance.ts";

const DAY = 86_400;
const YEAR = 365.2422 * DAY;

/** Noise without a memory that moves slowly: -1 to 1, a new direction every `periodSeconds`. */
export function drift(key: number, at: number, periodSeconds: number): number {
  const place = at / periodSeconds;
  const step = Math.floor(place);
  const part = place - step;
  const ease = part * part * (3 - 2 * part);
  const [from, to] = [unit(mixWide(key, step)), unit(mixWide(key, step + 1))];
  return 2 * (from + (to - from) * ease) - 1;
}

/** A part of the day: -1 at its coldest (about 03:00 UTC), 1 twelve hours later. */
const daily = (at: number, peakHour: number) => Math.cos((2 * Math.PI * (at / DAY - peakHour / 24)) % (2 * Math.PI));

export const outdoorTemperature = (key: number, at: number): number =>
  10.5 + 7.5 * Math.cos(2 * Math.PI * (at / YEAR - 0.55)) + 3.2 * daily(at, 14) + 4 * drift(key, at, 1.7 * DAY);

export const cloudiness = (key: number, at: number): number =>
  0.5 + 0.5 * drift(mix(key, 5), at, DAY / 4) + 0.2 * drift(mix(key, 6), at, DAY);

/** What a kind of sensor measures at a moment. `fine` is noise of its own for each reading, -1 to 1. */
export type Signal = (key: number, at: number, fine: number) => number;

export const SIGNALS = {
  power: (key, at, fine) =>
    210 + 120 * (1 + daily(at, 18)) + 900 * Math.max(0, drift(key, at, 1500) - 0.35) + 14 * fine,
  smallPower: (key, at, fine) => 6 + 4 * drift(key, at, 3600) + 1.5 * fine,
  voltage: (key, at, fine) => 231 + 2.4 * drift(key, at, 5400) + 0.6 * fine,
  current: (key, at, fine) => Math.max(0.2, 1.6 + 0.6 * daily(at, 18) + 0.5 * drift(key, at, 1500) + 0.15 * fine),
  dataRate: (key, at, fine) =>
    Math.max(1, 90 + 60 * daily(at, 20) + 500 * Math.max(0, drift(key, at, 700)) + 40 * fine),
  count: (key, at, fine) => Math.max(4, 17 + 4 * daily(at, 20) + 2 * drift(key, at, 7200) + fine),
  indoor: (key, at, fine) =>
    19.6 + 0.06 * (outdoorTemperature(7, at) - 10) + 0.9 * daily(at, 16) + 0.7 * drift(key, at, 9000) + 0.05 * fine,
  humidity: (key, at, fine) => 51 + 6 * drift(key, at, 12_000) + 0.4 * fine,
  illuminance: (key, at, fine) => {
    const height = sunPosition(at).elevation;
    const light = Math.max(0, height) * 9 * (1.2 - 0.8 * Math.min(1, Math.max(0, cloudiness(7, at))));
    return Math.max(0, light + 2 + 3 * drift(key, at, 900) + 0.02 * light * fine);
  },
  water: (key, at, fine) => 38 + 12 * drift(key, at, 2400) + 0.3 * fine,
  pressure: (key, at) => 1.6 + 0.1 * drift(key, at, DAY),
  phoneBattery: (key, at, fine) => 66 + 30 * daily(at, 7) + 3 * drift(key, at, 20_000) + fine,
} as const satisfies Record<string, Signal>;

/** The counters: what has gone through since the first of January 2024, strictly rising. `perHour` is the mean. */
export function counter(at: number, perHour: number): number {
  const since = at - 1_704_067_200;
  const wave = (DAY / (2 * Math.PI)) * 0.5 * Math.sin((2 * Math.PI * (at / DAY - 18 / 24)) % (2 * Math.PI));
  return (perHour * (since + wave)) / 3600;
}
