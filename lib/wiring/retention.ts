import type { Retention } from "../analysis/index.ts";
import type { Config } from "./config.ts";

/** How long each layer is kept, by the settings. */
export const retentionOf = (config: Config): Retention => ({
  rawDays: config.HEARTHLINE_RAW_DAYS,
  dailyDays: config.HEARTHLINE_DAILY_DAYS,
  weeklyWeeks: config.HEARTHLINE_WEEKLY_WEEKS,
});
