import type { Command } from "commander";
import { type ApiClient, refusal } from "./api-client.ts";
import { CommandFailure } from "./outcome.ts";

export const MIGRATIONS = "/api/v1/migrations";

export interface CheckAnswer {
  readonly name: string;
  readonly verdict: "pass" | "fail" | "inconclusive";
  readonly observed: number | null;
  readonly low?: number;
  readonly high?: number;
  readonly limit: number | null;
  readonly sample_size: number;
  readonly explanation: string;
  readonly is_alert?: boolean;
}

/** A migration, as far as the command shows it. */
export interface MigrationAnswer {
  readonly id: string;
  readonly home_id: string;
  readonly state: string;
  readonly stage_percent: number;
  readonly stages: readonly number[];
  readonly authority: string;
  readonly epoch: number;
  readonly since: string;
  readonly last_step_at?: string;
  readonly verdict: "pass" | "fail" | "inconclusive";
  readonly situation: string;
  readonly checks: readonly CheckAnswer[];
  /** Gates that a person has opened, and `start`. */
  readonly opened: readonly string[];
  readonly readers: Readonly<Record<string, string>>;
}

export type Counts = Readonly<
  Record<"missing_in_new" | "missing_in_old" | "different" | "late" | "known_limit", number>
>;

export interface MetricsAnswer {
  readonly sinks: readonly {
    readonly name: string;
    readonly lag_seconds: number | null;
    readonly lag_records?: number;
    readonly lost_events: number | null;
    readonly complete_up_to?: number;
    readonly last_sequence?: number;
    readonly missing?: number;
    readonly breaker?: string;
    readonly is_off?: boolean;
  }[];
  readonly differences: Counts & { readonly open: number; readonly repaired: number };
}

export const hasEnded = ({ state }: Pick<MigrationAnswer, "state">): boolean =>
  state === "complete" || state === "rolled_back";

export const addIdOption = (command: Command): Command =>
  command.option("--id <migration>", "which; default: the newest of the home");

/** The named one, or the newest. @throws CommandFailure 1 when there is none */
export async function findMigration(api: ApiClient, id: string | undefined): Promise<MigrationAnswer> {
  if (id !== undefined) return api.get<MigrationAnswer>(`${MIGRATIONS}/${encodeURIComponent(id)}`);
  const newest = await newestMigration(api);
  if (newest) return newest;
  throw new CommandFailure(1, "This home has no migration. Make one with: hearthline migrate plan --from influxdb URL");
}

/** undefined: the home has none. */
async function newestMigration(api: ApiClient): Promise<MigrationAnswer | undefined> {
  const { migrations } = await api.get<{ migrations: MigrationAnswer[] }>(MIGRATIONS, { limit: 1 });
  return migrations[0];
}

/** Beside other things that were asked for: undefined also when it cannot be read, or an older server knows of none. */
export async function migrationUnderWay(api: ApiClient): Promise<MigrationAnswer | undefined> {
  try {
    const newest = await newestMigration(api);
    return newest && !hasEnded(newest) ? newest : undefined;
  } catch {
    return undefined;
  }
}

/** Changes it as of the epoch that was seen. @throws CommandFailure 1 when somebody was first, with what he did */
export async function changeMigration(
  api: ApiClient,
  { id, epoch }: Pick<MigrationAnswer, "id" | "epoch">,
  { what, body }: { readonly what: string; readonly body: object },
): Promise<MigrationAnswer> {
  const path = `${MIGRATIONS}/${encodeURIComponent(id)}/${what}`;
  const answer = await api.ask<MigrationAnswer>("POST", path, { body, ifMatch: `"${epoch}"` });
  if (answer.status === 200) return answer.body;
  throw refusal(`POST ${path}`, answer.status, answer.body);
}
