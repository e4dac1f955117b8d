import type { Command } from "commander";
import { table } from "./output.ts";
import { allPages } from "./pages.ts";
import type { Tools } from "./tools.ts";

interface Item {
  readonly id: string;
  readonly kind: string;
  readonly status: string;
  readonly topic?: string;
  readonly created_at: string;
  readonly delivered_at?: string;
  readonly error?: string;
}

/** `outbox list` */
export function addOutboxCommands(program: Command, tools: Tools): void {
  const outbox = program.command("outbox").description("what the home's relay is asked to do");
  outbox
    .command("list")
    .description("what waits, and what has become of the rest")
    .option("--status <status>", "only those that are pending, delivered, failed or expired")
    .action(async ({ status }: { status?: string }) => {
      const { api, output } = tools();
      const items = await allPages<Item, "items">(api, "/api/v1/outbox", "items", { status });
      const rows = items.map((item) => [
        item.id,
        item.kind,
        item.status,
        item.created_at,
        item.delivered_at,
        item.topic,
        item.error,
      ]);
      output.data({ items }, () =>
        table(["ITEM", "KIND", "STATUS", "ASKED", "DELIVERED", "TOPIC", "ERROR"], rows, "the outbox is empty"),
      );
    });
}
