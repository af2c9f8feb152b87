import type { Express } from 'express';

/** The part of express' router layers that is looked at. */
type Layer = {
  readonly match?: (path: string) => boolean;
  readonly route?: { readonly methods?: Readonly<Record<string, boolean>> };
};

/** The methods (upper case, sorted) of the routes that stand at a path; none when no route does. */
export function findAllowedMethods(app: Express, path: string): readonly string[] {
  const methods = new Set<string>();
  const layers = app.router.stack as unknown as readonly Layer[];
  for (const layer of layers) {
    const named = layer.route?.methods;
    if (named === undefined || !matches(layer, path)) continue;
    for (const method of Object.keys(named)) methods.add(method.toUpperCase());
    if (methods.has('GET')) methods.add('HEAD');
  }
  methods.delete('_ALL');
  return [...methods].sort();
}

function matches(layer: Layer, path: string): boolean {
  try {
    return layer.match?.(path) ?? false;
  } catch {
    // A path that can't be decoded is at no route.
    return false;
  }
}
