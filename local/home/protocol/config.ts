import type { HomeCore } from "../live/home-core.ts";
import { LATITUDE, LONGITUDE } from "../people/sun.ts";

/** The zone that the simulated home lives in: that of the peers' real Home Assistants. */
export const TIME_ZONE = "Europe/Amsterdam";

const INTEGRATIONS = [
  "api",
  "auth",
  "config",
  "frontend",
  "group",
  "history",
  "homeassistant",
  "http",
  "logbook",
  "recorder",
  "system_health",
  "websocket_api",
];

/** What `get_config` and `/api/config` answer. */
export function configOf(core: HomeCore): Record<string, unknown> {
  const domains = [...new Set(core.house.entities.flatMap((one) => [one.domain, one.platform]))].filter(
    (one) => one !== "",
  );
  const folders = ["/config/www", "/media"];
  const isNewest = core.flavour.hasChildDevices;
  return {
    allowlist_external_dirs: folders,
    allowlist_external_urls: [],
    components: [...new Set([...INTEGRATIONS, ...domains])],
    config_dir: "/config",
    config_source: "storage",
    country: "NL",
    currency: "EUR",
    ...(core.flavour.hasLastReported && { debug: false }),
    elevation: 2,
    external_url: null,
    internal_url: null,
    language: "en",
    latitude: LATITUDE,
    location_name: "Simulated home",
    ...(isNewest && { logging: { log_file_disabled_reason: null } }),
    longitude: LONGITUDE,
    ...(core.flavour.hasLastReported && { radius: 100 }),
    recovery_mode: false,
    safe_mode: false,
    state: core.phase === "STOPPED" ? "NOT_RUNNING" : core.phase,
    time_zone: TIME_ZONE,
    unit_system: {
      length: "km",
      accumulated_precipitation: "mm",
      ...(core.flavour.hasLastReported && { area: "m²" }),
      mass: "g",
      pressure: "Pa",
      temperature: "°C",
      volume: "L",
      wind_speed: "m/s",
    },
    version: core.flavour.version,
    whitelist_external_dirs: folders,
  };
}
