import type { Microseconds } from "../base/time.ts";
import { expectedTime } from "./duration.ts";
import { unsettled, waitsFor } from "./judge.ts";
import { isStarted, REQUIRED, REQUIRED_STEPWISE } from "./places.ts";
import type { Gate, Plan, Trigger } from "./plan.ts";
import type { OldDescription } from "./ports.ts";
import { PRECISION_US, PRECISION_WORDS, type ShownPrecision } from "./precision.ts";
import type { Migration, State } from "./types.ts";

/** What a plan will do, and where a migration is, in words for people. */

/** `90 seconds`, `5 minutes`, `1 hour`, `2 days`. */
export function spanWords(seconds: number): string {
  const units = [
    [86_400, "day"],
    [3_600, "hour"],
    [60, "minute"],
  ] as const;
  const [length, name] = units.find(([unit]) => seconds >= unit && seconds % unit === 0) ?? [1, "second"];
  const count = Math.round((seconds / length) * 10) / 10;
  return `${count.toLocaleString("en")} ${name}${count === 1 ? "" : "s"}`;
}

const TRIGGER_WORDS: Readonly<Record<Trigger, (plan: Plan) => string>> = {
  performance: ({ thresholds }) => `NEW is more than ${thresholds.rollbackPercent} % slower than OLD, beyond doubt`,
  errors: ({ thresholds }) => `more than ${thresholds.errorPercent} % of NEW's answers are errors`,
  loss: () => "one event is lost",
  "part-down": () => "a part of NEW is down, and still is at a second look",
  inconsistency: () => "a row differs, and still does at a second look",
};

const GATE_WORDS: Readonly<Record<Gate, string>> = {
  ramp: "before NEW answers the first reader",
  stabilise: "before the time of observation",
  rampdown: "before OLD gets no more reads",
  cleanup: "before anything of OLD is ended",
};

/** What carries out a plan of the simple way. */
export const SIMPLE_COMMAND = "hearthline migrate simple --backup FILE";

/** A paragraph an item; `old`: what OLD says of itself, when it was asked. */
export function explainPlan(plan: Plan, old?: LookedAtOld): string[] {
  const from = [fromWords(plan, old), ...precisionWords(plan, old)];
  if (plan.way === "simple") return [...from, ...simpleWords(plan)];
  return [...from, ...stagedWords(plan), backWords(plan), gateWords(plan), endWords(plan)];
}

/** OLD as `migrate plan` has seen it. */
export interface LookedAtOld extends OldDescription {
  /** Of its newest rows. */
  readonly shown?: ShownPrecision;
}

function precisionWords({ old: { kind, precision } }: Plan, { shown }: LookedAtOld = { product: "", schema: "" }) {
  const seen = shown && `its newest ${shown.rows} rows, of ${shown.stamps} different moments`;
  if (precision === "us")
    return shown === undefined || shown.precision === "us"
      ? []
      : [
          `Attention: ${seen}, are all whole ${PRECISION_WORDS[shown.precision]}, and the plan says microseconds. If OLD cuts its time stamps, every row will differ: plan with --precision ${shown.precision}.`,
        ];
  const unit = PRECISION_WORDS[precision];
  const evidence =
    shown === undefined
      ? "as the plan says; too few of its rows were seen to tell"
      : PRECISION_US[shown.precision] < PRECISION_US[precision]
        ? `says the plan; but ${seen}, are finer, and then this migration will not begin: plan with --precision ${shown.precision}`
        : `as ${seen}, show, which microseconds never are by chance`;
  const kept = kind === "influxdb" ? "keeps the last" : "may keep the last alone";
  return [
    `OLD's time stamps are cut to whole ${unit}, ${evidence}. Both sides are compared by whole ${unit}: of several states of one entity within one OLD ${kept}, and that is no difference; NEW keeps its own to the microsecond, and a row of OLD that NEW has already is known for it. Where the relay writes to OLD, set HEARTHLINE_OLD_PRECISION=${precision} for it.`,
  ];
}

function fromWords({ old: from, fromUs, way }: Plan, old: OldDescription | undefined): string {
  const name = from.kind === "influxdb" ? `database "${from.database}" at ${from.url}` : from.url;
  const is = old ? ` (${old.product}${past(old)})` : "";
  const feeder =
    from.fedBy === "relay"
      ? "The relay writes every event to both meanwhile; a fault of one never holds up the other."
      : "Home Assistant goes on writing to it by itself, the relay writes to NEW; neither knows of the other.";
  const begin =
    way === "simple"
      ? "The past is not brought over by it: that is hearthline history import, beforehand."
      : fromUs === undefined
        ? "The whole past comes along."
        : `The past comes along from ${day(fromUs)} on.`;
  return `From OLD, the ${name}${is}. ${feeder} ${begin}`;
}

const past = ({ oldestUs, newestUs }: OldDescription): string =>
  oldestUs === undefined || newestUs === undefined ? "" : `, from ${day(oldestUs)} to ${day(newestUs)}`;
const day = (atUs: Microseconds): string => new Date(atUs / 1000).toISOString().slice(0, 10);

const simpleWords = ({ old }: Plan): string[] => [
  `The simple way has no stages and no observation. It is carried out, from the machine of Hearthline's settings, by: ${SIMPLE_COMMAND}. In this order: it looks whether both are well and NEW has every row of OLD's that it keeps; ${
    old.fedBy === "relay"
      ? "the relay stops writing to OLD"
      : "you remove the integration from Home Assistant, when it says so"
  }; the home is backed up into FILE, which is proved; NEW answers everything at once; health, one event through every hop and the counts of both are validated.`,
  "Whatever fails takes everything back: OLD answers, is fed again, and is handed what only NEW got. Ended in the middle, the same command goes on. OLD's data is never deleted.",
];

