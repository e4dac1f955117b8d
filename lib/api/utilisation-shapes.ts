import * as z from "zod";
import type { DeviceUtilisation } from "../analysis/index.ts";

const date = z.iso.date();

/** How much of what a device can is used, as the API shows it. */
export const utilisationShape = z
  .object({
    features: z
      .int()
      .nonnegative()
      .meta({ description: "What people or automations could use: settable, neither configuration nor diagnosis." }),
    used: z.int().nonnegative().meta({ description: "Of these, those used in the last 30 days." }),
    unused: z
      .array(
        z.object({
          feature: z.string(),
          label: z.string(),
          entity_id: z.string().optional(),
          not_used_since: date,
        }),
      )
      .meta({ description: "Empty until the device has been watched for 30 days." }),
    watched_since: date.optional().meta({ description: "The local day on which the device was heard first." }),
    as_of: date.meta({ description: "The local day of the night that found this." }),
  })
  .meta({ id: "Utilisation" });

export const utilisationView = (
  { features, used, unused, watchedSince }: DeviceUtilisation,
  asOf: string,
): z.infer<typeof utilisationShape> => ({
  features,
  used,
  unused: unused.map((one) => ({
    feature: one.feature,
    label: one.label,
    ...(one.entityId !== undefined && { entity_id: one.entityId }),
    not_used_since: one.watchedSince,
  })),
  ...(watchedSince !== undefined && { watched_since: watchedSince }),
  as_of: asOf,
});
