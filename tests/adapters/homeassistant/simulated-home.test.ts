import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HA_VERSIONS, type HaVersion } from "../../../local/home/protocol/flavours.ts";
import { createSimulatedHome } from "../../../local/home/simulated-home.ts";
import { type ContractHome, homeAssistantContract } from "../../contract/home-assistant.ts";
import { restHome } from "../../contract/rest-home.ts";

async function startSimulatedHome(version: HaVersion): Promise<ContractHome> {
  const data = await mkdtemp(join(tmpdir(), "hearthline-simulated-home-"));
  // As busy as a large home, so that changes of its own come between those of the test.
  const options = { data, seed: 1, rate: 20, version, startMs: 300 } as const;
  let home = await createSimulatedHome(options);
  const { url, token, port } = home;
  const { changeStates, renameArea } = restHome(url, token);
  return {
    url,
    token,
    version,
    change: changeStates,
    changeAreas: renameArea,
    end: () => home.stop(),
    begin: async () => {
      home = await createSimulatedHome({ ...options, port });
    },
    stop: async () => {
      await home.stop();
      await rm(data, { recursive: true, force: true });
    },
  };
}

// The home of 2024 has no floors and no labels: a registry that is empty, or that its version does not know.
const ALWAYS = ["areas", "devices", "entities"] as const;

for (const version of HA_VERSIONS)
  homeAssistantContract(
    `the simulated home as ${version}`,
    {
      filled: version.startsWith("2024") ? ALWAYS : [...ALWAYS, "floors", "labels"],
      changesAreas: true,
      booleans: ["input_boolean.film_night", "input_boolean.vacation_mode"],
      patienceMs: 10_000,
    },
    () => startSimulatedHome(version),
  );
