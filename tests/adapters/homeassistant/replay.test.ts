import { homeAssistantContract } from "../../contract/home-assistant.ts";
import { framesOf, RECORDED_VERSIONS, startReplay } from "./replay.ts";

for (const version of RECORDED_VERSIONS)
  homeAssistantContract(
    `Home Assistant ${version}, as recorded`,
    {
      filled: ["areas", "devices", "entities"],
      changesAreas: framesOf(version, "26-registry-changes").length > 0,
      patienceMs: 60_000,
    },
    () => startReplay(version),
  );
