/**
 * What the outbox may publish. Whoever holds a token could otherwise switch every lock in the house by one message to `zigbee2mqtt/front_door/set`,
 * or delete and replace another program's devices by their discovery topics. So there are two doors only:
 * - below `hearthline/`, which is ours;
 * - discovery messages of Home Assistant for devices and entities whose ids all begin with `hearthline`, in the topic and in the payload, and which name topics
 *   below `hearthline/` only.
 * The API asks this, and the relay asks again: it does not trust the cloud with the house.
 */

const OWN = "hearthline/";
/** Where a home's relay says whether what Hearthline shows in Home Assistant can be relied on: `online` or `offline`. */
export const availabilityTopic = (homeId: string): string => `${OWN}${homeId}/availability`;
/** `<prefix>/<component>/[<node id>/]<object id>/config`, `homeassistant` being Home Assistant's default prefix. Source: its documentation of MQTT discovery; read 2026-09. */
const DISCOVERY = /^homeassistant\/[a-z_]+\/(?:(hearthline[\w-]*)\/[\w-]+|(hearthline[\w-]*))\/config$/;
/**
 * MQTT 5.0, 4.7.3: topic names hold no wildcards and no U+0000; 1.5.4: a broker may end the connection at control characters and at code points that are none
 * (mosquitto does), and half of a surrogate pair is no text. One such item would end every session again and again.
 */
const NOT_IN_A_TOPIC = /[+#]|\p{Cc}|\p{Cs}|\p{Noncharacter_Code_Point}/u;
/** Deeper than this no discovery message is. */
const DEPTH_MAX = 16;

/** Why this must not be published; undefined: it may. */
export function topicProblem(topic: string, payload: string): string | undefined {
  if (NOT_IN_A_TOPIC.test(topic) || topic.includes("//") || topic.endsWith("/"))
    return `the topic "${shown(topic)}" is no name to publish to; wanted is one without wildcards, control characters, what is no character and empty levels`;
  if (topic.startsWith(OWN)) return undefined;
  if (DISCOVERY.test(topic)) return payload === "" ? undefined : discoveryProblem(payload);
  return `the topic "${shown(topic)}" is not the outbox's; wanted is "hearthline/..." or "homeassistant/<component>/hearthline.../config"`;
}

const shown = (topic: string): string => topic.slice(0, 80).replaceAll(/[\p{Cc}\p{Cs}]/gu, "?");

function discoveryProblem(payload: string): string | undefined {
  let config: unknown;
  try {
    config = JSON.parse(payload);
  } catch {
    return "the payload of a discovery topic is not JSON; wanted is an object, or nothing to remove the device";
  }
  if (typeof config !== "object" || config === null || Array.isArray(config))
    return "the payload of a discovery topic is no object; wanted is an object, or nothing to remove the device";
  return foreignTopic(config, "", 0) ?? foreignId(config);
}

/**
 * Members that say which entity or device is meant. With another's id a retained message takes that one's place at a start of Home Assistant (whichever of two
 * entities with one unique id comes first stays), or renames its device: a lock in the house would then be ours. Names, long and abbreviated, of core 2024.12 to
 * 2026.11, components/mqtt/abbreviations.py; read 2026-09.
 */
const ID_MEMBERS: ReadonlySet<string> = new Set([
  ...["unique_id", "uniq_id", "identifiers", "ids"],
  ...["default_entity_id", "def_ent_id", "object_id", "obj_id"],
]);
/** A device is also known by its addresses; ours has none. */
const CONNECTION_MEMBERS: ReadonlySet<string> = new Set(["connections", "cns"]);
const OWN_ID = /^([a-z_]+\.)?hearthline/;

/** Called after `foreignTopic`, which has looked at the depth. */
function foreignId(config: object): string | undefined {
  for (const [name, value] of Object.entries(config)) {
    const isForeign = ID_MEMBERS.has(name)
      ? ![value].flat().every((id) => typeof id === "string" && OWN_ID.test(id))
      : CONNECTION_MEMBERS.has(name);
    if (isForeign)
      return `the discovery message names "${shown(String(value))}" as "${name}"; wanted are ids that begin with "hearthline", and no connections`;
    const found = typeof value === "object" && value !== null ? foreignId(value) : undefined;
    if (found) return found;
  }
  return undefined;
}

/** Home Assistant's names of members that hold a topic, long and abbreviated: `command_topic`, `cmd_t`, `topic`, `t`. `~` is the base that a `~` in them stands for. */
const isTopicMember = (name: string): boolean => name === "~" || name === "t" || /(^|_)topic$|_t$/.test(name);

function foreignTopic(config: object, outerBase: string, depth: number): string | undefined {
  if (depth > DEPTH_MAX) return `the discovery message is nested deeper than ${DEPTH_MAX} levels`;
  const own = "~" in config ? config["~"] : undefined;
  const base = typeof own === "string" ? own : outerBase;
  for (const [name, value] of Object.entries(config)) {
    if (typeof value === "object" && value !== null) {
      const found = foreignTopic(value, base, depth + 1);
      if (found) return found;
    } else if (isTopicMember(name) && typeof value === "string") {
      const topic = resolved(name, value, base);
      if (NOT_IN_A_TOPIC.test(topic) || !`${topic}/`.startsWith(OWN))
        return `the discovery message names the topic "${shown(topic)}" as "${name}"; wanted are topics below "hearthline/"`;
    }
  }
  return undefined;
}

/** Home Assistant puts the base in at the beginning or the end of a topic. Source: core 2026.11.0 components/mqtt/discovery.py; read 2026-09. */
function resolved(name: string, value: string, base: string): string {
  if (name === "~") return value;
  const begun = value.startsWith("~") ? base + value.slice(1) : value;
  return begun.endsWith("~") ? begun.slice(0, -1) + base : begun;
}
