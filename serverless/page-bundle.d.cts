/** @throws esbuild's BuildFailure */
export function bundlePage(): Promise<string>;
export function bundlePageSync(): string;
