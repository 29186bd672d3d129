/**
 * Whether the model a response names is the one that was asked for. It is what the provider reports, no more.
 * Rules from the providers' documented naming: dated ids, gateway prefixes and variants of one model are the same.
 */

const DATE = /[-@](?:\d{8}|\d{4}-\d{2}-\d{2}|latest)$/;
const VARIANT = /:(?:free|thinking|fast|extended|nitro|floor|online|latest)$/;

export function isSameModel(requested: string, served: string): boolean {
  return bareName(requested) === bareName(served);
}

/** `vendor/Model-2025-08-07:free` → `model` */
function bareName(model: string): string {
  const name = model.toLowerCase().trim();
  return name
    .slice(name.lastIndexOf("/") + 1)
    .replace(VARIANT, "")
    .replace(DATE, "");
}
