// Who may import whom. Data flows down this list; imports point up it (ARCHITECTURE.md has the picture).
// Each rule is proved by a planted violation: tests/house/import-rules.test.ts.
const ROOMS = [
  "relay",
  "history",
  "ingest",
  "devices",
  "enrich",
  "store",
  "analysis",
  "suggestions",
  "publish",
  "api",
  "web",
];

const error = (name, comment, from, to) => ({ name, comment, severity: "error", from, to });
const any = ROOMS.join("|");

module.exports = {
  forbidden: [
    error("no-cycles", "A cycle has no direction, so it has no story.", {}, { circular: true }),
    error(
      "base-knows-nothing",
      "lib/base and lib/limits.ts import nothing of ours.",
      { path: "^lib/(base/|limits\\.ts)" },
      { path: "^(functions|local|tests|scripts|bench|lib/(?!base/))" },
    ),
    error(
      "event-knows-only-base",
      "lib/event may import lib/base and lib/limits.ts.",
      { path: "^lib/event/" },
      { path: "^(functions|local|tests|scripts|bench|lib/(?!event/|base/|limits\\.ts))" },
    ),
    error(
      "series-knows-only-event",
      "lib/series may import lib/base, lib/event and lib/limits.ts.",
      { path: "^lib/series/" },
      { path: "^(functions|local|tests|scripts|bench|lib/(?!series/|event/|base/|limits\\.ts))" },
    ),
    // A room may look back along the event's way, never ahead.
    ...ROOMS.slice(0, -1).map((room, index) =>
      error(
        `${room}-never-looks-ahead`,
        "Data flows on; imports point back.",
        { path: `^lib/${room}/` },
        { path: `^lib/(${ROOMS.slice(index + 1).join("|")})/` },
      ),
    ),
    error(
      "rooms-enter-by-the-door",
      "Import another room's index.ts or ports.ts, not its inside.",
      { path: `^lib/(${any})/` },
      { path: `^lib/(${any})/`, pathNot: ["^lib/$1/", "^lib/[^/]+/(index|ports)\\.ts$"] },
    ),
    error(
      "rooms-know-no-outside",
      "Rooms see ports, never adapters, wiring or entry points.",
      { path: `^lib/(${any})/` },
      { path: "^(functions|local|tests|scripts|bench|lib/(adapters|wiring))/" },
    ),
    error(
      "backup-wraps-ports",
      "lib/backup stands beside the rooms: it sees base, event, series, limits and the ports of rooms.",
      { path: "^lib/backup/" },
      {
        path: "^(functions|local|tests|scripts|bench|lib)/",
        pathNot: ["^lib/(base|event|series|backup)/", "^lib/limits\\.ts$", `^lib/(${any})/ports\\.ts$`],
      },
    ),
    error(
      "backup-is-known-to-wiring-alone",
      "No room knows that there are backups; adapters know their port.",
      { path: "^lib/", pathNot: "^lib/(wiring|backup|adapters)/" },
      { path: "^lib/backup/" },
    ),
    error(
      "migration-wraps-ports",
      "lib/migration stands beside the rooms: it sees base, event, series, limits and the doors and ports of rooms.",
      { path: "^lib/migration/" },
      {
        path: "^(functions|local|tests|scripts|bench|lib)/",
        pathNot: ["^lib/(base|event|series|migration)/", "^lib/limits\\.ts$", `^lib/(${any})/(ports|index)\\.ts$`],
      },
    ),
    error(
      "migration-is-known-to-wiring-alone",
      "No room knows that there are migrations; adapters know their port.",
      { path: "^lib/", pathNot: "^lib/(wiring|migration|adapters)/" },
      { path: "^lib/migration/" },
    ),
    error(
      "adapters-see-ports-only",
      "An adapter sees base, event, series, limits, its own folder, ports.ts and keys.ts.",
      { path: "^lib/adapters/([^/]+)/" },
      {
        path: "^(functions|local|tests|scripts|bench|lib)/",
        // adapters/aws is the signed transport that the adapters of AWS's services share; influxql.ts is the language of everything that speaks to InfluxDB, and an old
        // InfluxDB's past is read as an import reads it.
        pathNot: [
          "^lib/(base|event|series)/",
          "^lib/limits\\.ts$",
          "^lib/adapters/$1/",
          "^lib/adapters/aws/",
          "^lib/adapters/influxdb/influxql\\.ts$",
          "^lib/adapters/influxdb-reader/source\\.ts$",
          "/(ports|keys)\\.ts$",
        ],
      },
    ),
    error(
      "outside-only-in-adapters",
      "Sockets, disks and other processes are reached through a port.",
      { path: "^(lib|functions)/", pathNot: "^lib/(adapters|wiring)/" },
      {
        path: "node_modules/(@aws-sdk|@smithy|aws4fetch|mqtt|ws|home-assistant-js-websocket)|^(node:)?(fs|net|tls|http|https|child_process|sqlite|fs/promises)$",
      },
    ),
    error(
      "no-aws-sdk-at-run-time",
      "The SDK is 440 KB of every bundle; its types cost nothing (DECISIONS.md).",
      { path: "^(lib|functions|local)/" },
      { path: "node_modules/@aws-sdk/client-", dependencyTypesNot: ["type-only"] },
    ),
    error(
      "house-stays-out-of-the-cloud",
      "The clients of what stands in the house are for the relay; no function's bundle carries them.",
      { path: "^functions/" },
      { path: "^lib/adapters/(homeassistant|mqtt)/", reachable: true },
    ),
    error(
      "handlers-see-wiring-only",
      "A handler translates AWS's event and calls wiring.",
      { path: "^functions/" },
      { path: "^(lib/(?!wiring/)|local/|tests/|scripts/|functions/)" },
    ),
    error(
      "relay-sees-wiring-only",
      "What runs in the house calls wiring, like any other entry point.",
      { path: "^local/relay\\.ts$" },
      { path: "^(functions|tests|scripts|lib/(?!wiring/))" },
    ),
    error(
      "laptop-stays-outside",
      "The laptop starts handlers and wiring; it never reaches into a room.",
      { path: "^local/", pathNot: "^local/relay\\.ts$" },
      { path: "^(tests|lib)/", pathNot: ["^lib/(wiring|event|base|adapters/memory)/", "^lib/limits\\.ts$"] },
    ),
    error(
      "wiring-is-the-top",
      "Only entry points call wiring.",
      { path: "^lib/", pathNot: "^lib/wiring/" },
      { path: "^lib/wiring/" },
    ),
    error("nobody-imports-tests", "Tests are leaves.", { pathNot: "^(tests|bench)/" }, { path: "^tests/" }),
    error(
      "nobody-imports-quality",
      "The judge of the detectors is a leaf: nothing may know what it asks.",
      { pathNot: "^(tests|quality|bench)/" },
      { path: "^quality/" },
    ),
    error(
      "generator-knows-no-detector",
      "Homes are made without looking at who is to find something in them.",
      { path: "^local/home/" },
      { path: "^(quality|lib/(analysis|suggestions|wiring))/" },
    ),
    error(
      "page-client-is-bundled-alone",
      "The page's client runs in browsers: the bundler takes it from main.tsx, and no other code of ours imports it.",
      { path: "^(functions|local|lib)/", pathNot: "^lib/web/app/" },
      { path: "^lib/web/app/" },
    ),
    error(
      "page-client-stays-small",
      "A browser loads what it imports: clocks and words; of the other rooms it sees types.",
      { path: "^lib/web/app/" },
      {
        path: "^lib/|^node:|node_modules/(?!preact/)",
        pathNot: "^lib/(web/app/|web/age\\.ts$|base/zone\\.ts$)",
        dependencyTypesNot: ["type-only"],
      },
    ),
    error(
      "no-unreached-file",
      "Every lib file is reached from a handler or a program; one that nobody reaches is dead.",
      { path: "^(functions/[^/]+\\.ts|local/(relay|start|cli)\\.ts|lib/web/app/main\\.tsx)$" },
      {
        path: "^lib/",
        pathNot: ["^lib/adapters/memory/", "/ports\\.ts$", "^lib/web/app/main\\.tsx$"],
        reachable: false,
      },
    ),
    error(
      "no-unresolvable",
      "An import must lead somewhere.",
      {},
      { couldNotResolve: true, pathNot: ["^node:", "^aws-lambda$"] },
    ),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      extensions: [".ts", ".tsx", ".js", ".mjs", ".json"],
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node", "default"],
    },
  },
};
