import * as z from "zod";

const sampleSchema = z.object({ metric: z.number(), other: z.number().exactOptional() });
const trialSchema = z.object({
  phase: z.enum(["baseline", "trial", "keeping", "reverting"]),
  setting: z.enum(["flush-seconds", "batch-size", "raw-days"]),
  from: z.number(),
  to: z.number(),
  metric: z.enum(["messages-per-1000-events", "delay-seconds"]),
  /** What the other figure may rise by, because it was proposed so. */
  allowed: z.number(),
  /** The share by which the figure has to become less. */
  gainMin: z.number(),
  sinceUs: z.number(),
  untilUs: z.number(),
  /** The last step saw the new value in force: what the next one measures is all of it. */
  isInForce: z.boolean(),
  before: z.array(sampleSchema),
  during: z.array(sampleSchema),
});
export type Trial = z.infer<typeof trialSchema>;

const readingSchema = z.object({
  relayId: z.string(),
  atMs: z.number(),
  acknowledged: z.number(),
  messages: z.number(),
  lagSeconds: z.number(),
  flushSeconds: z.number().exactOptional(),
  batchRecords: z.number().exactOptional(),
});

const outcomeSchema = z.object({
  setting: z.string(),
  from: z.number(),
  to: z.number(),
  isKept: z.boolean(),
  reason: z.string(),
  atUs: z.number(),
});

const proposalSchema = z.object({
  setting: z.string(),
  from: z.number(),
  to: z.number(),
  isRefuted: z.boolean().exactOptional(),
  explanation: z.string(),
});

/** What costs reading is read anew only now and then. */
const factsSchema = z.object({
  atUs: z.number(),
  rawDays: z.number().exactOptional(),
  bytesPerDay: z.number().exactOptional(),
  reads: z.object({ count: z.number(), earlierDays: z.number(), laterDays: z.number() }).exactOptional(),
});

/** What tuning remembers: the trial under way and what came of those before. */
export const tuningSchema = z.object({
  version: z.literal(1),
  trial: trialSchema.exactOptional(),
  outcomes: z.array(outcomeSchema),
  reading: readingSchema.exactOptional(),
  /** What the last look proposes. */
  proposals: z.array(proposalSchema).default([]),
  facts: factsSchema.exactOptional(),
});
export type Tuning = z.infer<typeof tuningSchema>;

export const NO_TUNING: Tuning = { version: 1, outcomes: [], proposals: [] };
