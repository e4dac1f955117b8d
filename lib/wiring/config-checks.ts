import { isIP } from "node:net";
import * as z from "zod";

/** A whole number from `min` to `max`. */
export const count = (name: string, min: number, max: number, fallback: number) =>
  z.coerce
    .number({ error: `${name}: wanted is a whole number from ${min} to ${max}` })
    .int(`wanted is a whole number from ${min} to ${max}`)
    .min(min, `wanted is ${min} or more`)
    .max(max, `wanted is ${max} or less`)
    .default(fallback);

/** A secret that goes into a header as it is. One that does not fit there would be quoted by the platform's own error, and so be read in logs. */
export const headerSecret = z
  .string()
  .trim()
  .min(1)
  .regex(/^[ -~]+$/, "wanted is one line of plain letters, digits and signs")
  .optional();

/** An IANA time zone. */
export const isTimeZone = (name: string): boolean => {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
};

/** An address, or a network such as 192.168.1.0/24. */
export const isNetwork = (text: string): boolean => {
  const [address = "", bits, ...rest] = text.split("/");
  const version = isIP(address);
  const isMask = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
  return version !== 0 && isMask && rest.length === 0;
};

/**
 * As the relay reads it: user and password, each by itself, must be decodable, and nothing may follow the port. A "#", "/" or "?" in a password that is not written as
 * %23 and so on ends the address there: its first half would be taken for the host and its port, and be named in every message about the broker.
 */
export const isMqttUrl = (text: string): boolean => {
  try {
    const { protocol, hostname, username, password, pathname, search, hash } = new URL(text);
    for (const part of [username, password]) decodeURIComponent(part);
    const isWhole = /^\/?$/.test(pathname) && search === "" && hash === "";
    return ["mqtt:", "mqtts:"].includes(protocol) && hostname !== "" && isWhole;
  } catch {
    return false;
  }
};

/** A folder, or s3://bucket/prefix. */
export const isParquetUrl = (text: string): boolean =>
  text.startsWith("s3://")
    ? /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[^\0]*)?$/.test(text)
    : !/^[a-z0-9+.-]+:\/\//i.test(text) && text !== "";

/** `http:///user:password@host` has one too, and `http://host?a=b@c` has none. */
export function hasUser(text: string): boolean {
  if (!URL.canParse(text)) return /^[^:]*:\/\/[^/]*@/.test(text);
  const { username, password } = new URL(text);
  return username !== "" || password !== "";
}

/** Words with commas between. */
export const list = z
  .string()
  .transform((text) =>
    text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== ""),
  )
  .default([]);

const CONFLICT_RULE =
  "(?:(?:name|manufacturer|model|sw_version|area|labels):)?(?:new-wins|old-wins|merge|newest-wins|ask)";
/** As lib/devices/conflicts.ts reads them: named here too, so that the relay does not carry that room with it (a test holds the two together). */
export const CONFLICT_RULES = new RegExp(`^ *${CONFLICT_RULE} *(?:, *${CONFLICT_RULE} *)*$`);
