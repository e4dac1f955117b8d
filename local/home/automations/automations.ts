import { createHash } from "node:crypto";
import type { Attributes } from "../house/attributes.ts";
import type { HomeCore } from "../live/home-core.ts";
import { isAllowed, newestConfig, type RawAutomation, type Rows } from "./config.ts";
import { actOn, watchTriggers } from "./run.ts";
import type { Automations, AutomationsFile } from "./types.ts";

interface Loaded {
  readonly entityId: string;
  readonly config: Rows;
  readonly stop: () => void;
}

export function createAutomations(core: HomeCore, known: AutomationsFile): Automations {
  const file = new Map<string, RawAutomation>(Object.entries(known));
  const loaded = new Map<string, Loaded>();
  const byEntity = (entityId: string) => [...loaded].find(([, one]) => one.entityId === entityId)?.[0];

  const show = (id: string, state: string, more: Attributes = {}, context = core.newContext()) => {
    const one = loaded.get(id);
    if (!one) return;
    const before = core.states.get(one.entityId)?.attributes;
    const attributes = {
      ...{ id, last_triggered: before?.last_triggered ?? null, mode: one.config.mode, current: 0 },
      ...more,
      friendly_name: one.config.alias,
    };
    core.states.set({ entityId: one.entityId, state, attributes, at: core.now(), context });
    core.sent.flush();
  };

  function run(id: string): void {
    const one = loaded.get(id);
    if (!one || core.phase !== "RUNNING") return;
    const context = core.newContext();
    core.bus.fire({
      type: "automation_triggered",
      at: core.now(),
      context,
      data: () => JSON.stringify({ name: one.config.alias, entity_id: one.entityId, source: "trigger" }),
    });
    const triggeredAt = { last_triggered: core.flavour.isoOf(core.now()) };
    show(id, core.states.get(one.entityId)?.state ?? "on", triggeredAt, context);
    actOn(core, one.config.actions, context);
  }

  function load(id: string, raw: RawAutomation): void {
    loaded.get(id)?.stop();
    const config = newestConfig(raw);
    const entityId = entityOf(core, id, String(config.alias));
    const isOn = () => core.states.get(entityId)?.state === "on";
    loaded.set(id, { entityId, config, stop: watchTriggers(core, config, () => isOn() && run(id)) });
    show(id, "on");
  }

  return {
    get: (id) => file.get(id),
    write(id, config) {
      const problem = isAllowed(config, core.flavour.version);
      if (problem) throw new Error(problem);
      file.set(id, { id, ...config });
      register(core, id, String(config.alias));
      load(id, config);
      core.bus.fire({ type: "automation_reloaded", at: core.now(), context: core.newContext(), data: () => "{}" });
      core.save();
    },
    remove(id) {
      const one = loaded.get(id);
      if (!file.delete(id) || !one) return false;
      one.stop();
      loaded.delete(id);
      core.states.remove(one.entityId, core.now(), core.newContext());
      core.registries.remove("entity", one.entityId);
      tellRegistry(core, "remove", one.entityId);
      core.sent.flush();
      core.save();
      return true;
    },
    load: () => {
      for (const [id, config] of file) load(id, config);
    },
    call(verb, entityId) {
      const id = byEntity(entityId);
      if (id === undefined) return false;
      const isOn = core.states.get(entityId)?.state === "on";
      if (verb === "trigger") run(id);
      else show(id, verb === "turn_on" || (verb === "toggle" && !isOn) ? "on" : "off");
      return true;
    },
    file: () => Object.fromEntries(file),
  };
}

const rowOf = (core: HomeCore, id: string) => core.registries.list("entity").find((row) => row.unique_id === id);

/** The entity id comes from the alias when the automation is first written, and stays. */
function entityOf(core: HomeCore, id: string, alias: string): string {
  const known = rowOf(core, id);
  if (known) return String(known.entity_id);
  const slug =
    alias
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "_")
      .replaceAll(/^_+|_+$/g, "") || "automation";
  for (let number = 1; ; number++) {
    const entityId = `automation.${slug}${number > 1 ? `_${number}` : ""}`;
    if (!core.states.get(entityId) && !core.registries.get("entity", entityId)) return entityId;
  }
}

function register(core: HomeCore, id: string, alias: string): void {
  if (rowOf(core, id)) return;
  const entityId = entityOf(core, id, alias);
  const at = core.now();
  const empty = { area_id: null, categories: {}, config_entry_id: null, config_subentry_id: null, device_id: null };
  const none = { disabled_by: null, entity_category: null, hidden_by: null, icon: null, labels: [], name: null };
  core.registries.create("entity", {
    ...empty,
    ...none,
    created_at: at,
    entity_id: entityId,
    has_entity_name: false,
    id: createHash("md5").update(id).digest("hex"),
    modified_at: at,
    next_name_part: null,
    options: {},
    original_name: alias,
    platform: "automation",
    translation_key: null,
    unique_id: id,
  });
  tellRegistry(core, "create", entityId);
}

function tellRegistry(core: HomeCore, action: "create" | "remove", entityId: string): void {
  core.bus.fire({
    type: "entity_registry_updated",
    at: core.now(),
    context: core.newContext(),
    data: () => JSON.stringify({ action, entity_id: entityId }),
  });
}
