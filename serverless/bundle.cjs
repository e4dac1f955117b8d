const { gzipSync } = require("node:zlib");
const { bundlePageSync } = require("./page-bundle.cjs");

// Offline nothing is packaged: Node runs the handlers as they are written (serverless/plugins.cjs), and the stack makes the page's client itself.
const isOffline = process.argv.slice(2).find((argument) => !argument.startsWith("-")) === "offline";

// Packed and as base64: the framework takes what stands between "${" and "}" for a variable of its own, and a script is full of them.
const page = () => JSON.stringify(gzipSync(bundlePageSync(), { level: 9 }).toString("base64"));

// What esbuild writes into each function: the one event store of this deployment, so that the others and their libraries stay out of the bundle,
// and the page's client, which only the API's function has a place for.
module.exports = () => ({
  "process.env.HEARTHLINE_STACK_BUNDLED_STORE": JSON.stringify(process.env.HEARTHLINE_STORE || "sqlite"),
  ...(!isOffline && { "process.env.HEARTHLINE_STACK_BUNDLED_PAGE": page() }),
});
