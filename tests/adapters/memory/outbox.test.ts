import { createMemoryOutboxStore } from "../../../lib/adapters/memory/outbox.ts";
import { outboxConformance } from "../../conformance/outbox.ts";

outboxConformance(async (clock) => createMemoryOutboxStore(clock));
