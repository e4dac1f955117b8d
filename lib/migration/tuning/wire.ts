import type { WireMigrationTuning } from "../../api/ports.ts";
import { formatIsoUs } from "../../base/time.ts";
import { type Tuning, tuningSchema } from "./memory.ts";

/** What tuning remembers, as the API shows it; nothing before its first look. */
export function wireTuning(id: string, memory: unknown): WireMigrationTuning {
  const { trial, outcomes, proposals } = tuningSchema.safeParse(memory).data ?? { outcomes: [], proposals: [] };
  return {
    id,
    proposals: proposals.map(({ isRefuted, ...one }) => ({ ...one, is_refuted: isRefuted === true })),
    trial: trial ? wireTrial(trial) : null,
    outcomes: outcomes.map(({ setting, from, to, isKept, reason, atUs }) => ({
      ...{ setting, from, to, reason },
      is_kept: isKept,
      at: formatIsoUs(atUs),
    })),
  };
}

const wireTrial = ({ setting, from, to, phase, metric, before, during, untilUs }: NonNullable<Tuning["trial"]>) => ({
  ...{ setting, from, to, phase, metric },
  samples_before: before.map((sample) => sample.metric),
  samples_during: during.map((sample) => sample.metric),
  until: formatIsoUs(untilUs),
});
