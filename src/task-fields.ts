/** The types of a parsed call, with what editors show about each field. `task.ts` has the schema that they come from. */
import type { Isolation } from "./isolation.ts";
import type { Effort } from "./route.ts";

/** Fields that a task may have and, as a default for all tasks, a call. */
type SharedFields = {
  /** Background for the child. Next to `tasks`, all tasks share it. */
  context?: string | undefined;
  /** A bare id, an alias, a family, or `x --provider y`. Without a provider, the current provider is kept. */
  model?: string | { model: string; provider?: string | undefined; reasoning_effort?: Effort | undefined } | undefined;
  /** Slug of the provider. Endpoint, key and API mode come from it. */
  provider?: string | undefined;
  /** Default: the model's own. */
  reasoning_effort?: Effort | undefined;
  /** A subset of what the caller may use. Default: all of it. */
  toolsets?: string[] | undefined;
  /** Maximum model requests with tools; then the child must answer. */
  max_iterations?: number | undefined;
  /** Maximum wall time from the child's start, in seconds. */
  timeout_seconds?: number | undefined;
  /** Maximum cost in USD. Next to `tasks`: of all tasks together. */
  max_cost_usd?: number | undefined;
  /** `worktree`: a copy and branch of the repository for the child alone. Default: the user's setting. */
  isolation?: Isolation | undefined;
  /** With `worktree`: the branch, tag or commit to start from. Default: HEAD. */
  base?: string | undefined;
};

export type Task = SharedFields & {
  /** Self-contained instruction. The child sees only this, `context` and its workspace. */
  goal: string;
  /** JSON Schema of the answer, which is validated, with one repair turn. */
  output_schema?: Record<string, unknown> | undefined;
  /** Words that the user's routing rules match. */
  tags?: string[] | undefined;
  /** Name of an agent definition. `model` and the like override its own. */
  agent?: string | undefined;
  /** Up to 8 images: paths, http(s) or `data:` URLs. Needs a vision model. */
  images?: string[] | undefined;
  /** Up to 20 text files of the workspace that the child gets with its task. */
  files?: string[] | undefined;
  /** Working directory. Default: the caller's. */
  workspace?: string | undefined;
  /** `orchestrator` may delegate, within `max_spawn_depth`. Default: `leaf`. */
  role?: "leaf" | "orchestrator" | undefined;
};

/** A parsed call. A single task is a batch of one, whose fields are all the task's own. */
export type Call = SharedFields & {
  /** The batch: one child per task. */
  tasks: Task[];
};
