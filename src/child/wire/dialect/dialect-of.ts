/** The dialect of a route: what most endpoints do, overlaid by the rows of the table that match. */
import type { Route } from "../../../route.ts";
import type { Dialect, DialectMatch, DialectRow } from "./dialect.ts";
import { DIALECT_ROWS } from "./rows.ts";

/** What most endpoints do. */
export const USUAL_DIALECT: Dialect = {
  reasoningField: "as-received",
  reasoningPlaceholder: "none",
  unsignedThinking: true,
  missingSignature: "none",
  openReasoning: true,
  encryptedReasoning: true,
  sumHoldsReasoning: false,
  cacheBreakpoints: false,
  eagerToolInput: false,
  tokenLimitField: "max_tokens",
  userAfterTool: true,
  userAfterUser: true,
  blankText: true,
  toolCallIds: "any",
  toolSchema: "json-schema",
  editTool: "edit_file",
};

type DialectRoute = Pick<Route, "provider" | "model" | "endpoint">;

/** The rows that apply to a route, in the order of the table: where two of them speak of a field, the later one holds. */
export function rowsFor(route: DialectRoute): DialectRow[] {
  const { hostname } = new URL(route.endpoint.baseUrl);
  return DIALECT_ROWS.filter(({ matches }) => matches.some((match) => applies(match, route, hostname)));
}

export function dialectOf(route: DialectRoute): Dialect {
  const dialect = { ...USUAL_DIALECT };
  for (const { facts } of rowsFor(route))
    for (const [field, fact] of Object.entries(facts)) Object.assign(dialect, { [field]: fact.is });
  return dialect;
}

function applies({ providers, hosts, model, apiModes }: DialectMatch, route: DialectRoute, hostname: string): boolean {
  if (apiModes !== undefined && !apiModes.includes(route.endpoint.apiMode)) return false;
  if (model !== undefined && !model.test(bareId(route.model))) return false;
  if (providers === undefined && hosts === undefined) return true;
  const isHost = hosts?.some((host) => (host.startsWith(".") ? hostname.endsWith(host) : hostname === host));
  return isHost === true || providers?.includes(route.provider) === true;
}

/** `Vendor/Model-7B:free` → `model-7b:free`. */
function bareId(model: string): string {
  return model.slice(model.lastIndexOf("/") + 1).toLowerCase();
}
