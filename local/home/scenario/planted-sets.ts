import { mix, unit } from "../generate/chance.ts";
import { type PlantedRoutine, type RoutineKind, type Token, token, WORKING } from "../planted/routine.ts";

type More = Omit<Partial<PlantedRoutine>, "id" | "kind" | "target">;

export const plant = (id: string, kind: RoutineKind, target: Token, more: More = {}): PlantedRoutine => ({
  id,
  kind,
  title: id,
  target,
  probability: 0.92,
  automated: false,
  ...more,
});

export const clock = (id: string, target: Token, at: string, more: More = {}) =>
  plant(id, "time-of-day", target, { at, spread_minutes: 15, ...more });

const minuteText = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(Math.round(minute) % 60).padStart(2, "0")}`;

/** Five routines of working days, of which one is at seven, each with another spread in turn; weekends; midnight; Tuesdays. */
export function clockPlants(seed: number): PlantedRoutine[] {
  const spreads = [5, 15, 25, 35, 45];
  const slots: readonly (readonly [string, number, string])[] = [
    ["switch.coffee_machine", 420, "kitchen"],
    ["switch.charger", 750, "study"],
    ["fan.kitchen_hood", 980, "kitchen"],
    ["light.living_room_shelf", 1120, "living_room"],
    ["media_player.kids_radio", 1270, "kids_room"],
  ];
  const weekdays = slots.map(([entity, minute, area_id], index) => {
    const shift = index === 0 ? 0 : 40 * unit(mix(mix(seed, 31), index)) - 20;
    const spread_minutes = spreads[(index + seed) % spreads.length] ?? 15;
    const state = entity.startsWith("media_player.") ? "playing" : "on";
    const more = { days: WORKING, spread_minutes, area_id };
    return clock(`weekday-sd-${spread_minutes}`, token(entity, state), minuteText(minute + shift), more);
  });
  return [
    ...weekdays,
    clock("weekend", token("switch.kettle", "on"), "09:30", { days: ["sat", "sun"], area_id: "kitchen" }),
    clock("midnight", token("light.study_desk", "off"), "23:58", { spread_minutes: 10, probability: 0.85 }),
    clock("tuesday", token("switch.washing_machine", "on"), "19:00", { days: ["tue"], area_id: "bathroom" }),
  ];
}

const motion = (room: string) => token(`binary_sensor.${room}_motion`, "on");

/** One walker through the hall is before every room's light: only the room's own sensor is its cause. */
export const pairPlants = (): PlantedRoutine[] => [
  plant("kitchen-85", "co-occurrence", token("light.kitchen_ceiling", "on"), {
    trigger: motion("kitchen"),
    probability: 0.85,
    delay_seconds: [2, 25],
  }),
  plant("bathroom-60", "co-occurrence", token("light.bathroom", "on"), {
    trigger: motion("bathroom"),
    probability: 0.6,
    delay_seconds: [2, 25],
  }),
  plant("study-85", "co-occurrence", token("light.study_ceiling", "on"), {
    trigger: motion("study"),
    probability: 0.85,
    delay_seconds: [2, 12],
  }),
  plant("bedroom-60", "co-occurrence", token("light.bedroom_ceiling", "on"), {
    trigger: motion("bedroom"),
    probability: 0.6,
    delay_seconds: [2, 12],
  }),
  plant("front-door", "co-occurrence", token("light.hall_mirror", "on"), {
    trigger: token("binary_sensor.front_door", "on"),
    probability: 0.85,
    delay_seconds: [2, 10],
  }),
  clock("coffee", token("switch.coffee_machine", "on"), "07:10", { spread_minutes: 20, area_id: "kitchen" }),
  plant("coffee-radio", "co-occurrence", token("media_player.kitchen_radio", "playing"), {
    trigger: token("switch.coffee_machine", "on"),
    probability: 0.85,
    delay_seconds: [15, 55],
  }),
];

export const chainPlants = (): PlantedRoutine[] => [
  plant("bedtime-3", "sequence", token("light.bedside_anna", "on"), {
    steps: [
      token("media_player.living_room_tv", "off"),
      token("light.living_room_floor_lamp", "off"),
      token("light.bedside_anna", "on"),
    ],
    at: "22:30",
    spread_minutes: 25,
    probability: 0.9,
    delay_seconds: [15, 60],
  }),
  plant("leaving-5", "sequence", token("light.hall_mirror", "off"), {
    steps: [
      token("switch.amplifier", "off"),
      token("light.living_room_shelf", "off"),
      token("light.kitchen_counter", "off"),
      token("fan.kitchen_hood", "off"),
      token("light.hall_mirror", "off"),
    ],
    per_day: 0.85,
    probability: 0.95,
    delay_seconds: [15, 60],
  }),
  plant("twenty-minutes", "duration", token("switch.dehumidifier", "off"), {
    trigger: token("switch.dehumidifier", "on"),
    per_day: 3,
    duration_seconds: { mean: 1200, deviation: 90 },
    probability: 1,
  }),
  plant("forgotten", "duration", token("switch.sauna", "off"), {
    trigger: token("switch.sauna", "on"),
    per_day: 2,
    duration_seconds: { mean: 1800, deviation: 420 },
    forgets: 0.08,
    probability: 1,
  }),
];

export const roomPlants = (): PlantedRoutine[] => [
  plant("living-room-scene", "room", token("light.living_room_shelf", "on"), {
    steps: [
      token("light.living_room_shelf", "on"),
      token("light.living_room_reading", "on"),
      token("switch.amplifier", "on"),
    ],
    area_id: "living_room",
    from_minute: 900,
    probability: 0.85,
  }),
  plant("study-scene", "room", token("light.study_desk", "on"), {
    steps: [token("light.study_desk", "on"), token("switch.charger", "on")],
    area_id: "study",
    probability: 0.85,
  }),
];

export const changePlants = (last: number): PlantedRoutine[] => [
  plant("weekend-5-times", "day-type", token("switch.fan_heater", "on"), { per_day: 1.5, factor: 5 }),
  plant("weekend-3-times", "day-type", token("fan.bedroom_fan", "on"), { per_day: 3, factor: 3 }),
  plant("doubled-8", "frequency", token("switch.dehumidifier", "on"), { per_day: 8, factor: 2, changes_on: last - 7 }),
  plant("doubled-15", "frequency", token("light.bathroom_mirror", "on"), {
    per_day: 15,
    factor: 2,
    changes_on: last - 7,
  }),
  plant("too-much", "anomaly", token("light.kitchen_counter", "on"), {
    per_day: 9,
    odd_days: [{ day: last - 4, what: "much" }],
  }),
  plant("too-little", "anomaly", token("light.hall_mirror", "on"), {
    per_day: 28,
    odd_days: [{ day: last - 2, what: "little" }],
  }),
  plant("missing", "anomaly", token("switch.coffee_machine", "on"), {
    at: "07:00",
    spread_minutes: 10,
    probability: 1,
    area_id: "kitchen",
    odd_days: [{ day: last - 1, what: "missing" }],
  }),
];

export const residentPlants = (): PlantedRoutine[] => [
  clock("anna-coffee", token("switch.coffee_machine", "on"), "05:50", { days: WORKING, spread_minutes: 8 }),
  clock("ben-coffee", token("switch.coffee_machine", "on"), "08:10", { days: WORKING, spread_minutes: 10 }),
  clock("anna-sleeps", token("light.bedside_anna", "off"), "22:20"),
  clock("ben-sleeps", token("light.bedside_ben", "off"), "00:25"),
];

export const smallSet = (): PlantedRoutine[] => [
  clock("weekday", token("switch.coffee_machine", "on"), "07:00", { days: WORKING, area_id: "kitchen" }),
  clock("weekend", token("switch.kettle", "on"), "09:30", { days: ["sat", "sun"], area_id: "kitchen" }),
  clock("daily", token("media_player.living_room_tv", "playing"), "20:10", { area_id: "living_room" }),
  plant("kitchen-85", "co-occurrence", token("light.kitchen_ceiling", "on"), {
    trigger: motion("kitchen"),
    probability: 0.85,
    delay_seconds: [2, 25],
  }),
];
