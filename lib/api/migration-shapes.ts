import * as z from "zod";
import { MIGRATION_STATES, MIGRATION_TRIGGERS } from "./migration-words.ts";

/** What the routes of a migration answer.  */

const time = z.iso.datetime({ offset: true });
const count = z.int().nonnegative();

const state = z.enum(MIGRATION_STATES);
const verdict = z
  .enum(["pass", "fail", "inconclusive"])
  .meta({ id: "Verdict", description: "`inconclusive`: too little is known yet; neither a pass nor a fail." });
const trigger = z.enum(MIGRATION_TRIGGERS);

const checkShape = z
  .object({
    name: z.string().meta({ example: "performance.range" }),
    verdict,
    observed: z.number().nullable().meta({ description: "The figure that was judged; `explanation` names its unit." }),
    low: z.number().optional().meta({ description: "Bounds of `observed`, good at every look." }),
    high: z.number().optional(),
    limit: z.number().nullable(),
    sample_size: count,
    samples_wanted: count.optional().meta({ description: "About how many more settle it." }),
    explanation: z.string(),
    trigger: trigger.optional(),
    is_alert: z.boolean().optional(),
  })
  .meta({ id: "MigrationCheck" });

export const auditEntryShape = z
  .object({
    epoch: z.int(),
    at: time,
    actor: z.string(),
    from: state,
    to: state,
    percent_from: z.number(),
    percent_to: z.number(),
    reason: z.string(),
    trigger: trigger.optional(),
    evidence: z.array(checkShape),
    is_forced: z.boolean().optional(),
  })
  .meta({ id: "MigrationChange" });

export const migrationShape = z
  .object({
    id: z.string(),
    home_id: z.string(),
    state,
    paused_from: state.optional(),
    stage_percent: z.number().meta({ description: "Of the entities, for how many NEW answers." }),
    stages: z.array(z.number()),
    authority: z.enum(["old", "split", "new"]).meta({ description: "Who answers reads." }),
    epoch: z.int().meta({ description: "Counts changes; a changing request names it in `If-Match`." }),
    created_at: time,
    since: time.meta({ description: "When the state or stage began." }),
    good_since: time.optional().meta({ description: "Since when every check passes without interruption." }),
    last_step_at: time.optional(),
    verdict,
    situation: z.string().meta({ description: "Where it is and what it waits for, in a sentence." }),
    checks: z.array(checkShape),
    opened: z.array(z.string()).meta({ description: "Gates that a person has opened." }),
    reason: z.string().optional(),
    trigger: trigger.optional(),
    readers: z
      .record(z.string(), z.enum(["old", "new"]))
      .meta({ description: "Readers moved by hand, by token name." }),
    plan: z.record(z.string(), z.unknown()),
  })
  .meta({ id: "Migration" });

export const migrationPageShape = z
  .object({ migrations: z.array(migrationShape), next: z.string().nullable() })
  .meta({ id: "MigrationPage" });

export const auditPageShape = z
  .object({ changes: z.array(auditEntryShape), next: z.string().nullable() })
  .meta({ id: "MigrationAuditPage" });

export const differenceShape = z
  .object({
    class: z.enum(["missing-in-new", "missing-in-old", "different", "late", "known-limit"]),
    entity_id: z.string(),
    at: time,
    field: z.string().optional(),
    old: z.string().optional(),
    new: z.string().optional(),
    lost_by: z.enum(["old", "new", "relay", "unknown"]).optional(),
    found_at: time,
    explanation: z.string(),
    is_repaired: z.boolean().optional(),
  })
  .meta({ id: "MigrationDifference" });

const differenceCounts = { missing_in_new: count, missing_in_old: count, different: count } as const;
const fateCounts = {
  open: count.meta({ description: "Missing and different ones that are still there." }),
  repaired: count.meta({ description: "Those that were sent again since, and are there." }),
} as const;
const otherCounts = { late: count, known_limit: count } as const;

export const differencePageShape = z
  .object({
    counts: z.object({ ...differenceCounts, ...otherCounts, ...fateCounts }).meta({
      description: "Of all that were ever found; `repaired` of them were sent again since and count no more.",
    }),
    differences: z.array(differenceShape),
    next: z.string().nullable(),
  })
  .meta({ id: "MigrationDifferencePage" });

