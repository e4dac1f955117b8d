import { hash } from "node:crypto";
import type { Conflict } from "../../devices/index.ts";
import { OLD_LIST } from "./plan.ts";
import type { SyncPorts } from "./run.ts";

/** What the store has of conflicts with OLD's list that are not over, by id. */
export async function readKnown(
  homeId: string,
  { conflicts, clock }: Pick<SyncPorts, "conflicts" | "clock">,
): Promise<ReadonlyMap<string, Conflict>> {
  const known = new Map<string, Conflict>();
  for (let after: string | undefined; ; ) {
    const more = after === undefined ? {} : { after };
    const page = await conflicts.list(homeId, { limit: 1_000, nowMs: clock.nowMs(), ...more });
    for (const one of page.conflicts) if (one.oldSource === OLD_LIST && one.status !== "over") known.set(one.id, one);
    after = page.next;
    if (after === undefined) return known;
  }
}

/** What of the store's conflicts decides what OLD gets. */
export const digestOf = (conflicts: readonly Conflict[]): string =>
  hash(
    "sha256",
    JSON.stringify(
      conflicts
        .map(({ id, status, chosen, settledBy }) => [id, status, chosen ?? null, settledBy ?? null])
        .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
    ),
    "base64url",
  ).slice(0, 12);
