import * as z from "zod";
import { isHearthlineError, messageOf } from "../../base/errors.ts";
import type { Microseconds } from "../../base/time.ts";
import type { HomeEvent } from "../../event/index.ts";
import type { EventStore } from "../../store/ports.ts";
import type { CheckContext, OldSystem } from "../ports.ts";
import { lackingIn } from "./lacking.ts";

export interface WalkDeps {
  readonly store: Pick<EventStore, "scan">;
  readonly old: Pick<OldSystem, "scan" | "write" | "limits">;
}

const SLICE_US = 3_600_000_000;
const WRITE_MAX = 1_000;
/** After so many looks that each found something lacking, OLD does not keep what it is given. */
export const PASSES_MAX = 4;
/** And after so many it is not asked again: the readers are there already, and what it lacks is named. */
const PASSES_LAST = 10;
/** In so many steps, one after the other, OLD could be read and took nothing: that is a refusal, whatever it calls it. */
const FAILURES_MAX = 10;
const EXAMPLES_MAX = 5;
const FAILURE_CHARACTERS = 300;

const probedSchema = z.object({ p95Ms: z.number(), samples: z.number() });
const targetSchema = z.object({
  relayId: z.string(),
  sequence: z.number(),
  /** How far OLD's sink was, and since when. */
  acknowledged: z.number().optional(),
  movedUs: z.number().optional(),
});

export const memorySchema = z.object({
  baseline: probedSchema.optional(),
  /** The rollback that this is about, by its epoch. */
  epoch: z.number().optional(),
  /** By the relay: what NEW had when the rollback began. */
  target: targetSchema.optional(),
  /** Looks over all of the time: the first writes, the second proves. */
  pass: z.number().default(1),
  cursorUs: z.number().optional(),
  untilUs: z.number().optional(),
  written: z.number().default(0),
  refused: z.number().default(0),
  examples: z.array(z.string()).max(EXAMPLES_MAX).default([]),
  /** Found lacking in the present pass. */
  lacking: z.number().default(0),
  isHanded: z.boolean().default(false),
  /** That OLD took and did not have at the last look. */
  notKept: z.number().default(0),
  /** Steps, one after the other, in which OLD took nothing. */
  failures: z.number().default(0),
  failure: z.string().optional(),
  slowLooks: z.number().default(0),
});
export type HandoverMemory = z.infer<typeof memorySchema>;

/** As many slices as the step has time for. @throws what a side cannot be read with */
export async function walk(
  memory: HandoverMemory,
  { migration, nowUs, signal }: CheckContext,
  deps: WalkDeps,
): Promise<HandoverMemory> {
  let now = memory;
  const { homeId, createdUs, plan } = migration;
  // What is younger both may still be writing; the second look goes to the end of what readers were given by NEW.
  const untilUs = Math.max(createdUs, now.untilUs ?? nowUs);
  if (nowUs < untilUs + plan.settleSeconds * 1e6) return now;
  while (!signal.aborted) {
    const fromUs = now.cursorUs ?? createdUs;
    if (fromUs >= untilUs) {
      if (now.pass > 1 && now.lacking === 0) return { ...now, isHanded: true };
      if (now.pass >= PASSES_LAST) return { ...now, isHanded: true, notKept: now.lacking };
      now = { ...now, pass: now.pass + 1, cursorUs: createdUs, lacking: 0 };
      // It may want time to show what it has taken: one such look a step.
      if (now.pass > 2) return now;
      continue;
    }
    const toUs = Math.min(untilUs, fromUs + SLICE_US);
    const found = await lackingIn({ homeId, fromUs, toUs }, deps);
    const next = await writeAll(now, found.byOld, deps);
    // The same slice is met again by the next step.
    if (next.failures > now.failures) return next;
    now = { ...next, cursorUs: found.toUs };
  }
  return now;
}

/** What came while it was handed over, as far as it has settled: whoever feeds OLD may not reach it any more. */
export async function catchUp(
  memory: HandoverMemory,
  { migration, nowUs, signal }: CheckContext,
  deps: WalkDeps,
): Promise<HandoverMemory> {
  let now = memory;
  const { homeId, plan } = migration;
  const untilUs = nowUs - plan.settleSeconds * 1e6;
  while (!signal.aborted) {
    const fromUs = now.cursorUs ?? untilUs;
    if (fromUs >= untilUs) break;
    const found = await lackingIn({ homeId, fromUs, toUs: Math.min(untilUs, fromUs + SLICE_US) }, deps);
    const next = await writeAll(now, found.byOld, deps);
    if (next.failures > now.failures) return next;
    now = { ...next, cursorUs: found.toUs };
  }
  return now;
}

/** Idempotent: a step that is killed after it finds these rows in OLD the next time. What OLD refuses is counted, and not lacking: it never will have it. */
async function writeAll(
  memory: HandoverMemory,
  events: readonly HomeEvent[],
  { old }: WalkDeps,
): Promise<HandoverMemory> {
  let now = memory;
  for (let at = 0; at < events.length; at += WRITE_MAX) {
    const given = events.slice(at, at + WRITE_MAX);
    const answer = await old.write(given).catch((thrown: unknown) => asRefusal(thrown, given, now));
    if (typeof answer === "string") return { ...now, failures: now.failures + 1, failure: answer };
    const { taken, refused } = answer;
    now = {
      ...now,
      ...(taken > 0 && { failures: 0 }),
      written: now.written + taken,
      lacking: now.lacking + taken,
      refused: now.refused + (now.pass === 1 || now.isHanded ? refused.length : 0),
      examples: named(now, refused),
    };
  }
  return now;
}

type Written = Awaited<ReturnType<OldSystem["write"]>>;

/** A text: why it took none, and may yet take them. */
function asRefusal(thrown: unknown, events: readonly HomeEvent[], { failures }: HandoverMemory): Written | string {
  const isFinal = isHearthlineError(thrown) && thrown.fate !== "retry";
  if (!isFinal && failures + 1 < FAILURES_MAX) return messageOf(thrown).slice(0, FAILURE_CHARACTERS);
  return { taken: 0, refused: events.map((event) => ({ event, reason: messageOf(thrown) })) };
}

const named = ({ examples }: HandoverMemory, refused: Written["refused"]): string[] =>
  [...new Set([...examples, ...refused.map(({ event, reason }) => `${event.entityId}: ${reason}`)])].slice(
    0,
    EXAMPLES_MAX,
  );

/** How far the present look is, 0 to 1. */
export const shareOf = ({ cursorUs, untilUs = 0 }: HandoverMemory, createdUs: Microseconds): number =>
  Math.min(1, ((cursorUs ?? createdUs) - createdUs) / Math.max(1, untilUs - createdUs));
