import { type Room, WINDOWLESS } from "../house/areas.ts";
import { lightOff, lightOn } from "../house/spec.ts";
import type { Presence } from "../people/presence.ts";
import { between } from "./chance.ts";
import type { DayWriter, PutOptions } from "./day-writer.ts";
import type { Sighting } from "./motion.ts";

/** Switches a lamp on as people do: mostly at the wall, sometimes in the app. */
export function lampOn(
  writer: DayWriter,
  at: number,
  lamp: string,
  options: PutOptions & { readonly brightness?: number } = {},
): void {
  writer.put(at, `light.${lamp}`, "on", { attributes: lightOn(options.brightness ?? 254, 2700), ...options });
}

export function lampOff(writer: DayWriter, at: number, lamp: string, options: PutOptions = {}): void {
  writer.put(at, `light.${lamp}`, "off", { attributes: lightOff(), ...options });
}

interface LampHabit {
  readonly room: Room;
  readonly lamp: string;
  readonly routineId?: string;
  readonly probability: number;
  readonly delay: readonly [number, number];
  readonly forgets: number;
  readonly brightness: number;
  /** Not before this minute. */
  readonly from?: number;
}

const HABITS: readonly LampHabit[] = [
  {
    room: "bathroom",
    lamp: "bathroom",
    routineId: "bathroom-light",
    probability: 0.92,
    delay: [2, 7],
    forgets: 0.1,
    brightness: 254,
  },
  {
    room: "kitchen",
    lamp: "kitchen_ceiling",
    routineId: "kitchen-light",
    probability: 0.85,
    delay: [2, 15],
    forgets: 0.15,
    brightness: 220,
  },
  {
    room: "study",
    lamp: "study_desk",
    routineId: "study-lamp",
    probability: 0.8,
    delay: [3, 20],
    forgets: 0.2,
    brightness: 180,
  },
  {
    room: "living_room",
    lamp: "living_room_floor_lamp",
    probability: 0.8,
    delay: [8, 90],
    forgets: 0.35,
    brightness: 130,
    from: 960,
  },
  {
    room: "living_room",
    lamp: "living_room_ceiling",
    probability: 0.35,
    delay: [5, 60],
    forgets: 0.25,
    brightness: 200,
  },
  { room: "kids_room", lamp: "kids_room", probability: 0.8, delay: [3, 25], forgets: 0.3, brightness: 200 },
  { room: "bedroom", lamp: "bedside_ben", probability: 0.45, delay: [4, 40], forgets: 0.2, brightness: 100 },
];

/** Lamps that follow people: on when a room is entered (and it is dark, where there are windows), off when it is left, or forgotten. */
export function writeLights(
  writer: DayWriter,
  presence: Presence,
  sightings: ReadonlyMap<string, readonly Sighting[]>,
): void {
  for (const habit of HABITS) {
    const random = writer.random(`lamp ${habit.lamp}`);
    for (const { from, to } of presence.occupied.get(habit.room) ?? []) {
      const [isHit, isForgotten] = [random() < habit.probability, random() < habit.forgets];
      const [delay, offDelay] = [between(random, ...habit.delay), between(random, 3, 35)];
      const entered = writer.at(from);
      const isWanted = WINDOWLESS.includes(habit.room) || habit.room === "study" || writer.isDark(entered);
      if (!isHit || !isWanted || to - from < 0.7 || from < (habit.from ?? 0)) continue;
      // From the sensor's own moment: it is the trigger that later work looks for.
      const trigger = sightings.get(habit.room)?.find((one) => one.at >= entered - 1 && one.at < entered + 45);
      const at = (trigger?.at ?? entered) + delay;
      const user = random() < 0.15 ? { context: writer.context(at, { isUser: true }) } : {};
      lampOn(writer, at, habit.lamp, {
        brightness: habit.brightness,
        ...user,
        ...(habit.routineId !== undefined && trigger && { routineId: habit.routineId }),
      });
      if (!isForgotten) lampOff(writer, writer.at(to) + offDelay, habit.lamp);
    }
  }
}
