import type { OldSystem, Plan } from "../../migration/ports.ts";
import { createOldHttp } from "./old-http.ts";
import { createOldInfluxdb } from "./old-influxdb.ts";
import type { OldOptions, OldSecrets } from "./old-options.ts";

/** The pipeline that a plan moves away from. Nothing is asked of it before a method is called. */
export function createOldSystem(old: Plan["old"], secrets: OldSecrets, options: OldOptions): OldSystem {
  return old.kind === "influxdb" ? createOldInfluxdb(old, secrets, options) : createOldHttp(old, secrets, options);
}
