import { createHomeAssistant } from "../../lib/adapters/homeassistant/client.ts";
import { systemClock } from "../../lib/base/clock.ts";
import type { ExpectedChange } from "./home-assistant.ts";

export interface RestHome {
  /** @throws Error for an answer of 400 or above */
  rest(method: string, path: string, body?: unknown): Promise<void>;
  /** A state that is new, the same again (no event), with another attribute, another state, and gone. */
  changeStates(): Promise<readonly ExpectedChange[]>;
  /** Gives an area another name. */
  renameArea(): Promise<void>;
}

/** Makes things happen in a home by the ways that Home Assistant gives to anybody: REST, and the commands of its pages. */
export function restHome(url: string, token: string): RestHome {
  let count = 0;

  const rest: RestHome["rest"] = async (method, path, body) => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const said = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${said}`);
  };

  return {
    rest,
    changeStates: async () => {
      const entityId = `sensor.contract_${++count}`;
      const path = `/api/states/${entityId}`;
      const inUnit = (state: string, unit: string) => ({ state, attributes: { unit_of_measurement: unit } });
      await rest("POST", path, inUnit("1", "W"));
      await rest("POST", path, inUnit("1", "W"));
      await rest("POST", path, inUnit("1", "kW"));
      await rest("POST", path, inUnit("2", "kW"));
      await rest("DELETE", path);
      return ["1", "1", "2", null].map((state) => ({ entityId, state }));
    },
    renameArea: async () => {
      const session = await createHomeAssistant({ url, token, clock: systemClock }).connect();
      const [area] = await session.getRegistry("areas");
      const name = `Area ${++count}`;
      await session.command({ type: "config/area_registry/update", area_id: area?.area_id, name });
      await session.close();
    },
  };
}
