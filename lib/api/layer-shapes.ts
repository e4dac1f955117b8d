import * as z from "zod";

const time = z.iso.datetime({ offset: true });
const sampleShape = z
  .object({ at: time, state: z.string(), value: z.union([z.number(), z.boolean()]).optional() })
  .meta({ id: "Sample" });

/** One entity's day, week or month. */
export const aggregateShape = z
  .object({
    entity_id: z.string(),
    date: z.iso.date().meta({ description: "Its first local day." }),
    from: time,
    to: time.meta({ description: "Not included. A day of the home ends with its nightly job." }),
    count: z.int().meta({ description: "Events, removals not among them." }),
    mean: z.number().optional().meta({ description: "Of the numbers, each counted once." }),
    time_mean: z.number().optional().meta({ description: "Of the number as it held, weighted by its time." }),
    min: z.number().optional(),
    max: z.number().optional(),
    first: sampleShape.optional(),
    last: sampleShape.optional(),
    held_seconds: z.number().meta({ description: "For how long there was a number." }),
    seconds_on: z.number(),
  })
  .meta({ id: "EntityAggregate" });

export const aggregatePageShape = z
  .object({ aggregates: z.array(aggregateShape), next: z.string().nullable() })
  .meta({ id: "EntityAggregatePage" });

const layerShape = z.object({
  layer: z.enum(["raw", "daily", "weekly", "monthly", "patterns"]),
  keep_days: z.int().nullable().meta({ description: "As the last nightly job enforced it; null: for ever." }),
  setting_days: z.int().nullable().meta({ description: "As the next nightly job will." }),
  means: z
    .array(z.enum(["job", "ttl", "retention-policy", "lifecycle", "retention-period"]))
    .meta({ description: "What deletes: the nightly job, and what the store does by itself." }),
  store_days: z.int().optional().meta({ description: "What the store's own means is set to, as read back from it." }),
  oldest: z.string().nullable().meta({ description: "The oldest that is there: a time, or a date." }),
});

export const retentionShape = z
  .object({
    enforced_at: time.nullable().meta({ description: "Null: no nightly job has run yet." }),
    layers: z.array(layerShape),
  })
  .meta({ id: "Retention" });
