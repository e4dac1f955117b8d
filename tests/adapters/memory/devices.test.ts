import { createMemoryConflictStore } from "../../../lib/adapters/memory/conflicts.ts";
import { createMemoryDeviceIndex } from "../../../lib/adapters/memory/device-index.ts";
import { createMemoryHealthMemory } from "../../../lib/adapters/memory/health-memory.ts";
import { createMemoryHomeDirectory } from "../../../lib/adapters/memory/homes.ts";
import { createMemoryJobStore } from "../../../lib/adapters/memory/jobs.ts";
import { createMemoryRateStore } from "../../../lib/adapters/memory/rates.ts";
import { createMemoryTokenStore } from "../../../lib/adapters/memory/tokens.ts";
import { conflictStoreConformance } from "../../conformance/conflict-store.ts";
import { deviceIndexConformance } from "../../conformance/device-index.ts";
import { healthMemoryConformance } from "../../conformance/health-memory.ts";
import { homeDirectoryConformance } from "../../conformance/home-directory.ts";
import { jobStoreConformance } from "../../conformance/job-store.ts";
import { rateStoreConformance } from "../../conformance/rate-store.ts";
import { tokenStoreConformance } from "../../conformance/token-store.ts";

let number = 0;
const homeId = () => `home-${++number}`;
deviceIndexConformance(async (nowMs) => ({ index: createMemoryDeviceIndex(nowMs && { nowMs }), homeId }));
conflictStoreConformance(async () => ({ conflicts: createMemoryConflictStore(), homeId }));
homeDirectoryConformance(async () => {
  const homes = createMemoryHomeDirectory();
  return { homes, keys: homes.keys };
});
tokenStoreConformance(async (clock) => createMemoryTokenStore(clock));
rateStoreConformance(async () => createMemoryRateStore());
jobStoreConformance(async () => createMemoryJobStore());
healthMemoryConformance(async () => createMemoryHealthMemory());
