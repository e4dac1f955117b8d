import { anomaly } from "./anomaly.ts";
import { coOccurrence } from "./co-occurrence.ts";
import { dayType } from "./day-type.ts";
import { duration } from "./duration.ts";
import { frequency } from "./frequency.ts";
import { room } from "./room.ts";
import { seasonal } from "./seasonal.ts";
import { sequence } from "./sequence.ts";
import { timeOfDay } from "./time-of-day.ts";
import type { Detector } from "./types.ts";

/** A detector whose rows are nobody else's business: they come from its own `aggregate` and `merge`, by way of the store. */
const opaque = <Row>(detector: Detector<Row>): Detector => detector as unknown as Detector;

/** Every detector, in the order in which they are asked. */
export const DETECTORS: readonly Detector[] = [
  opaque(timeOfDay),
  opaque(coOccurrence),
  opaque(sequence),
  opaque(duration),
  opaque(anomaly),
  opaque(dayType),
  opaque(room),
  opaque(seasonal),
  opaque(frequency),
];
