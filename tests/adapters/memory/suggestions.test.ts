import { createMemorySuggestionStore } from "../../../lib/adapters/memory/suggestions.ts";
import { suggestionStoreConformance } from "../../conformance/suggestion-store.ts";

let number = 0;
suggestionStoreConformance(async () => ({ store: createMemorySuggestionStore(), homeId: () => `home-${++number}` }));
