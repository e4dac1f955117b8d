/** An automation as a client wrote it. */
export type RawAutomation = Readonly<Record<string, unknown>>;
type Row = Readonly<Record<string, unknown>>;

/** In the keys of 2024.10 and later. */
export interface Rows {
  readonly alias: string;
  readonly mode: string;
  readonly triggers: readonly Row[];
  readonly conditions: readonly Row[];
  readonly actions: readonly Row[];
}

const PLURAL = ["triggers", "conditions", "actions"] as const;
const KNOWN = ["id", "alias", "description", "mode", "trigger", "condition", "action", ...PLURAL];

const rowsOf = (value: unknown): readonly Row[] =>
  [value ?? []].flat().filter((row): row is Row => typeof row === "object" && row !== null);

/** Either form, as the newest reads it. */
export function newestConfig(raw: RawAutomation): Rows {
  const renamed = (row: Row, from: string, to: string): Row =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name === from ? to : name, value]));
  return {
    alias: String(raw.alias ?? raw.id),
    mode: String(raw.mode ?? "single"),
    triggers: rowsOf(raw.triggers ?? raw.trigger).map((row) => renamed(row, "platform", "trigger")),
    conditions: rowsOf(raw.conditions ?? raw.condition),
    actions: rowsOf(raw.actions ?? raw.action).map((row) => renamed(row, "service", "action")),
  };
}

/** What Home Assistant says against it; undefined: nothing. A release before 2024.10 does not know the plural keys. */
export function isAllowed(raw: RawAutomation, version: string): string | undefined {
  const isOld = version.startsWith("2024.3");
  const foreign = Object.keys(raw).find(
    (name) => !KNOWN.includes(name) || (isOld && (PLURAL as readonly string[]).includes(name)),
  );
  if (foreign !== undefined) return `Message malformed: extra keys not allowed @ data['${foreign}']`;
  const { triggers, actions } = newestConfig(raw);
  if (triggers.length === 0) return "Message malformed: required key not provided @ data['triggers']";
  if (actions.length === 0) return "Message malformed: required key not provided @ data['actions']";
  return undefined;
}
