import { parseIsoUs } from "../../base/time.ts";
import { isImport } from "../../ingest/index.ts";
import type { Ledger, LedgerRow } from "../../ingest/ports.ts";
import type { LossAccount, LossFacts, LossSpan } from "./classify.ts";

/** A minute and the time that an envelope takes: of what came later than the last envelope nothing is known. */
export interface LedgerFactsOptions {
  readonly ledger: Ledger;
  /** How far OLD's writer is behind, in seconds: the lag of the relay's second sink, or how old OLD's newest row is while NEW has later ones. undefined: it is not behind, or nobody knows. */
  readonly oldLagSeconds?: (homeId: string) => Promise<number | undefined>;
  readonly nowUs: () => number;
}

/** What the cloud's ledger can say of losses. Times are those of relays; a loss without a time makes the whole account uncertain. */
export function createLedgerFacts({ ledger, oldLagSeconds, nowUs }: LedgerFactsOptions): LossFacts {
  /** Imports begin and end; they are no relay that should have heard something. */
  const relaysOf = async (homeId: string): Promise<readonly LedgerRow[]> =>
    (await ledger.rows(homeId)).filter(({ relayId }) => !isImport(relayId));
  return {
    settledUs: async (homeId) => {
      const sent = (await relaysOf(homeId)).flatMap((row) => {
        if (row.lastSentAt === undefined) return [];
        // What is missing below the newest number may be as old as the hole.
        const untilUs = row.gapSince === undefined ? row.lastSentAt : earlier(row.lastSentAt, row.gapSince);
        return [parseIsoUs(untilUs)];
      });
      const lag = await oldLagSeconds?.(homeId);
      return {
        ...(sent.length > 0 && { new: Math.max(...sent) }),
        ...(lag !== undefined && { old: nowUs() - lag * 1e6 }),
      };
    },
    account: async (homeId) => accountOf(await relaysOf(homeId)),
  };
}

const earlier = (a: string, b: string): string => (parseIsoUs(a) < parseIsoUs(b) ? a : b);

function accountOf(rows: readonly LedgerRow[]): LossAccount {
  const spans = rows.flatMap(({ notes }) =>
    notes.interruptions.recent.flatMap((gap): LossSpan[] =>
      gap.complete
        ? []
        : [
            {
              by: "relay",
              fromUs: parseIsoUs(gap.from),
              toUs: parseIsoUs(gap.to) + 1,
              reason: `${gap.cause}, incomplete`,
            },
          ],
    ),
  );
  const isWhole = rows.every(
    ({ lost, ranges, notes }) => lost.length === 0 && ranges.length <= 1 && notes.unnumberedLost.totals.events === 0,
  );
  const first = rows.flatMap(({ firstAt }) => (firstAt === undefined ? [] : [parseIsoUs(firstAt)]));
  return { spans, ...(isWhole && first.length > 0 && { wholeFromUs: Math.min(...first) }) };
}
