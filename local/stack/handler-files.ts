import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** `functions/enrich.handler` taken apart; the file is absolute and ends with `.ts` or what `extension` says. */
export function handlerFile(
  serviceFolder: string,
  handler: string,
  extension: string,
): { file: string; exported: string } {
  const dot = handler.lastIndexOf(".");
  return { file: `${resolve(serviceFolder, handler.slice(0, dot))}${extension}`, exported: handler.slice(dot + 1) };
}

/**
 * serverless-offline finds handlers by `.js`, `.mjs` and `.cjs`, and would put a compiler in front of `.ts`. A file of one line that only points on
 * lets Node load the TypeScript itself. Gives the handler to put in its place, relative to the service's folder.
 */
export function pointTo(options: {
  serviceFolder: string;
  folder: string;
  name: string;
  file: string;
  exported: string;
}): string {
  const { serviceFolder, folder, name, file, exported } = options;
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, `${name}.mjs`),
    `export { ${exported} } from ${JSON.stringify(pathToFileURL(file).href)};\n`,
  );
  return `${relative(serviceFolder, join(folder, name))}.${exported}`;
}
