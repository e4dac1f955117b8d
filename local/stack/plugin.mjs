// The framework looks for a default export; all else is in TypeScript, which the pinned Node runs as it is.
export { HearthlineStack as default } from "./plugin.ts";
