/**
 * A conversation with its user: its run, the route of the next message, and its cost limit. All other state is in the
 * journal, so that another process can continue it.
 */
import { DeputyError } from "../errors.ts";
import type { Route, Wish } from "../route.ts";
import { isConversation, type Run } from "../run/run.ts";
import { present } from "../values/present.ts";
import type { ConverseOptions, Delegation, Engine, LiveDelegation, SubmitOptions } from "./engine.ts";

export type ChatOptions = Pick<SubmitOptions, "workspace"> & {
  /** Continues this conversation: its id, or an unambiguous prefix of it. */
  id?: string;
  /** The model request. It overrides the config's top level and, in a continued conversation, its previous route. */
  wish?: Wish;
  /** A subset of the toolsets that the config gives to children. A continued conversation keeps its own. */
  toolsets?: string[];
  /** USD for the whole conversation, delegations included. */
  maxCostUsd?: number;
};

export type TurnOptions = Omit<ConverseOptions, "route" | "maxCostUsd">;

export interface Chat {
  /** Absent before the first message, which creates the run. */
  readonly id: string | undefined;
  /** Route of the next message. */
  readonly route: Route;
  /** Working directory of its tools. */
  readonly workspace: string;
  /** Changes the route from the next message on, without writing to a config. @throws DeputyError `nothing-to-run` */
  use(wish: Wish): Promise<Route>;
  /** Sends a message, which starts a turn. @throws DeputyError `run-owned` while a turn is in progress */
  say(text: string, options?: TurnOptions): Promise<Delegation>;
}

/** A conversation with live updates for the surfaces of this process. */
export interface LiveChat extends Chat {
  say(text: string, options?: TurnOptions): Promise<LiveDelegation>;
}

/** @throws DeputyError `nothing-to-run` if it has no route, with what would work · `run-unknown` */
export async function openChat(engine: Engine, options: ChatOptions): Promise<LiveChat> {
  const { wish = {}, toolsets, maxCostUsd } = options;
  const past = options.id === undefined ? undefined : await conversationOf(engine, options.id);
  const workspace = past?.workspace ?? options.workspace;
  const limits = present({ toolsets, max_cost_usd: maxCostUsd });
  let id = past?.run.delegationId;
  let limitTold = past === undefined;
  /** The route chosen since the last message. */
  let chosen: Route | undefined;
  let route = past === undefined ? await plan({ parent: wish }) : past.route;
  if (past !== undefined && (Object.keys(wish).length > 0 || maxCostUsd !== undefined)) await use(wish);

  async function plan(base: Pick<SubmitOptions, "parent" | "parentRoute">, { effort, ...rest }: Wish = {}) {
    const asked = { goal: "", ...rest, ...present({ reasoning_effort: effort }) };
    const call = { ...past?.run.call, ...limits, tasks: [asked] };
    const [planned] = (await engine.plan(call, { surface: "chat", workspace, ...base })).planned;
    if (planned === undefined) throw new Error("a plan without its task");
    if ("route" in planned) return planned.route;
    throw new DeputyError("nothing-to-run", planned.problem.message, { details: planned.problem });
  }

  async function use(wanted: Wish): Promise<Route> {
    route = await plan({ parentRoute: route }, wanted);
    chosen = route;
    return route;
  }

  async function say(text: string, turn: TurnOptions = {}): Promise<LiveDelegation> {
    const next = { ...turn, ...present({ maxCostUsd: limitTold ? undefined : maxCostUsd, route: chosen }) };
    const delegation = id === undefined ? await begin(text, turn) : await engine.converse(id, text, next);
    id = delegation.id;
    chosen = undefined;
    limitTold = true;
    return delegation;
  }

  function begin(text: string, turn: TurnOptions): Promise<LiveDelegation> {
    const base = chosen === undefined ? { parent: wish } : { parentRoute: chosen };
    return engine.submit({ ...limits, tasks: [{ goal: text }] }, { ...turn, ...base, surface: "chat", workspace });
  }

  return {
    get id() {
      return id;
    },
    get route() {
      return route;
    },
    workspace,
    use,
    say,
  };
}

async function conversationOf(engine: Engine, id: string): Promise<{ run: Run; route: Route; workspace: string }> {
  const { run } = await engine.run(id);
  const planned = run.children[0]?.tally.planned;
  if (!isConversation(run) || planned === undefined || "problem" in planned) {
    throw new DeputyError(
      "run-unknown",
      `Expected a conversation; ${run.delegationId} is a delegation. See: deputy show ${run.delegationId}`,
    );
  }
  return { run, route: planned.route, workspace: planned.workspace };
}
