import { ROOMS } from "../house/areas.ts";
import type { Presence } from "../people/presence.ts";
import { between } from "./chance.ts";
import type { Context, DayWriter } from "./day-writer.ts";

/** A sensor's sighting: when it went on (seconds since 1970), and in which context. */
export interface Sighting {
  readonly at: number;
  readonly until: number;
  readonly context: Context;
}

/** The motion sensors: on at a sighting, off 60 to 90 seconds after the last of a series. Gives the sightings by room. */
export function writeMotion(writer: DayWriter, presence: Presence): ReadonlyMap<string, readonly Sighting[]> {
  const random = writer.random("motion");
  const result = new Map<string, readonly Sighting[]>();
  for (const room of ROOMS) {
    const hold = between(random, 1, 1.5);
    const sightings: Sighting[] = [];
    let from: number | undefined;
    let last = 0;
    const close = () => {
      if (from === undefined) return;
      const [at, until] = [writer.at(from) + between(random, 0, 0.4), writer.at(last + hold) + between(random, 0, 1)];
      // A day begins and ends with sensors at rest. An hour that a clock change leaves out has no sightings: what began in it would end before.
      if (until > writer.endsAt - 2 || until <= at) return;
      const context = writer.context(at);
      writer.put(at, `binary_sensor.${room}_motion`, "on", { context });
      writer.put(until, `binary_sensor.${room}_motion`, "off");
      sightings.push({ at, until, context });
    };
    for (const minute of presence.seen.get(room) ?? []) {
      if (from !== undefined && minute > last + hold) {
        close();
        from = undefined;
      }
      from ??= minute;
      last = minute;
    }
    close();
    result.set(room, sightings);
  }
  return result;
}
