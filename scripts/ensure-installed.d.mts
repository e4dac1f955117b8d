export function reasonToInstall(root: string): string | undefined;
export function nodeProblem(root: string, version?: string): string | undefined;
export function ensureInstalled(root: string): number;
