import type { Clock } from "../../lib/base/clock.ts";
import type { Config } from "../../lib/wiring/config.ts";
import type { HomeAssistantFacts } from "../../lib/wiring/doctor.ts";
import type { ApiClient } from "./api-client.ts";
import type { CommandContext } from "./context.ts";

/** One thing that was looked at. `advice`: what to do about it. */
export interface Finding {
  readonly check: string;
  readonly result: "ok" | "warning" | "failed";
  readonly detail: string;
  readonly advice?: string;
}

export interface DoctorOptions {
  readonly context: CommandContext;
  readonly api: ApiClient;
  readonly clock: Clock;
  readonly askHome: (
    config: Config & { HEARTHLINE_HA_URL: string; HEARTHLINE_HA_TOKEN: string },
  ) => Promise<HomeAssistantFacts>;
  /** Connects to the MQTT broker and leaves. @throws HearthlineError as `MessageBroker.connect` does */
  readonly askBroker: (url: string) => Promise<void>;
  /** Sends the old pipeline no event and gives the status of its answer. @throws HearthlineError `service_timeout`, `service_unreachable` */
  readonly askOldPipeline: (config: Config, url: string) => Promise<number>;
  /** The text by which the test event is known again. */
  readonly newId: () => string;
  /** How long the test event may take through every hop. Default 90,000 ms: a flush of a minute and more. */
  readonly patienceMs?: number;
}

export const ok = (check: string, detail: string): Finding => ({ check, result: "ok", detail });
export const failed = (check: string, detail: string, advice: string): Finding => ({
  check,
  result: "failed",
  detail,
  advice,
});
export const warning = (check: string, detail: string, advice: string): Finding => ({
  check,
  result: "warning",
  detail,
  advice,
});
