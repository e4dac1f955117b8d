import { createMemoryLedger } from "../../../lib/adapters/memory/ledger.ts";
import { systemClock } from "../../../lib/base/clock.ts";
import { ledgerConformance } from "../../conformance/ledger.ts";

ledgerConformance(async () => {
  const ledger = createMemoryLedger(systemClock);
  return { ledger, reopen: async () => ledger };
});
