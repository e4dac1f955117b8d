import type { IncomingMessage, ServerResponse } from "node:http";
import { messageOf } from "../../../lib/base/errors.ts";
import { HA_STATE_MAX_CHARACTERS } from "../../../lib/limits.ts";
import type { HomeCore } from "../live/home-core.ts";
import { stateJson } from "../live/states.ts";
import { CommandError } from "./answers.ts";
import { statesJson } from "./commands.ts";
import { configOf } from "./config.ts";
import { callService, SERVICES } from "./services.ts";

const ENTITY_ID = /^(?!.+__)(?!_)[\da-z_]+(?<!_)\.(?!_)[\da-z_]+(?<!_)$/;
const BODY_MAX_BYTES = 16_777_216;

export function answer(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(body);
}

const say = (response: ServerResponse, status: number, message: string) =>
  answer(response, status, JSON.stringify({ message }));

/** The whole body as text; undefined when it is larger than Home Assistant takes. */
export async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_MAX_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

export function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

const MANIFEST = JSON.stringify({
  background_color: "#FFFFFF",
  description: "Home automation platform that puts local control and privacy first.",
  dir: "ltr",
  display: "standalone",
  icons: [],
  id: "/?homescreen=1",
  lang: "en-US",
  name: "Home Assistant",
  short_name: "Home Assistant",
  start_url: "/?homescreen=1",
  theme_color: "#03A9F4",
});

/** Home Assistant's HTTP routes. */
export async function serveRest(core: HomeCore, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = new URL(request.url ?? "/", "http://home").pathname;
  if (path === "/manifest.json")
    return answer(response, 200, MANIFEST, { "content-type": "application/manifest+json" });
  if (!path.startsWith("/api"))
    return answer(response, 404, "404: Not Found", { "content-type": "text/plain; charset=utf-8" });
  if (core.isAuthRefused || request.headers.authorization !== `Bearer ${core.token}`)
    return answer(response, 401, "401: Unauthorized", { "content-type": "text/plain; charset=utf-8" });
  const isGet = request.method === "GET";
  if (path === "/api/" && isGet) return say(response, 200, "API running.");
  if (path === "/api/config" && isGet) return answer(response, 200, JSON.stringify(configOf(core)));
  if (path === "/api/states" && isGet) return answer(response, 200, statesJson(core));
  if (path === "/api/services" && isGet)
    return answer(
      response,
      200,
      JSON.stringify(Object.entries(SERVICES).map(([domain, services]) => ({ domain, services }))),
    );
  const state = /^\/api\/states\/(.+)$/.exec(path)?.[1];
  if (state !== undefined) return serveState(core, decodeURIComponent(state), { request, response });
  const automation = /^\/api\/config\/automation\/config\/([^/]+)$/.exec(path)?.[1];
  if (automation !== undefined) return serveAutomation(core, decodeURIComponent(automation), { request, response });
  const service = /^\/api\/services\/([^/]+)\/([^/]+)$/.exec(path);
  if (service && request.method === "POST")
    return serveService(core, { domain: service[1] ?? "", service: service[2] ?? "" }, { request, response });
  answer(response, 404, "404: Not Found", { "content-type": "text/plain; charset=utf-8" });
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

async function serveState(core: HomeCore, entityId: string, { request, response }: Exchange): Promise<void> {
  const known = core.states.get(entityId);
  if (request.method === "GET")
    return known ? answer(response, 200, stateJson(known, core.flavour)) : say(response, 404, "Entity not found.");
  if (request.method === "DELETE") {
    core.emitter?.catchUp();
    const isGone = core.states.remove(entityId, core.now(), core.newContext(core.house.userId));
    core.sent.flush();
    return isGone ? say(response, 200, "Entity removed.") : say(response, 404, "Entity not found.");
  }
  if (request.method !== "POST")
    return answer(response, 405, "405: Method Not Allowed", { "content-type": "text/plain; charset=utf-8" });
  const text = await bodyOf(request);
  const body = text === undefined ? undefined : parseObject(text);
  if (!ENTITY_ID.test(entityId)) return say(response, 400, "Invalid entity ID specified.");
  if (!body) return say(response, 400, "Invalid JSON specified.");
  if (body.state === undefined || body.state === null) return say(response, 400, "No state specified.");
  const state = String(body.state);
  if ([...state].length > HA_STATE_MAX_CHARACTERS) return say(response, 400, "Invalid state specified.");
  core.emitter?.catchUp();
  const attributes =
    typeof body.attributes === "object" && body.attributes !== null ? (body.attributes as Record<string, unknown>) : {};
  const record = core.states.set({
    entityId,
    state,
    attributes,
    at: core.now(),
    context: core.newContext(core.house.userId),
    isForced: body.force_update === true,
  });
  core.sent.flush();
  answer(response, known ? 200 : 201, stateJson(record, core.flavour), { location: `/api/states/${entityId}` });
}

/** The API of the editor of automations, for an administrator. */
async function serveAutomation(core: HomeCore, id: string, { request, response }: Exchange): Promise<void> {
  const { automations } = core;
  if (request.method === "GET") {
    const known = automations.get(id);
    return known ? answer(response, 200, JSON.stringify(known)) : say(response, 404, "Resource not found");
  }
  if (request.method === "DELETE")
    return automations.remove(id) ? answer(response, 200, '{"result":"ok"}') : say(response, 400, "Resource not found");
  if (request.method !== "POST")
    return answer(response, 405, "405: Method Not Allowed", { "content-type": "text/plain; charset=utf-8" });
  const config = parseObject((await bodyOf(request)) ?? "");
  if (!config) return say(response, 400, "Invalid JSON specified");
  core.emitter?.catchUp();
  try {
    automations.write(id, config);
  } catch (thrown) {
    return say(response, 400, messageOf(thrown));
  }
  answer(response, 200, '{"result":"ok"}');
}

async function serveService(
  core: HomeCore,
  call: { domain: string; service: string },
  { request, response }: Exchange,
): Promise<void> {
  const text = (await bodyOf(request)) ?? "";
  const data = text === "" ? {} : parseObject(text);
  if (!data) return say(response, 400, "Data should be valid JSON.");
  try {
    const context = callService(core, { ...call, message: { service_data: data } });
    const changed = [...core.states.all()].filter((record) => record.context === context);
    answer(response, 200, `[${changed.map((record) => stateJson(record, core.flavour)).join(",")}]`);
  } catch (thrown) {
    if (!(thrown instanceof CommandError)) throw thrown;
    say(response, 400, thrown.message);
  }
}
