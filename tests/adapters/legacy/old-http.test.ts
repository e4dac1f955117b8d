import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createOldSystem } from "../../../lib/adapters/legacy/old-system.ts";
import { systemClock } from "../../../lib/base/clock.ts";
import { planSchema } from "../../../lib/migration/plan.ts";
import { startLegacy } from "../../../local/legacy/server.ts";
import { describeOldSystem } from "../../conformance/old-system.ts";

/** Without its ends, and deaf to `order`. */
const reticent: typeof fetch = async (input, init) => {
  const url = new URL(String(input));
  url.searchParams.delete("order");
  const answer = await fetch(url, init);
  return url.pathname === "/health" ? Response.json({ status: "ok" }) : answer;
};

for (const [name, asking] of [
  ["the HTTP pipeline of local/legacy", fetch],
  ["an HTTP pipeline that knows no order and says little of itself", reticent],
] as const)
  describeOldSystem(name, async () => {
    const data = mkdtempSync(join(tmpdir(), "hearthline-legacy-"));
    const legacy = await startLegacy({ port: 0, data, seed: 1, token: "secret", clock: systemClock });
    const { old } = planSchema.parse({ old: { kind: "http", url: legacy.url } });
    return {
      old: createOldSystem(old, { token: "secret" }, { clock: systemClock, fetch: asking }),
      empty: async () => {
        const body = JSON.stringify({ newest_lost: { rows: 1_000_000 } });
        await fetch(`${legacy.url}/faults`, { method: "PUT", body });
      },
      dispose: async () => {
        await legacy.stop();
        rmSync(data, { recursive: true });
      },
    };
  });
