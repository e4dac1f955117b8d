import * as z from "zod";
import { messageOf } from "../../base/errors.ts";
import type { Microseconds } from "../../base/time.ts";
import type { CheckResult, Migration } from "../ports.ts";
import { failed, passed, secondsText, undecided } from "./results.ts";

/** What a person watches NEW by, with the data that he gets; what he is told by, tried. */
export interface Monitoring {
  /** Of `GET /health` with the home's token; `figures`: when those that say how the home is were taken, each with how old it may be. @throws when nothing answers */
  health(homeId: string): Promise<{
    readonly status: string;
    readonly parts: number;
    readonly figures: readonly { readonly name: string; readonly atMs: number; readonly maxSeconds: number }[];
  }>;
  /** Of `GET /metrics` with the home's token: OpenMetrics. @throws as `health` */
  metrics(migration: Migration): Promise<string>;
  /**
   * Puts a message where alerts go that nobody is shown, and says what has become of it; the same attempt is made once, however often it is asked for. NOBODY_TOLD: there is nowhere to put it.
   * @throws `outbox_full`, fate-`retry` service errors
   */
  tryAlert(
    migration: Migration,
    attemptUs: Microseconds,
  ): Promise<{ readonly status: string; readonly error?: string }>;
}

const NAME = "final.monitoring";
/** A sample of OpenMetrics: a name, perhaps labels, a number. */
const SAMPLE = /^hearthline_[a-z0-9_]+(?:\{[^}]*\})? \S+/;
/** What was not taken by then is tried again: the relay may have been away. Longer than a relay's look at its outbox, by default. */
export const ALERT_AGAIN_US: Microseconds = 600_000_000;
/** A house without a broker is not told anything; its owner has chosen so, and watches the metrics. */
const NO_BROKER = "mqtt_not_set";

/** The relay has no outbox, or no broker, by its settings: the owner has chosen to be told nothing. */
export const NOBODY_TOLD = "nobody_told";

const memorySchema = z.object({ attemptUs: z.number(), deliveredUs: z.number().exactOptional() });
export type AlertMemory = z.infer<typeof memorySchema>;
export const readAlertMemory = (memory: unknown): AlertMemory | undefined => memorySchema.safeParse(memory).data;

export interface TriedMonitoring {
  readonly result: CheckResult;
  readonly memory: AlertMemory;
}

/** `final.monitoring`: figures can be read, are of this migration and of now, and an alert reaches the house. */
export async function tryMonitoring(
  monitoring: Monitoring,
  migration: Migration,
  { nowUs, before }: { readonly nowUs: Microseconds; readonly before: AlertMemory | undefined },
): Promise<TriedMonitoring> {
  const isNew = !before || before.attemptUs < migration.sinceUs || isOver(before, nowUs);
  const memory: AlertMemory = isNew ? { attemptUs: nowUs } : before;
  try {
    const [health, metrics, alert] = await Promise.all([
      monitoring.health(migration.homeId),
      monitoring.metrics(migration),
      monitoring.tryAlert(migration, memory.attemptUs),
    ]);
    const results = [figuresResult(health, nowUs), metricsResult(metrics, migration), alertResult(alert)];
    const worst =
      results.find(({ verdict }) => verdict === "fail") ?? results.find(({ verdict }) => verdict !== "pass");
    const all = results.map(({ explanation }) => explanation).join(" ");
    const sampleSize = results.reduce((sum, one) => sum + one.sampleSize, 0);
    const isDelivered = alert.status === "delivered" && memory.deliveredUs === undefined;
    return {
      result: worst ?? passed(NAME, all, { sampleSize }),
      memory: isDelivered ? { ...memory, deliveredUs: nowUs } : memory,
    };
  } catch (thrown) {
    return { result: undecided(NAME, `Health, metrics or the outbox cannot be asked: ${messageOf(thrown)}`), memory };
  }
}

/** One that has ended tells nothing of later on; one that nobody took is made again. */
const isOver = ({ attemptUs, deliveredUs }: AlertMemory, nowUs: Microseconds): boolean =>
  nowUs - (deliveredUs ?? attemptUs) > (deliveredUs === undefined ? ALERT_AGAIN_US : 6 * ALERT_AGAIN_US);

function figuresResult(
  { status, parts, figures }: Awaited<ReturnType<Monitoring["health"]>>,
  nowUs: Microseconds,
): CheckResult {
  const text = `Health says "${status}" of ${parts} parts.`;
  if (status === "down") return failed(NAME, text, { sampleSize: parts });
  if (parts === 0) return failed(NAME, `${text} Nobody can watch that.`);
  if (figures.length === 0)
    return failed(NAME, `${text} None of them says how this home is: no relay of it has reported.`, {
      sampleSize: parts,
    });
  const old = figures.find(({ atMs, maxSeconds }) => nowUs / 1000 - atMs > maxSeconds * 1000);
  if (old) {
    const ageSeconds = (nowUs / 1000 - old.atMs) / 1000;
    return undecided(
      NAME,
      `${text} The figures of "${old.name}" are ${secondsText(ageSeconds)} old, and at most ${secondsText(old.maxSeconds)} are fresh.`,
      { sampleSize: parts },
    );
  }
  return passed(NAME, `${text} The figures of ${figures.map(({ name }) => `"${name}"`).join(", ")} are fresh.`, {
    sampleSize: parts,
  });
}

function metricsResult(metrics: string, { id, state }: Migration): CheckResult {
  const lines = metrics.split("\n").filter((line) => SAMPLE.test(line));
  const sampleSize = lines.length;
  const what = `${sampleSize} metrics can be read`;
  if (sampleSize === 0) return failed(NAME, `${what}: nobody can watch that.`);
  if (!metrics.trimEnd().endsWith("# EOF"))
    return failed(NAME, `${what}, and their end is missing: nobody can watch that.`, { sampleSize });
  const isTold = lines.some(
    (line) =>
      line.startsWith("hearthline_migration_state{") &&
      line.includes(`migration="${id}"`) &&
      line.includes(`hearthline_migration_state="${state}"`) &&
      line.endsWith(" 1"),
  );
  if (!isTold)
    return failed(NAME, `${what}, and they do not say that this migration is in "${state}".`, { sampleSize });
  return passed(NAME, `${what}, and say where this migration is.`, { sampleSize });
}

function alertResult({ status, error = "" }: { readonly status: string; readonly error?: string }): CheckResult {
  if (status === "delivered") return passed(NAME, "An alert reached the house's broker.", { sampleSize: 1 });
  if (status === NOBODY_TOLD)
    return passed(
      NAME,
      "By the relay's settings no alert reaches the house (HEARTHLINE_URL, HEARTHLINE_TOKEN, HEARTHLINE_MQTT_URL): whoever wants to hear of something watches health and metrics.",
    );
  if (status === "pending") return undecided(NAME, "An alert waits in the outbox for the relay to take it.");
  if (status === "failed" && error.startsWith(NO_BROKER))
    return passed(NAME, "The relay took an alert; the house has no broker (HEARTHLINE_MQTT_URL) to be told by.", {
      sampleSize: 1,
    });
  const why = status === "expired" ? "the relay did not take it in time (HEARTHLINE_URL, HEARTHLINE_TOKEN)" : error;
  return failed(NAME, `An alert does not reach the house: ${why}. It is tried again.`);
}
