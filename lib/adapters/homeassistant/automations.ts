import * as z from "zod";
import type { Clock } from "../../base/clock.ts";
import { HearthlineError, messageOf } from "../../base/errors.ts";
import { forVersion, isShade, openedCovers } from "../../event/index.ts";
import type { AutomationFile } from "../../relay/outbox/ports.ts";
import { socketAddress } from "./address.ts";

export interface HaAutomationsOptions {
  /** Any form that `socketAddress` reads. */
  readonly url: string;
  readonly token: string;
  readonly clock: Clock;
  /** Of one request. Default 15,000. */
  readonly timeoutMs?: number;
}

/** Until Home Assistant has loaded what was written; its own reload took 15 ms on every version tried. */
const LOOKS_MS = [100, 400, 1_500, 3_000] as const;

const configSchema = z.object({ version: z.string(), state: z.string().optional() }).loose();
const statesSchema = z.array(
  z.object({ entity_id: z.string(), state: z.string(), attributes: z.record(z.string(), z.unknown()) }).loose(),
);
type States = z.infer<typeof statesSchema>;

interface Answer {
  readonly status: number;
  readonly text: string;
}

/**
 * Automations by the API that Home Assistant's own editor uses; it wants an administrator's token. It says `ok` also where nothing loads the file that it writes, so what was written is looked for.
 * @throws HearthlineError `home_assistant_address_wrong`
 */
export function createHaAutomations({ url, token, clock, timeoutMs = 15_000 }: HaAutomationsOptions): AutomationFile {
  const base = apiAddress(url);
  const pathOf = (id: string) => `/config/automation/config/${id}`;

  async function ask(method: "GET" | "POST" | "DELETE", path: string, body?: unknown): Promise<Answer> {
    try {
      const answer = await fetch(`${base}${path}`, {
        method,
        headers: { authorization: `Bearer ${token.trim()}`, "content-type": "application/json" },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        redirect: "error",
        signal: AbortSignal.timeout(timeoutMs),
      });
      return { status: answer.status, text: await answer.text() };
    } catch (thrown) {
      const { cause } = thrown as { cause?: { code?: string } };
      throw new HearthlineError(
        "home_assistant_disconnected",
        `${method} ${path} of Home Assistant was not answered: ${cause?.code ?? messageOf(thrown)}.`,
        { cause: thrown },
      );
    }
  }

  async function read<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    const answer = await ask("GET", path);
    if (answer.status !== 200) throw refused("GET", path, answer);
    const parsed = schema.safeParse(jsonOf(answer.text));
    if (parsed.success) return parsed.data;
    throw new HearthlineError(
      "home_assistant_command_failed",
      `GET ${path} of Home Assistant was answered with ${answer.text.length} characters that are not what it says elsewhere.`,
    );
  }

  const states = () => read("/states", statesSchema);

  /** The entity of an automation, as soon as Home Assistant has it. */
  async function appeared(id: string, wanted: (found: States[number] | undefined) => boolean) {
    let found: States[number] | undefined;
    for (const waitMs of LOOKS_MS) {
      await clock.sleep(waitMs);
      found = entityOf(await states(), id);
      if (wanted(found)) break;
    }
    return found;
  }

  async function running(): Promise<string> {
    const { version, state = "RUNNING" } = await read("/config", configSchema);
    if (state === "RUNNING") return version;
    throw new HearthlineError(
      "home_assistant_not_ready",
      `Home Assistant is "${state}"; automations are written when it is RUNNING.`,
    );
  }

  return {
    async write(id, automation) {
      const version = await running();
      const covers = openedCovers(automation);
      if (covers.length > 0) refuseDoors(covers, await states());
      const answer = await ask("POST", pathOf(id), forVersion(automation, version));
      if (answer.status !== 200) throw refused("POST", pathOf(id), answer);
      const found = await appeared(id, (one) => one !== undefined && one.state !== "unavailable");
      if (found && found.state !== "unavailable") return;
      // It must not come to life some day, when nobody thinks of it any more.
      await ask("DELETE", pathOf(id)).catch(() => {});
      throw found ? invalid(id, found.entity_id) : notLoaded(id);
    },

    async remove(id) {
      await running();
      const answer = await ask("DELETE", pathOf(id));
      // 404: older ones say 400, "Resource not found".
      if (answer.status !== 200 && answer.status !== 404 && !/not found/i.test(answer.text))
        throw refused("DELETE", pathOf(id), answer);
      if (await appeared(id, (one) => one === undefined))
        throw new HearthlineError(
          "automation_refused",
          `Home Assistant still has the automation "${id}" after it was removed: it stands in a file that its editor does not write.`,
        );
    },
  };
}

/** `ws://host:8123/api/websocket` -> `http://host:8123/api`; the Supervisor's `.../core/websocket` -> `.../core/api`. */
function apiAddress(url: string): string {
  const address = socketAddress(url);
  address.protocol = address.protocol === "wss:" ? "https:" : "http:";
  const path = address.pathname.replace(/\/websocket$/, "");
  return `${address.origin}${path.endsWith("/api") ? path : `${path}/api`}`;
}

/** Home Assistant shows the id of an automation as an attribute of its entity. */
const entityOf = (all: States, id: string) =>
  all.find(({ entity_id, attributes }) => entity_id.startsWith("automation.") && attributes.id === id);

function refuseDoors(covers: readonly string[], all: States): void {
  for (const entityId of covers) {
    const deviceClass = all.find(({ entity_id }) => entity_id === entityId)?.attributes.device_class;
    const text = typeof deviceClass === "string" ? deviceClass : undefined;
    if (isShade(text)) continue;
    throw new HearthlineError(
      "automation_refused",
      `The automation would open "${entityId}", whose device class is "${text ?? "none"}"; only awnings, blinds, curtains, shades and shutters are opened.`,
    );
  }
}

const notLoaded = (id: string) =>
  new HearthlineError(
    "automation_not_loaded",
    `Home Assistant took the automation "${id}" and does not load it: configuration.yaml lacks the line "automation: !include automations.yaml". Add it, restart Home Assistant, and accept again.`,
  );

const invalid = (id: string, entityId: string) =>
  new HearthlineError(
    "automation_refused",
    `Home Assistant took the automation "${id}" and finds it not valid ("${entityId}" is unavailable; its log says why), so it was removed again.`,
  );

function refused(method: string, path: string, { status, text }: Answer): HearthlineError {
  const what = `${method} ${path} of Home Assistant was answered with ${status}`;
  if (status === 401 || status === 403)
    return new HearthlineError(
      "automation_refused",
      `${what}: wanted is a HEARTHLINE_HA_TOKEN of an administrator, because only they may write automations.`,
    );
  if (status === 404)
    return new HearthlineError(
      "automation_refused",
      `${what}: its editor is not there; wanted are "default_config:", or "config:" and "automation: !include automations.yaml", in configuration.yaml.`,
    );
  if (status >= 500 || status === 429) return new HearthlineError("home_assistant_command_failed", `${what}.`);
  const said = z.object({ message: z.string() }).safeParse(jsonOf(text)).data?.message ?? "";
  return new HearthlineError("automation_refused", `${what}: "${said.slice(0, 200)}".`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