const stagedWords = (plan: Plan): string[] => [
  `Stages: NEW answers for ${plan.stages.join(", ")} % of the entities, one stage after the other. Each must be good for ${spanWords(plan.soakSeconds)} without interruption before the next; then everything is watched for ${spanWords(plan.stabiliseSeconds)}.`,
  `At every step ${plan.probesPerStep} reads are asked of both sides, and ${plan.shadowPercent} % of your own reads too; nobody waits for that. Rows are compared one by one once they are ${spanWords(plan.settleSeconds)} old; one that differs counts when it still does after ${spanWords(plan.recheckSeconds)}.`,
  `Too little data is neither a pass nor a fail: it waits, and says how many more it needs. ${timeWords(plan)}`,
];

const HOUR = 3_600;
const DAY = 86_400;
/** Of what is only expected, no more than it is worth. */
const about = (seconds: number): string => {
  const unit = seconds < 2 * DAY ? HOUR : DAY;
  const count = Math.max(1, Math.round(seconds / unit));
  return `${count} ${unit === DAY ? "days" : count === 1 ? "hour" : "hours"}`;
};

/** The past that is brought over takes its time by itself. */
function timeWords(plan: Plan): string {
  const { shadowSeconds, wholeSeconds, lateSeconds } = expectedTime(plan);
  return `With a step every 5 minutes and both about equally fast, expect ${about(shadowSeconds)} until NEW answers the first reader and ${about(wholeSeconds)} until the end, with bad luck ${about(lateSeconds)}, and what bringing the past over takes; more reads a step (probes_per_step) make it shorter.`;
}

function backWords(plan: Plan): string {
  const on = Object.entries(plan.triggers).filter(([, isOn]) => isOn) as [Trigger, boolean][];
  const off = Object.entries(plan.triggers).filter(([, isOn]) => !isOn) as [Trigger, boolean][];
  const alert = `Somebody is told above ${plan.thresholds.alertPercent} % slower.`;
  const back =
    on.length === 0
      ? "Nothing takes it back by itself."
      : `It goes back to OLD by itself when ${on.map(([name]) => TRIGGER_WORDS[name](plan)).join("; when ")}.`;
  const held = off.length === 0 ? "" : ` Only holding, not taking back: ${off.map(([name]) => name).join(", ")}.`;
  return `${back}${held} ${alert} By hand: hearthline migrate rollback, which works within seconds.`;
}

const gateWords = ({ gates }: Plan): string =>
  gates.length === 0
    ? "It asks nobody on the way: it goes to the end by itself."
    : `It waits for you ${gates.map((gate) => GATE_WORDS[gate]).join(", and ")}: hearthline migrate advance.`;

const endWords = ({ old, quietSeconds }: Plan): string =>
  `In the end, when nobody has read OLD for ${spanWords(quietSeconds)}, ${
    old.fedBy === "relay"
      ? "the relay stops writing to it"
      : "you remove the integration from Home Assistant; until then nothing of ours writes to OLD but one event of our own at each step (sensor.hearthline_canary_...), and, after a rollback, what only NEW got"
  }. OLD's data is never deleted.`;

const STATE_WORDS: Readonly<Record<State, string>> = {
  prepared: "Both sides are looked at before anything moves.",
  dual_write: "Both sides get every event; OLD answers.",
  backfill: "The past is brought over; OLD answers.",
  shadow: "OLD answers, and the same reads are asked of NEW.",
  ramp: "NEW answers for a part.",
  stabilise: "NEW answers all and is watched.",
  final_validation: "NEW answers all; the final validation runs.",
  rampdown: "NEW answers all; OLD must fall quiet.",
  cleanup: "Writing to OLD is being ended.",
  complete: "Done: NEW answers all, OLD is not needed any more.",
  paused: "Held by hand.",
  rolling_back: "On the way back: OLD is handed what only NEW got, and is checked.",
  rolled_back: "Taken back: OLD answers all.",
};

/** What a person has given as reason may end in nothing. */
export const asSentence = (text: string): string => text.replace(/[^.!?]$/u, "$&.");

/** Where it is and what it waits for. */
export function situationOf(migration: Migration, nowUs: Microseconds): string {
  const { state, reason, stagePercent, checks: results, verdict, goodSinceUs } = migration;
  if (state === "prepared" && !isStarted(migration)) return "Made, not started yet: nothing moves.";
  const isStepwise = state === "rolling_back" && stagePercent > 0;
  const is =
    state === "ramp"
      ? `NEW answers for ${stagePercent} %.`
      : isStepwise
        ? `On the way back, stage by stage: NEW still answers for ${stagePercent} %.`
        : STATE_WORDS[state];
  if (state === "complete") return is;
  const why = reason === undefined ? "" : ` ${asSentence(reason)}`;
  if (state === "paused" || state === "rolled_back") return `${is}${why}`;
  const back = state === "rolling_back" ? why : "";
  if (migration.lastStepUs === undefined) return `${is}${back} No step has looked at it yet.`;
  const wait =
    verdict === "inconclusive"
      ? `Not enough is known yet: ${unsettled(isStepwise ? REQUIRED_STEPWISE : REQUIRED[state], results).join(", ")}.`
      : waitsFor({ migration, results, nowUs, verdict, goodSinceUs });
  return `${is}${back} ${wait ?? "Goes on with the next step."}`;
}
