import * as z from "zod";
import { utilisationShape } from "./utilisation-shapes.ts";

/** What a device can do, as the API shows it. */

export const featureShape = z
  .object({
    name: z.string().meta({ description: "Its path: `brightness`, `color_xy.x`." }),
    property: z
      .string()
      .optional()
      .meta({ description: "Where its value stands in what the device publishes and takes." }),
    type: z.string().meta({ description: "`binary`, `numeric`, `enum`, `text`, `list` or `composite`." }),
    group: z
      .string()
      .optional()
      .meta({ description: "The kind of device it is part of: `light`, `switch`, `climate`." }),
    access: z.int().nonnegative().meta({ description: "Bits: 1 published, 2 settable, 4 gettable." }),
    endpoint: z.string().optional(),
    category: z.string().optional().meta({ description: "`config` or `diagnostic`; absent: for everyday use." }),
    label: z.string().optional(),
    description: z.string().optional(),
    unit: z.string().optional(),
    values: z.array(z.union([z.string(), z.number(), z.boolean()])).optional(),
    min: z.number().optional(),
    max: z.number().optional(),
    step: z.number().optional(),
    entity_id: z
      .string()
      .optional()
      .meta({ description: "Home Assistant's entity that has it, where that told of it." }),
  })
  .meta({ id: "Feature" });

const summary = {
  ieee_address: z.string(),
  friendly_name: z.string(),
  device_id: z.string().optional().meta({ description: "Home Assistant's id of it; absent when it knows none." }),
  type: z.string().optional(),
  manufacturer: z.string().optional(),
  model_id: z.string().optional(),
  vendor: z.string().optional(),
  model: z.string().optional(),
  description: z.string().optional(),
  supported: z.boolean(),
  disabled: z.boolean(),
  interview: z.string().optional().meta({ description: "`successful` when all of it is known." }),
} as const;

export const capabilitySummaryShape = z
  .object({
    ...summary,
    feature_count: z.int().nonnegative(),
    settable_count: z.int().nonnegative().meta({ description: "Features that can be set." }),
  })
  .meta({ id: "CapabilitySummary" });

export const capabilityPageShape = z
  .object({
    capabilities: z.array(capabilitySummaryShape),
    next: z.string().nullable().meta({ description: "The cursor of the next page; null when this is the last one." }),
  })
  .meta({ id: "CapabilityPage" });

export const deviceCapabilitiesShape = z
  .object({
    device_id: z.string(),
    source: z.enum(["zigbee2mqtt", "home-assistant"]).nullable().meta({
      description:
        "Who told: Zigbee2MQTT by its exposes, or Home Assistant by what its states support. null: nothing is known of what it can do.",
    }),
    zigbee: z.object(summary).optional(),
    features: z.array(featureShape),
    options: z.array(featureShape).meta({ description: "Settings of Zigbee2MQTT itself for this device." }),
    utilisation: utilisationShape.optional(),
  })
  .meta({ id: "DeviceCapabilities" });
