import * as z from "zod";
import { HearthlineError } from "../../base/errors.ts";
import type { RegistryName } from "../../event/index.ts";
import type { HaConfig } from "../../relay/ports.ts";
import type { OnProblem } from "./problem.ts";
import { isObject } from "./wire.ts";

/** The commands that list a registry. Internal to Home Assistant's frontend: they stand here alone, and the contract test asks three releases. */
export const REGISTRY_COMMANDS: Readonly<Record<RegistryName, string>> = {
  areas: "config/area_registry/list",
  floors: "config/floor_registry/list",
  labels: "config/label_registry/list",
  devices: "config/device_registry/list",
  entities: "config/entity_registry/list",
};

// Of get_config only what the relay uses; every other key may come and go. A state that we do not know is no proof that Home Assistant runs.
const configSchema = z.object({
  state: z.enum(["NOT_RUNNING", "STARTING", "RUNNING", "STOPPING", "FINAL_WRITE", "STOPPED"]).catch("NOT_RUNNING"),
  version: z.string(),
  location_name: z.string().catch("Home"),
  time_zone: z.string(),
  language: z.string().optional().catch(undefined),
  country: z.string().nullish().catch(undefined),
  unit_system: z.record(z.string(), z.string()).optional().catch(undefined),
});

/** @throws HearthlineError `home_assistant_command_failed` */
export function readConfigAnswer(answer: unknown): HaConfig {
  const read = configSchema.safeParse(answer);
  if (!read.success) throw unusable("get_config", `wrong or missing: ${names(read.error)}`);
  const { language, country, unit_system, ...always } = read.data;
  return {
    ...always,
    ...(language !== undefined && { language }),
    ...(country !== undefined && { country }),
    ...(unit_system !== undefined && { unit_system }),
  };
}

const names = (error: z.ZodError): string => error.issues.map((issue) => issue.path.join(".") || "all").join(", ");

/** @throws HearthlineError `home_assistant_command_failed` */
export function readListAnswer(command: string, answer: unknown): readonly unknown[] {
  if (!Array.isArray(answer)) throw unusable(command, "it is no list");
  return answer;
}

/** Rows as they are, whatever their keys; one that is no object is left out and reported. */
export function readRows(command: string, answer: unknown, report: OnProblem): readonly Record<string, unknown>[] {
  return readListAnswer(command, answer).filter((row, index): row is Record<string, unknown> => {
    if (isObject(row)) return true;
    report({ kind: "row_malformed", detail: `row ${index} of "${command}" is no object` });
    return false;
  });
}

export const unusable = (command: string, why: string) =>
  new HearthlineError(
    "home_assistant_command_failed",
    `Home Assistant's answer to the command "${command}" cannot be used: ${why}.`,
  );
