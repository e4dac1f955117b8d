export * from "./envelope.ts";
export * from "./event.ts";
export * from "./loss.ts";
export * from "./outbox.ts";
export { topicProblem } from "./outbox-topic.ts";
export * from "./pack.ts";
export * from "./record.ts";
export * from "./refused.ts";
export * from "./wire.ts";
