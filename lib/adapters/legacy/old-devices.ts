import type { OldDevice, OldDevices } from "../../migration/ports.ts";
import { askOld, isObject, jsonOf, malformed, refuseFailure, said } from "./old-ask.ts";
import { deviceOf, rowOf } from "./old-device-row.ts";
import { createSqliteDevices } from "./old-devices-sqlite.ts";
import type { OldOptions, OldSecrets } from "./old-options.ts";

const TIMEOUT_MS = 30_000;

/**
 * The list of devices that a plan names: an address (`http(s)://.../api/devices`) or the path of a SQLite file with a table `devices`. Nothing is asked of it before a method is called.
 * @throws (from `put` of a list that cannot be written at all) HearthlineError `service_refused`
 */
export function createOldDevices(where: string, secrets: OldSecrets, options: Omit<OldOptions, "clock">): OldDevices {
  return /^https?:\/\//.test(where)
    ? createHttpDevices(where, secrets, options)
    : createSqliteDevices(where, options.timeoutMs);
}

function createHttpDevices(where: string, { token }: OldSecrets, options: Omit<OldOptions, "clock">): OldDevices {
  const url = new URL(where);
  const asking = {
    fetch: options.fetch ?? fetch,
    headers: { accept: "application/json", ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
  };
  return {
    name: where,
    async list() {
      const answer = await askOld(url, {}, asking);
      refuseFailure(answer);
      const json = jsonOf(answer);
      const rows = isObject(json) ? json.devices : json;
      if (!Array.isArray(rows)) throw malformed(answer.what, `no list of devices: ${said(answer.text)}`);
      return rows.map((row, index) => deviceOf(row, `${answer.what}, the ${index + 1}. device`));
    },
    async put(devices) {
      if (devices.length === 0) return { refused: [] };
      const body = JSON.stringify(devices.map(rowOf));
      let answer = await askOld(url, { method: "PUT", body }, asking);
      // Some lists know one of the two only.
      if (answer.status === 404 || answer.status === 405) answer = await askOld(url, { method: "POST", body }, asking);
      refuseFailure(answer);
      return { refused: answer.text.trim() === "" ? [] : rejectedOf(jsonOf(answer), devices) };
    },
  };
}

/** As the events' answer has them: `rejected: [{index, code, detail?}]`. */
function rejectedOf(json: unknown, devices: readonly OldDevice[]) {
  const rejected = isObject(json) && Array.isArray(json.rejected) ? (json.rejected as readonly unknown[]) : [];
  return rejected.flatMap((one) => {
    const { index, code, detail } = isObject(one) ? one : {};
    const device = typeof index === "number" ? devices[index] : undefined;
    const reason = [code, detail].filter((part) => typeof part === "string").join(": ");
    return device ? [{ id: device.id, reason: reason || "the list has rejected it" }] : [];
  });
}
