import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

type Row = Readonly<Record<string, unknown>>;

/** What is used of zigbee-herdsman-converters: its own types bring those of its drivers with them. */
interface Converters {
  readonly prepareDefinition: (definition: object) => {
    readonly model: string;
    readonly vendor: string;
    readonly description: string;
    readonly options?: readonly unknown[];
    readonly exposes: readonly unknown[] | ((device: object, options: object) => readonly unknown[]);
  };
}

const require = createRequire(import.meta.url);

/** Every definition of zigbee-herdsman-converters as a row of Zigbee2MQTT's `bridge/devices`. An address for each; `names` gives the device its name. */
export function* definitionRows(): Generator<Row> {
  const { prepareDefinition } = require("zigbee-herdsman-converters") as Converters;
  const folder = join(dirname(require.resolve("zigbee-herdsman-converters")), "devices");
  let number = 0;
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".js") && name !== "index.js")) {
    const { definitions = [] } = require(join(folder, file)) as { definitions?: readonly object[] };
    for (const definition of definitions) {
      const { model, vendor, description, options, exposes } = prepareDefinition(definition);
      const address = `0x${(++number).toString(16).padStart(16, "0")}`;
      yield {
        ieee_address: address,
        friendly_name: address,
        type: "Router",
        supported: true,
        disabled: false,
        interview_state: "SUCCESSFUL",
        // As it travels: JSON has no functions and no undefined.
        definition: JSON.parse(
          JSON.stringify({
            ...{ model, vendor, description, options },
            exposes: typeof exposes === "function" ? exposes({ isDummyDevice: true }, {}) : exposes,
          }),
        ) as unknown,
      };
    }
  }
}
