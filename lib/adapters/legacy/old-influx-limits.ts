import { type OldLimits, PRECISION_US, type Precision } from "../../migration/ports.ts";

/** What the InfluxDB of Home Assistant's integration cannot hold. Observed with 2026.2.3 and 2026.11. */
export const INFLUX_LIMITS: OldLimits = {
  precisionUs: 1,
  statesLeftOut: ["unknown", "unavailable", ""],
  isNumberTextLost: true,
  isFiniteOnly: true,
  isLineEndLost: true,
  hasRemovals: false,
  attributes: "none",
  words: {
    "states-left-out": "Home Assistant's integration never writes the states unknown, unavailable and empty.",
    "number-text": "A number is kept as a number: 12.50 and 12.5, 13 and 13.0 cannot be told apart.",
    "finite-only": "nan and infinite numbers are refused by the server.",
    removals: "That an entity was removed is not written.",
    attributes:
      "Attributes are kept without their types, lists and objects as Python shows them: they are not compared.",
    contexts: "Contexts, old states and last_changed are not written.",
    units:
      "InfluxDB 1.x cannot find again what it has stored under a unit with a backslash before a blank, a comma or an equals sign.",
    "line-ends":
      "A line end within a state is kept as a space, by older versions of Home Assistant as the two characters \\n.",
    start: "What happened before the integration was set up in a start of Home Assistant was never written.",
  },
};

/** A point at a stamp that is there already replaces its fields: of two states of an entity in one tick the last stays. */
export const influxLimits = (precision: Precision): OldLimits => withPrecision(INFLUX_LIMITS, precision);

/** The limits of an OLD whose stamps are cut. */
export function withPrecision(limits: OldLimits, precision: Precision): OldLimits {
  const precisionUs = PRECISION_US[precision] ?? 1;
  if (precisionUs === 1) return limits;
  const stamps = `Time stamps are cut to whole ${precision === "s" ? "seconds" : "milliseconds"}; of several states of an entity within one the last may be all that is kept.`;
  return { ...limits, precisionUs, words: { ...limits.words, "one-stamp": stamps } };
}
