import { SECRET_STATE } from "../event/index.ts";

/**
 * What never leaves the home (design, "Secrets stay home"). An attribute is left out, at any depth, when its name is on one of these lists;
 * a text that carries a secret is replaced by "[secret]". The lists are public so that an owner can read what is kept back.
 */

/** Attributes whose name, in lower case, is one of these: rotating picture tokens, places on earth, keys of locks. */
export const STRIPPED_NAMES: readonly string[] = [
  "entity_picture",
  "entity_picture_local",
  "still_image_url",
  "stream_source",
  "video_url",
  "frontend_stream_type",
  "authorization",
  "auth",
  "cookie",
  "pin",
  "pin_code",
  "user_code",
  "code",
  "lat",
  "lon",
  "lng",
  "long",
  "location",
  "coordinates",
  "altitude",
  "thoroughfare",
  "sub_thoroughfare",
  "postal_code",
  "postcode",
  "street",
  "street_number",
  "address",
  "formatted_address",
  "bssid",
  "ssid",
];

/** Attributes whose name contains one of these, in lower case with blanks and hyphens as underscores. */
export const STRIPPED_PARTS: readonly string[] = [
  "token",
  "password",
  "passwd",
  "passphrase",
  "secret",
  "credential",
  "api_key",
  "apikey",
  "private_key",
  "encryption_key",
  "network_key",
  "wifi_key",
  "latitude",
  "longitude",
  "gps",
  "geocode",
];

/**
 * Texts that carry a secret wherever they stand: a user and password in an address, a JSON web token, an authorization header (with a digit, which
 * "Basic Misunderstandings" has not). Narrow on purpose: a state that is taken for a secret is lost.
 */
export const STRIPPED_TEXTS: readonly RegExp[] = [
  /:\/\/[^/\s:@]*:[^/\s@]+@/,
  /\beyJ[\w-]{8,512}\.[\w-]{8}/,
  /\bbearer\s(?=[a-z+/._~-]{0,512}\d)[\w+/.=~-]{20}/i,
  /\bbasic\s(?=[a-z+/]{0,512}\d)[a-z\d+/]{16}/i,
];

/** A parameter of an address that is a secret; what is shorter than any token ("?key=3") is none, but a password may be short. */
const SECRET_PARAMETER =
  /[?&#;](?:(?:access_?|auth_?|api_?)?(?:token|key|secret)=[^\s&]{8}|(?:authsig|sig|signature)=[^\s&]{8}|(?:password|pwd)=[^\s&])/gi;
/** No address is longer before its parameters. */
const ADDRESS_MAX_CHARACTERS = 2_048;
/** What every secret text holds: most texts are done with here. */
const SUSPICIOUS = /[=@]|eyJ|bearer|basic/i;

const NAMES: ReadonlySet<string> = new Set(STRIPPED_NAMES);
const PARTS = new RegExp(STRIPPED_PARTS.join("|"));

/** How often something was kept back, so that it is never done in silence. */
export interface SecretCount {
  /** Attributes left out for their name. */
  stripped: number;
  /** Texts, states among them, in whose place `[secret]` stands. */
  redacted: number;
}

export const noSecrets = (): SecretCount => ({ stripped: 0, redacted: 0 });

const TEXT_ENTITY = /^(input_)?text\./;

/** The state, or SECRET_STATE. What is no string stays what it is. */
export function withoutSecretState(
  {
    entityId,
    state,
    attributes,
  }: { readonly entityId: unknown; readonly state: unknown; readonly attributes: unknown },
  count: SecretCount,
): unknown {
  const isPassword =
    (attributes as { mode?: unknown } | null | undefined)?.mode === "password" && TEXT_ENTITY.test(String(entityId));
  if (!isPassword && !(typeof state === "string" && isSecretText(state))) return state;
  count.redacted += 1;
  return SECRET_STATE;
}

/** Names repeat endlessly: what was decided is kept, for this many names (an attacker's names must not fill the memory). */
const DECIDED_MAX = 10_000;
const decided = new Map<string, boolean>();

function isSecretName(name: string): boolean {
  const known = decided.get(name);
  if (known !== undefined) return known;
  const plain = name
    .trim()
    .replaceAll(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .replaceAll(/[\s-]+/g, "_");
  const isSecret = NAMES.has(plain) || PARTS.test(plain) || isSecretText(name);
  if (decided.size >= DECIDED_MAX) decided.clear();
  decided.set(name, isSecret);
  return isSecret;
}

/** No attribute of an integration nests deeper; a deeper one is no data but an attack on the reader. */
const DEPTH_MAX = 64;
/** A longer text is not looked through: what holds it is given up whole, or set aside later for its length. */
const TEXT_MAX_CHARACTERS = 65_536;

// The shortest text that a pattern can match is longer; most states and units are shorter.
function isSecretText(text: string): boolean {
  if (text.length <= 6 || !SUSPICIOUS.test(text)) return false;
  const head = text.slice(0, TEXT_MAX_CHARACTERS);
  return STRIPPED_TEXTS.some((pattern) => pattern.test(head)) || hasSecretParameter(head);
}

/** A parameter counts only in an address: after a slash, with no blank between. */
function hasSecretParameter(text: string): boolean {
  for (const { index } of text.matchAll(SECRET_PARAMETER)) {
    const before = text.slice(Math.max(0, index - ADDRESS_MAX_CHARACTERS), index);
    if (/\/\S*$/.test(before.slice(before.lastIndexOf(" ") + 1))) return true;
  }
  return false;
}

/**
 * The same value without secrets: members whose name says so are left out, texts that carry one are replaced by SECRET_STATE. Never changes what it is given.
 * @throws RangeError when it nests deeper than 64 or holds a text of more than 65,536 characters
 */
export function withoutSecrets(value: unknown, count: SecretCount, depth = 0): unknown {
  if (depth > DEPTH_MAX) throw new RangeError(`The value nests deeper than ${DEPTH_MAX}.`);
  if (typeof value === "string") {
    if (value.length > TEXT_MAX_CHARACTERS) throw new RangeError(`A text is longer than ${TEXT_MAX_CHARACTERS}.`);
    if (!isSecretText(value)) return value;
    count.redacted += 1;
    return SECRET_STATE;
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, count, depth + 1));
  // A plain object, because JSON.stringify takes twice as long for one without a prototype.
  const kept: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    if (isSecretName(name)) {
      count.stripped += 1;
      continue;
    }
    const member = withoutSecrets((value as Record<string, unknown>)[name], count, depth + 1);
    if (name === "__proto__") Object.defineProperty(kept, name, { value: member, enumerable: true });
    else kept[name] = member;
  }
  return kept;
}
