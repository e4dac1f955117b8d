import type { Attributes } from "../house/attributes.ts";
import type { Entity } from "../house/house.ts";
import type { Calendar } from "../people/calendar.ts";
import { LATITUDE, LONGITUDE } from "../people/sun.ts";
import { mix, unit } from "./chance.ts";

/** How an entity is at 04:00, when a day begins. It follows from the calendar alone, so that every day can be made without the one before. */
export interface Rest {
  readonly state: string;
  readonly ofState?: Attributes;
}

/** The level of a battery on a day: down by one every few days, full again after a change of cells. */
export function batteryLevel(key: number, day: number): number {
  const daysPerPercent = 3 + Math.floor(4 * unit(mix(key, 1)));
  const lifetimeDays = 88 * daysPerPercent;
  return 100 - Math.floor(((day + mix(key, 2)) % lifetimeDays) / daysPerPercent);
}

/** What a phone tells of its place. */
export const placeAttributes = (latitude: number, longitude: number, accuracy: number): Attributes => ({
  source_type: "gps",
  latitude,
  longitude,
  gps_accuracy: accuracy,
});
/** A phone in the house. */
export const atHome = (): Attributes => placeAttributes(LATITUDE, LONGITUDE, 12);
/** A phone on vacation, far away. */
export const atTheSea = (): Attributes => placeAttributes(43.3183, -1.9812, 30);

/** A person's attributes beside those of the phone that says where they are. */
export const personAttributes = (entity: Entity, place: Attributes | undefined): Attributes => ({
  ...entity.spec.restAttributes,
  ...(place && { latitude: place.latitude, longitude: place.longitude, gps_accuracy: place.gps_accuracy }),
  ...(place && { source: `device_tracker.phone_${entity.id.slice("person.".length)}` }),
});

const isAway = (calendar: Calendar): boolean => calendar.vacation === "away" || calendar.vacation === "returning";

const thermostat = (calendar: Calendar): Rest => {
  const target = isAway(calendar) ? 15 : 17;
  return calendar.isHeatingSeason
    ? { state: "heat", ofState: { current_temperature: 17.5, temperature: target, hvac_action: "idle" } }
    : { state: "off", ofState: { current_temperature: 21, temperature: null, hvac_action: "off" } };
};

export function restOf(entity: Entity, calendar: Calendar): Rest {
  const { spec } = entity;
  const plain: Rest = { state: spec.rest, ...(spec.restAttributes && { ofState: spec.restAttributes }) };
  if (entity.domain === "device_tracker")
    return isAway(calendar) ? { state: "not_home", ofState: atTheSea() } : { state: "home", ofState: atHome() };
  if (entity.domain === "person") {
    const hasPhone = entity.id !== "person.mia";
    const place = hasPhone ? (isAway(calendar) ? atTheSea() : atHome()) : undefined;
    return { state: isAway(calendar) ? "not_home" : "home", ofState: personAttributes(entity, place) };
  }
  if (spec.deviceClass === "battery" && !entity.id.startsWith("sensor.phone_"))
    return { state: String(batteryLevel(entity.key, calendar.day)) };
  if (entity.id === "climate.living_room") return thermostat(calendar);
  if (entity.id === "zone.home")
    return {
      state: isAway(calendar) ? "0" : "3",
      ofState: {
        latitude: LATITUDE,
        longitude: LONGITUDE,
        radius: 100,
        passive: false,
        persons: isAway(calendar) ? [] : ["person.anna", "person.ben", "person.mia"],
        editable: true,
      },
    };
  if (entity.id === "input_boolean.vacation_mode")
    return { state: isAway(calendar) ? "on" : "off", ...(spec.restAttributes && { ofState: spec.restAttributes }) };
  return plain;
}
