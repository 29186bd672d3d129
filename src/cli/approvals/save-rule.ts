/**
 * "Always" for later runs: writes a rule that allows exactly one call into the user's or the project's config. The rest
 * of the file, with its comments, stays as it is.
 */
import { readFileSync } from "node:fs";
import { type Document, isMap, isSeq, parseDocument, type YAMLSeq } from "yaml";
import { readDocument } from "../../config/document.ts";
import { type ConfigPlace, loadConfig, writtenConfigPath } from "../../config/load.ts";
import { stateDir, trustConfig } from "../../config/trust.ts";
import { DeputyError } from "../../errors.ts";
import { withoutKeyLikes } from "../../secret.ts";
import { commandInLine } from "../../text/spelled-text.ts";
import { matchesStars } from "../../text/star-pattern.ts";
import { writeConfig } from "../config/write-config.ts";

export type SavedCall = { toolName: string; target: string };
export type RulePlace = "user" | "project";

export type RuleSaver = {
  /** The rule in one line, with hidden characters escaped. */
  shown(call: SavedCall): string;
  /**
   * @returns the path of the changed config
   * @throws DeputyError with the reason why the rule cannot be saved there; nothing is changed then
   */
  save(call: SavedCall, where: RulePlace): string;
};

export function createRuleSaver(place: ConfigPlace): RuleSaver {
  return {
    shown: ({ toolName, target }) => `{ tool: ${toolName}, match: ${commandInLine(target)}, then: allow }`,
    save(call, where) {
      checkRule(call);
      const path = pathFor(where, place);
      const text = textAt(path);
      const changed = withRule(text, call);
      const read = readDocument(path, changed);
      if ("errors" in read) throw refused(read.errors.join("; "));
      writeConfig(path, changed);
      // It was trusted until now, and the user has seen the rule that was added.
      if (where === "project") trustConfig(path, stateDir(place.env));
      return path;
    },
  };
}

function checkRule({ target }: SavedCall): void {
  if (target.trim() === "") throw refused("a rule without a command or path would allow every call of the tool");
  if (target.includes("*")) throw refused("the call contains *, which matches anything in a rule");
  if (withoutKeyLikes(target) !== target) throw refused("the call contains what may be a key");
}

/** `permissions` of a project replace those of the user: no file may silence the other's rules. */
function pathFor(where: RulePlace, place: ConfigPlace): string {
  const { config, files, sourceOf } = loadConfig(place);
  const project = files.find(({ kind }) => kind === "project");
  const isProjects = project !== undefined && sourceOf(["permissions"]).startsWith(project.path);
  if (where === "user") {
    if (isProjects) throw refused(`the rules of ${project.path} replace yours here. Save it in the project's config`);
    return writtenConfigPath(place);
  }
  if (project === undefined) throw refused("there is no .deputy/config.yaml here or above");
  if (!project.trusted)
    throw refused(`${project.path} is not trusted, so it may not set permissions. See: deputy config trust`);
  if (config.permissions.length > 0 && !isProjects)
    throw refused(`rules in ${project.path} would replace yours here. Save it in your own config`);
  return project.path;
}

function textAt(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw refused(`${path} cannot be read`);
  }
}

function withRule(text: string, call: SavedCall): string {
  const document = parseDocument(text);
  const rule = document.createNode({ tool: call.toolName, match: call.target, then: "allow" }, { flow: true });
  const rules = document.get("permissions");
  if (isSeq(rules)) rules.items.splice(positionIn(rules, call), 0, rule);
  else setRules(document, rule);
  return document.toString({ lineWidth: 0 });
}

function setRules(document: Document.Parsed, rule: unknown): void {
  document.set("permissions", document.createNode([rule]));
}

/** Before the first rule that asks for this tool: the first rule that matches decides. */
function positionIn(rules: YAMLSeq, { toolName }: SavedCall): number {
  const asking = rules.items.findIndex(
    (rule) => isMap(rule) && rule.get("then") === "ask" && matchesStars(String(rule.get("tool")), toolName),
  );
  return asking < 0 ? rules.items.length : asking;
}

function refused(reason: string): DeputyError {
  return new DeputyError("usage", `The rule was not saved: ${reason}.`);
}