const readsShape = z
  .object({
    query: z.string(),
    from: time,
    to: time,
    pairs: count,
    ratio: z.number().nullable().meta({ description: "NEW's time over OLD's, geometric mean of the pairs." }),
    low: z.number().nullable().meta({ description: "With `high`: 95 % interval of this span alone." }),
    high: z.number().nullable(),
    old_p95_ms: z.number().nullable(),
    new_p95_ms: z.number().nullable(),
    old_errors: count,
    new_errors: count,
    unequal: count,
  })
  .meta({ id: "MigrationReads", description: "Reads that both sides were asked, in one span of time." });

const sinkShape = z
  .object({
    name: z.enum(["new", "old"]),
    lag_seconds: z.number().nullable().meta({ description: "Null: nobody has said it." }),
    lag_records: count.optional(),
    breaker: z.enum(["closed", "open", "half-open"]).optional(),
    is_off: z.boolean().optional(),
    lost_events: count.nullable(),
    complete_up_to: count.optional(),
    last_sequence: count.optional(),
    missing: count.optional(),
  })
  .meta({ id: "MigrationSink" });

export const metricsShape = z
  .object({
    id: z.string(),
    at: time,
    state,
    stage_percent: z.number(),
    authority: z.enum(["old", "split", "new"]),
    verdict,
    checks: z.array(checkShape),
    sinks: z.array(sinkShape),
    reads: z.array(readsShape),
    differences: z.object({ ...differenceCounts, ...otherCounts, ...fateCounts }),
  })
  .meta({ id: "MigrationMetrics" });

const tunedSetting = {
  setting: z.string().meta({ example: "flush-seconds" }),
  from: z.number(),
  to: z.number(),
} as const;

export const tuningShape = z
  .object({
    id: z.string().meta({ description: "Of the migration." }),
    proposals: z.array(
      z.object({
        ...tunedSetting,
        is_refuted: z.boolean().meta({ description: "Figures that were held back speak against it." }),
        explanation: z.string(),
      }),
    ),
    trial: z
      .object({
        ...tunedSetting,
        phase: z.enum(["baseline", "trial", "keeping", "reverting"]),
        metric: z.string().meta({ description: "What has to become less." }),
        samples_before: z.array(z.number()),
        samples_during: z.array(z.number()),
        until: time,
      })
      .nullable()
      .meta({ description: "What is being tried now." }),
    outcomes: z.array(z.object({ ...tunedSetting, is_kept: z.boolean(), reason: z.string(), at: time })),
  })
  .meta({ id: "MigrationTuning" });

export const reportShape = z
  .object({
    id: z.string(),
    home_id: z.string(),
    state,
    since: time,
    stage_percent: z.number(),
    verdict,
    checks: z.array(checkShape),
    differences: z.object({
      ...differenceCounts,
      ...otherCounts,
      repaired: count,
      examples: z.array(differenceShape),
    }),
    ledger: z.object({
      first_sequence: count,
      last_sequence: count,
      gaps: z.array(z.object({ relay_id: z.string(), first: count, last: count })),
      lost_records: count,
    }),
    history: z.array(auditEntryShape),
    made_at: time,
    created_at: time,
    ended_at: time.nullable(),
    plan: z.record(z.string(), z.unknown()),
    stages: z.array(
      z.object({
        state,
        percent: z.number(),
        from: time,
        to: time.nullable(),
        seconds: z.number(),
        verdict,
        checks: z.array(checkShape),
      }),
    ),
    figures: z.object({
      downtime_seconds: z.number().meta({ description: "Time in which a read got an answer of neither side." }),
      lost_events: count.meta({ description: "Not in NEW and not repaired, and records that the relay gave up." }),
      reads: count,
      read_errors: count.meta({ description: "Reads that NEW did not answer." }),
      error_percent: z.number().nullable(),
      rows_compared: count,
      consistent_percent: z.number().nullable(),
    }),
    reads: z.array(readsShape),
    known_limits: z.array(z.object({ explanation: z.string(), count })),
    checksum: z.string().meta({
      description: "SHA-256, hex, of the rest but `signature` as JSON with sorted names and no blanks.",
    }),
    signature: z
      .object({ algorithm: z.literal("HMAC-SHA256"), key_id: z.string(), mac: z.string() })
      .nullable()
      .meta({
        description:
          "Of home, key and checksum, by a key derived from the home's (HKDF-SHA-256); `key_id` says from which, `hearthline migrate report --verify` checks it. Null: the home has no key.",
      }),
  })
  .meta({ id: "MigrationReport" });
