import { createMemoryAbilityStore, createMemoryUtilisationStore } from "../../../lib/adapters/memory/utilisation.ts";
import { abilityStoreConformance, utilisationStoreConformance } from "../../conformance/utilisation-store.ts";

utilisationStoreConformance(async () => createMemoryUtilisationStore());
abilityStoreConformance(async () => createMemoryAbilityStore());
