// The bundler packages; offline, Node runs the handlers as they are written, and loading it would cost a fifth of the start and 160 MB.
const STACK = "./local/stack/plugin.mjs";
const isOffline = process.argv.slice(2).find((argument) => !argument.startsWith("-")) === "offline";

module.exports = isOffline ? [STACK, "serverless-offline"] : [STACK, "serverless-esbuild", "serverless-offline"];
