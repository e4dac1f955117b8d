export * from "./envelope.ts";
export * from "./event.ts";
export * from "./loss.ts";
export * from "./pack.ts";
export * from "./record.ts";
export * from "./wire.ts";
