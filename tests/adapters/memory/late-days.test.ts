import { createMemoryLateDays } from "../../../lib/adapters/memory/late-days.ts";
import { lateDaysConformance } from "../../conformance/late-days.ts";

lateDaysConformance(async () => createMemoryLateDays());
