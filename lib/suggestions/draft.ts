import { createHash } from "node:crypto";
import type { Pattern, PatternKind, UnusedFeature } from "../analysis/ports.ts";
import { automationSchema } from "../event/index.ts";
import type { Automation, Wording } from "./ports.ts";
import { draftByClock } from "./templates/by-clock.ts";
import { draftByTrigger } from "./templates/by-trigger.ts";
import { draftDuration } from "./templates/duration.ts";
import { draftRoom } from "./templates/room.ts";
import { draftSequence } from "./templates/sequence.ts";
import type { Template } from "./templates/template.ts";
import { evidenceOf, type Names, plainName, plainNames } from "./words.ts";

/** A suggestion that could be made tonight. */
export interface Draft {
  readonly id: string;
  readonly source: "pattern" | "feature";
  readonly title: string;
  readonly description: string;
  readonly evidence: string;
  readonly automation?: Automation;
  readonly score: number;
  readonly patternId?: string;
  readonly deviceId?: string;
  readonly feature?: string;
  /** Entities that it speaks of: what is excluded by the home's settings is not suggested. */
  readonly entityIds: readonly string[];
  readonly wording?: Wording;
  /** Whatever switches its targets, it is nearly always by this: that it happens at a time of day follows from it. */
  readonly explains?: boolean;
}

/** One for each kind that an automation can do something about. An anomaly, a rhythm and a season are shown as patterns; nothing is to be switched by them. */
const TEMPLATES: Partial<Record<PatternKind, (pattern: Pattern, names: Names) => Template | undefined>> = {
  "time-of-day": draftByClock,
  "co-occurrence": draftByTrigger,
  sequence: draftSequence,
  duration: draftDuration,
  room: draftRoom,
};

/** Of all times that the target is switched, so many come after the trigger. */
const EXPLAINED = 0.9;
const EXPLAINED_RELIABILITY = 0.75;

/** Of a pair it is known. What is done together, or in a row, is done so nearly always. */
const isCause = ({ kind, details, reliability }: Pattern): boolean =>
  Number(details?.coverage ?? 0) >= EXPLAINED ||
  ((kind === "room" || kind === "sequence") && reliability >= EXPLAINED_RELIABILITY);

/** Longer is no title any more, and Home Assistant takes an alias of 255 characters. */
const TITLE_MAX_CHARACTERS = 250;
const shortened = (title: string): string => {
  const characters = [...title];
  return characters.length <= TITLE_MAX_CHARACTERS
    ? title
    : `${characters.slice(0, TITLE_MAX_CHARACTERS / 2 - 1).join("")}…`;
};

/** What an imported past alone shows may be an automation's doing: so often a person must have been seen to do it. */
const WITNESSED_MIN = 3;

/** undefined: nothing is suggested by it: it has no template, nothing may do it (unlocking), the home does it already, it is not known who does it, or it has ended. Complexity: O(1). */
export function draftOfPattern(pattern: Pattern, names: Names): Draft | undefined {
  if (pattern.automated || pattern.status !== "active" || pattern.witnessedHits < WITNESSED_MIN) return undefined;
  const template = TEMPLATES[pattern.kind]?.(pattern, plainNames(names));
  if (!template) return undefined;
  const { description, saves } = template;
  const title = shortened(template.title);
  const evidence = evidenceOf(pattern);
  const automation: Automation = { alias: title, description: `${description} (${evidence})`, ...template.automation };
  // A template that makes what Home Assistant would refuse is our mistake: it must not reach a home.
  if (!automationSchema.safeParse(automation).success) return undefined;
  return {
    id: `p-${pattern.id}`,
    source: "pattern",
    title,
    description,
    evidence,
    automation,
    score: pattern.reliability * savingOf(pattern, saves),
    patternId: pattern.id,
    ...(isCause(pattern) && { explains: true }),
    entityIds: [pattern.target, ...(pattern.trigger ? [pattern.trigger] : []), ...(pattern.steps ?? [])].map(
      ({ entityId }) => entityId,
    ),
  };
}

const DAYS_A_WEEK = 7;

/**
 * What it saves, 0 to 1: acts a week, of which the first count most: 1 - exp(-acts / 7), so that one act a day is worth 0.63 and three are worth 0.95. Acts a week are its
 * hits in the days of its evidence.
 */
function savingOf({ hits, days90 }: Pattern, saves: number): number {
  const first = days90[0]?.date;
  const last = days90.at(-1)?.date;
  const days = first && last ? (Date.parse(last) - Date.parse(first)) / 86_400_000 + 1 : DAYS_A_WEEK;
  const inWindow = days90.reduce((sum, day) => sum + day.hits, 0);
  const actsAWeek = ((inWindow || hits) * saves * DAYS_A_WEEK) / Math.max(DAYS_A_WEEK, days);
  return 1 - Math.exp(-actsAWeek / DAYS_A_WEEK);
}

/** A feature that nobody uses is worth less than any habit that is sure and daily, and more than one that is neither. */
const FEATURE_SCORE = 0.25;
/** What people are glad to have found, by the feature's name in Zigbee2MQTT or Home Assistant. */
const FEATURE_WEIGHTS: Readonly<Record<string, number>> = {
  brightness: 1,
  color_temp: 0.9,
  color_temp_startup: 0.5,
  color: 0.8,
  effect: 0.5,
  position: 1,
  tilt: 0.6,
  preset: 0.8,
  preset_mode: 0.8,
  child_lock: 0.7,
  occupancy_timeout: 0.7,
  away_mode: 0.8,
};

/** The `index`-th of its device: a device fills no list alone. */
export function draftOfFeature(unused: UnusedFeature, index: number): Draft {
  const { deviceId, feature, entityId, watchedSince } = unused;
  const [deviceName, label] = [plainName(unused.deviceName), plainName(unused.label)];
  const weight = Object.hasOwn(FEATURE_WEIGHTS, feature) ? (FEATURE_WEIGHTS[feature] ?? 0.4) : 0.4;
  return {
    id: `f-${idText(deviceId)}-${idText(feature)}`,
    source: "feature",
    title: `${deviceName} can do more: ${label}`,
    description: `${deviceName} offers "${label}", and nobody and no automation has used it since ${watchedSince}.${entityId ? ` In Home Assistant it is ${entityId}.` : ""}`,
    evidence: `never used since ${watchedSince}`,
    score: (FEATURE_SCORE * weight) / (1 + index),
    deviceId,
    feature,
    entityIds: entityId ? [entityId] : [],
  };
}

/** Where something is lost on the way to a-z, 0-9 and `-`, its hash keeps two apart that would become one. */
function idText(text: string): string {
  const plain = text.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  if (/^[a-z0-9_-]{1,60}$/i.test(text)) return plain;
  return `${plain.slice(0, 40)}-${createHash("sha256").update(text).digest("hex").slice(0, 12)}`;
}
