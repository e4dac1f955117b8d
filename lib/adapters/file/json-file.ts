import { readFile } from "node:fs/promises";
import { HearthlineError, messageOf } from "../../base/errors.ts";
import { writeWhole } from "./write-whole.ts";

/** One value of JSON in a file: there whole, or as it was. */
export interface JsonFile {
  /** undefined: there is no file. @throws HearthlineError `data_folder_unusable` */
  read(): Promise<unknown>;
  /** Durable when it resolves. @throws HearthlineError `data_folder_unusable` */
  write(value: unknown): Promise<void>;
}

export function createJsonFile(path: string): JsonFile {
  const failed = (what: string, thrown: unknown) =>
    new HearthlineError("data_folder_unusable", `Tried to ${what} "${path}": ${messageOf(thrown)}`, { cause: thrown });
  return {
    async read() {
      try {
        return JSON.parse(await readFile(path, "utf8"));
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw failed("read", thrown);
      }
    },
    async write(value) {
      try {
        await writeWhole(path, Buffer.from(`${JSON.stringify(value)}\n`));
      } catch (thrown) {
        throw failed("write", thrown);
      }
    },
  };
}
