/** Where the home stands. The same place as the peers' real Home Assistants. */
export const LATITUDE = 52.3731;
export const LONGITUDE = 4.8922;

const RADIANS = Math.PI / 180;
const DAY_SECONDS = 86_400;

/** Declination and equation of time (Spencer's series, 1971): good to about half a minute, enough for habits. */
function sunOf(atSeconds: number): { declination: number; equationMinutes: number } {
  const year = new Date(atSeconds * 1000).getUTCFullYear();
  const angle = (2 * Math.PI * (atSeconds - Date.UTC(year, 0, 1) / 1000)) / (365.2422 * DAY_SECONDS);
  const [c1, s1, c2, s2] = [Math.cos(angle), Math.sin(angle), Math.cos(2 * angle), Math.sin(2 * angle)];
  const declination =
    0.006918 -
    0.399912 * c1 +
    0.070257 * s1 -
    0.006758 * c2 +
    0.000907 * s2 -
    0.002697 * Math.cos(3 * angle) +
    0.00148 * Math.sin(3 * angle);
  const equationMinutes = 229.18 * (0.000075 + 0.001868 * c1 - 0.032077 * s1 - 0.014615 * c2 - 0.040849 * s2);
  return { declination, equationMinutes };
}

export interface SunPosition {
  readonly elevation: number;
  readonly azimuth: number;
}

/** Degrees above the horizon and clockwise from north. */
export function sunPosition(atSeconds: number): SunPosition {
  const { declination, equationMinutes } = sunOf(atSeconds);
  const minutes = ((atSeconds % DAY_SECONDS) / 60 + equationMinutes + 4 * LONGITUDE + 1440) % 1440;
  const hourAngle = (minutes / 4 - 180) * RADIANS;
  const latitude = LATITUDE * RADIANS;
  const sine =
    Math.sin(latitude) * Math.sin(declination) + Math.cos(latitude) * Math.cos(declination) * Math.cos(hourAngle);
  const elevation = Math.asin(sine) / RADIANS;
  const azimuth =
    Math.atan2(
      Math.sin(hourAngle),
      Math.cos(hourAngle) * Math.sin(latitude) - Math.tan(declination) * Math.cos(latitude),
    ) /
      RADIANS +
    180;
  return { elevation, azimuth };
}

export interface SunTimes {
  readonly rising: number;
  readonly setting: number;
  readonly noon: number;
}

/** Sunrise, sunset and noon (seconds since 1970) of the day whose number this is. */
export function sunTimes(day: number): SunTimes {
  const midday = day * DAY_SECONDS + DAY_SECONDS / 2;
  const { declination, equationMinutes } = sunOf(midday);
  const cosine =
    (Math.sin(-0.833 * RADIANS) - Math.sin(LATITUDE * RADIANS) * Math.sin(declination)) /
    (Math.cos(LATITUDE * RADIANS) * Math.cos(declination));
  const halfDay = (Math.acos(Math.min(1, Math.max(-1, cosine))) / RADIANS) * 240;
  const noon = day * DAY_SECONDS + DAY_SECONDS / 2 - (equationMinutes + 4 * LONGITUDE) * 60;
  return { rising: noon - halfDay, setting: noon + halfDay, noon };
}
