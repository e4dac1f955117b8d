import type { Automation } from "../ports.ts";

/** What a template makes of a pattern: words and an automation, without a rank. `saves`: acts of a person that it saves each time. */
export interface Template {
  readonly title: string;
  readonly description: string;
  readonly automation: Omit<Automation, "alias" | "description">;
  readonly saves: number;
}
