import * as z from "zod";

/**
 * The automations that Hearthline may write into a home: what it suggests, and nothing else. The API asks this, and the relay asks again: it does not trust the cloud with the
 * house, and whoever holds a token could otherwise have it unlock doors at night.
 */

/** `hearthline_...`: no automation of anybody else is ever written over or removed. */
export const automationIdSchema = z
  .string()
  .regex(/^hearthline_[a-z0-9_]{1,150}$/, 'wanted is an id that begins with "hearthline_", then a-z, 0-9 and _');

const entityId = z.string().regex(/^[a-z0-9_]+\.[a-z0-9_]+$/, "wanted is an entity id such as light.kitchen");
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$/, "wanted is HH:MM:SS");
const offset = z.string().regex(/^-?\d\d:[0-5]\d:[0-5]\d$/, "wanted is [-]HH:MM:SS");
const duration = z.strictObject({ seconds: z.int().positive() });
const weekday = z.array(z.enum(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])).min(1);
/** What a template begins with: Home Assistant would work it out, and it can read every state and secret of the home. */
const TEMPLATE = /\{[{%#]/;
const plainText = (most: number) =>
  z
    .string()
    .max(most)
    .refine((text) => !TEMPLATE.test(text), "wanted is text without a template");

const trigger = z.discriminatedUnion("trigger", [
  z.strictObject({ trigger: z.literal("time"), at: clock }),
  z.strictObject({ trigger: z.literal("sun"), event: z.enum(["sunrise", "sunset"]), offset: offset.optional() }),
  z.strictObject({
    trigger: z.literal("state"),
    entity_id: entityId,
    to: plainText(255).min(1),
    not_from: z.array(plainText(255)).max(10).optional(),
    for: duration.optional(),
  }),
]);
const condition = z.discriminatedUnion("condition", [
  z.strictObject({
    condition: z.literal("time"),
    after: clock.optional(),
    before: clock.optional(),
    weekday: weekday.optional(),
  }),
  z.strictObject({ condition: z.literal("state"), entity_id: entityId, state: plainText(255).min(1) }),
]);

/**
 * All actions that are ever written: what switches, dims, shades, locks and tells. Missing on purpose: `lock.unlock`, alarms, sirens, valves, `shell_command`, `notify`, scripts and
 * whatever else can do anything. A cover is opened only where it is a shade (`isShade`).
 */
export const WRITABLE_ACTIONS: ReadonlySet<string> = new Set([
  ...["light", "switch", "fan", "input_boolean", "humidifier", "media_player"].flatMap((domain) => [
    `${domain}.turn_on`,
    `${domain}.turn_off`,
  ]),
  ...["media_player.media_play", "media_player.media_pause", "cover.open_cover", "cover.close_cover", "lock.lock"],
  ...["vacuum.start", "vacuum.return_to_base"],
]);

/** Covers that are no more than shade: the others are doors. Source: Home Assistant's device classes of covers; read 2026-09. */
const SHADES: ReadonlySet<string> = new Set(["awning", "blind", "curtain", "shade", "shutter"]);
/** Whether a cover of this device class may be opened by itself; of one without a class nobody knows. */
export const isShade = (deviceClass: string | undefined): boolean => SHADES.has(deviceClass ?? "");

export const HVAC_MODES = ["off", "heat", "cool", "heat_cool", "auto", "dry", "fan_only"] as const;

const target = z.strictObject({ entity_id: z.union([entityId, z.array(entityId).min(1).max(50)]) });
/** The entities of an action's target. */
const targetsOf = ({ entity_id }: z.infer<typeof target>): readonly string[] => [entity_id].flat();
const isOfDomain = (action: string, of: z.infer<typeof target>): boolean =>
  targetsOf(of).every((id) => id.startsWith(`${action.slice(0, action.indexOf("."))}.`));

const action = z.union(
  [
    z
      .strictObject({ action: z.string(), target })
      .refine(({ action }) => WRITABLE_ACTIONS.has(action), "wanted is one of the actions that Hearthline suggests")
      .refine(({ action, target: of }) => isOfDomain(action, of), "wanted are entities of the action's own domain"),
    z
      .strictObject({
        action: z.literal("climate.set_hvac_mode"),
        target,
        data: z.strictObject({ hvac_mode: z.enum(HVAC_MODES) }),
      })
      .refine(({ action, target: of }) => isOfDomain(action, of), "wanted are entities of the action's own domain"),
    z.strictObject({
      action: z.literal("persistent_notification.create"),
      data: z.strictObject({ title: plainText(255), message: plainText(2_000) }),
    }),
    z.strictObject({ delay: duration }),
  ],
  "wanted is an action that Hearthline suggests, with its target: it unlocks, opens and runs nothing, and uses no template",
);

/** What we suggest: a part of what Home Assistant takes, and nothing that it does not. Source: its documentation of automations, 2024.10 to 2026.11; read 2026-09. */
export const automationSchema = z.strictObject({
  alias: z.string().min(1).max(255),
  description: z.string().max(2_000),
  mode: z.enum(["single", "restart", "queued", "parallel"]),
  triggers: z.array(trigger).min(1).max(20),
  conditions: z.array(condition).max(20),
  actions: z.array(action).min(1).max(20),
});
/** An automation that has been checked. */
export type WritableAutomation = z.infer<typeof automationSchema>;

/** Covers that it opens: whoever knows their device classes looks whether each is a shade. */
export const openedCovers = ({ actions }: WritableAutomation): readonly string[] =>
  actions.flatMap((one) => ("action" in one && one.action === "cover.open_cover" ? targetsOf(one.target) : []));

/** The plural keys came with 2024.10; what is older knows the singular ones only. Source: Home Assistant's release notes of 2024.10; read 2026-09. */
const PLURAL_SINCE = [2024, 10] as const;

/** Whether `version` (`2024.3.3`) is older than a release. */
export const isOlderThan = (version: string, [ofYear, ofMonth]: readonly [number, number]): boolean => {
  const [year = 0, month = 0] = version.split(".").map(Number);
  return year < ofYear || (year === ofYear && month < ofMonth);
};

type Rows = readonly Readonly<Record<string, unknown>>[];
interface PluralAutomation {
  readonly alias: string;
  readonly description: string;
  readonly mode: string;
  readonly triggers: Rows;
  readonly conditions: Rows;
  readonly actions: Rows;
}

/** The automation as a home of that version takes it; `haVersion` unknown: as the newest. */
export function forVersion(
  automation: PluralAutomation,
  haVersion: string | undefined,
): Readonly<Record<string, unknown>> {
  if (haVersion === undefined || !isOlderThan(haVersion, PLURAL_SINCE)) return { ...automation };
  const { alias, description, mode, triggers, conditions, actions } = automation;
  const renamed = (row: Readonly<Record<string, unknown>>, from: string, to: string) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name === from ? to : name, value]));
  return {
    alias,
    description,
    mode,
    trigger: triggers.map((row) => renamed(row, "trigger", "platform")),
    condition: conditions,
    action: actions.map((row) => renamed(row, "action", "service")),
  };
}
