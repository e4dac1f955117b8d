import { createTimestreamEventStore } from "../../../lib/adapters/timestream/event-store.ts";
import { systemClock } from "../../../lib/base/clock.ts";
import { eventStoreConformance } from "../../conformance/event-store.ts";
import { share } from "../../support/depth.ts";
import { SOME_TIME_US } from "../../support/events.ts";
import { startSmallTimestream } from "../../support/small-timestream.ts";

const DAY_US = 86_400_000_000;
const NOW_US = SOME_TIME_US + 20 * DAY_US;
const clock = { ...systemClock, nowMs: () => NOW_US / 1000, sleep: async () => {} };
// The store's own limits: its retention, and 15 minutes ahead.
const traits = {
  limits: { minUs: NOW_US - 89 * DAY_US, maxUs: NOW_US + 14 * 60_000_000 },
  ...{ isTransactional: false, isPruned: false },
};

// What nobody says: whether a measure that a new version leaves out keeps its old value. Both must do.
for (const forgets of [false, true]) {
  const title = `timestream, on our own emulation that ${forgets ? "forgets" : "keeps"} measures left out`;
  eventStoreConformance(
    title,
    async () => {
      const small = await startSmallTimestream({ clock, forgets });
      const open = () =>
        createTimestreamEventStore({
          ...{ writes: small.client("timestream-write", clock), queries: small.client("timestream-query", clock) },
          ...{ database: "hearthline", clock },
        });
      const store = open();
      await store.setUp({ rawDays: 90 });
      return {
        store,
        reopen: async () => open(),
        breakNext: (choice) => small.breakWrites(choice % 3, choice % 2 === 0),
        dispose: () => small.close(),
      };
    },
    // An emulation that is slow: the one more volume, the other what differs.
    { ...traits, share: share(forgets ? 0.05 : 0.1) },
  );
}
